import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { diff, redacting } from "./trees.ts";

function relations(old: unknown, fresh: unknown, compare: Parameters<typeof diff>[2] = {}): string[] {
  return diff(old, fresh, compare).map(({ place, kind, relation }) => `${place} ${kind} ${relation}`);
}

describe("members that go by another name", () => {
  test("are named on both sides, with what they are called there", () => {
    assert.deepEqual(relations({ id: 1, fullName: "Ann" }, { id: 1, name: "Ann" }), [
      '$.fullName missing renamed to "name"',
      '$.name added renamed from "fullName"',
    ]);
    const item = (name: string) => ({ list: [{ x: 1, [name]: { a: [1, 2], b: "text" } }] });
    assert.deepEqual(relations(item("detail"), item("details")), [
      '$.list[0].detail missing renamed to "details"',
      '$.list[0].details added renamed from "detail"',
    ]);
  });

  test("only where one couple fits, and by a value that is not any member's", () => {
    for (const value of [true, false, null, 0, 7, "", "y", [], {}, [0], { a: true }]) {
      const [missing] = relations({ a: value }, { b: value });
      assert.ok(!missing?.includes("renamed"), JSON.stringify(value));
    }
    for (const value of [10, 0.5, -12, "ok", [1, 2], { a: 1, b: 1 }, { a: "text" }]) {
      const [missing] = relations({ a: value }, { b: value });
      assert.ok(missing?.endsWith('renamed to "b"'), JSON.stringify(value));
    }
    assert.ok(!relations({ a: "xx" }, { b: "xx", c: "xx" }).join().includes("renamed"));
    assert.ok(!relations({ a: "xx", d: "xx" }, { b: "xx" }).join().includes("renamed"));
    assert.ok(!relations({ a: "xx" }, { b: "xy" }).join().includes("renamed"));
    assert.ok(!relations({ a: "xx", b: "xx" }, { b: "xx" }).join().includes("renamed"));
  });

  test("by all digits, and whatever the order of what has none", () => {
    const id = (name: string, last: number) => `{"${name}":1234567890123456789${last}}`;
    assert.ok(relations(id("a", 1), id("b", 1)).join().includes("renamed"));
    assert.ok(!relations(id("a", 1), id("b", 2)).join().includes("renamed"));
    assert.deepEqual(relations({ a: ["x", "y"] }, { b: ["y", "x"] }, { unordered: ["$.*"] }), [
      '$.a missing renamed to "b"',
      '$.b added renamed from "a"',
    ]);
  });

  test("not where one of them is hidden; names of data by the hundred are none", () => {
    assert.ok(!relations({ a: "xx" }, { b: "xx" }, redacting("$.a")).join().includes("renamed"));
    const map = (prefix: string) =>
      Object.fromEntries(Array.from({ length: 60 }, (_, at) => [prefix + at, `v${at}`] as const));
    assert.ok(!relations(map("a"), map("b")).join().includes("renamed"));
    const [long] = relations({ a: "xx" }, JSON.parse(`{"${"n".repeat(200)}":"xx"}`));
    assert.ok((long ?? "").length < 80, long ?? "");
  });
});
