import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { diffTrees } from "../../src/compare/tree.ts";
import { places, plainRules, treeOf } from "./trees.ts";

describe("arrays", () => {
  test("an item inserted at the front is one item more, not a change of all that follow", () => {
    assert.deepEqual(places([1, 2, 3, 4], [0, 1, 2, 3, 4]), ["$[0] added"]);
    assert.deepEqual(places(["a", "b", "c"], ["b", "c"]), ["$[0] missing"]);
    assert.deepEqual(places([], [1, 2]), ["$[0] added", "$[1] added"]);
  });

  test("changes at both ends keep what is between them together", () => {
    assert.deepEqual(places([1, 2, 3, 4, 5], [0, 2, 3, 4, 5, 6]), ["$[0] value", "$[5] added"]);
  });

  test("the same items in another order are one difference of order, at the array", () => {
    assert.deepEqual(places({ tags: ["a", "b", "c"] }, { tags: ["c", "a", "b"] }), ["$.tags order"]);
    assert.deepEqual(places([[1], [2], [3]], [[3], [2], [1]]), ["$ order"]);
  });

  test("items that carry an id are recognised by it, moved or not", () => {
    const old = [
      { id: 1, v: "a" },
      { id: 2, v: "b" },
      { id: 3, v: "c" },
    ];
    assert.deepEqual(places(old, [old[1], { id: 1, v: "z" }, old[2]]), ["$ order", "$[0].v value"]);
    assert.deepEqual(places(old, [{ id: 1, v: "y" }, old[1], { id: 3, v: "z" }]), [
      "$[0].v value",
      "$[2].v value",
    ]);
    assert.deepEqual(places(old, [{ id: 9, v: "a" }, old[1], old[2]]), ["$[0].id value"]);
  });

  test("ids that repeat are no ids", () => {
    const old = [
      { id: 1, v: 1 },
      { id: 1, v: 2 },
      { id: 1, v: 3 },
    ];
    assert.deepEqual(
      places(old, [
        { id: 1, v: 1 },
        { id: 1, v: 5 },
        { id: 1, v: 6 },
      ]),
      ["$[1].v value", "$[2].v value"],
    );
  });

  test("items without an id, each changed in one member, are compared by position", () => {
    const old = [1, 2, 3].map((n) => ({ n, at: "yesterday" }));
    const next = [1, 2, 3].map((n) => ({ n, at: "today" }));
    assert.deepEqual(places(old, next), ["$[0].at value", "$[1].at value", "$[2].at value"]);
  });

  test("repeated items count: two of one are not one of it", () => {
    assert.deepEqual(places([1, 1, 2], [1, 2, 2]), ["$[1] value"]);
    assert.deepEqual(places([1, 1], [1]), ["$[1] missing"]);
  });
});

describe("hostile arrays cost bounded time", () => {
  // Generous: the machine may be busy. The point is that quadratic time would take minutes.
  const LIMIT_MS = 20_000;

  // Trees as such: of the largest bodies the comparison of a pair does not even begin.
  function timed(oldValue: unknown, newValue: unknown): string[] {
    const trees = [treeOf(oldValue), treeOf(newValue)] as const;
    const startMs = performance.now();
    const found = diffTrees(...trees, plainRules);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < LIMIT_MS, `took ${tookMs} ms`);
    return found.map(({ place, kind }) => `${place} ${kind}`);
  }

  const hundredThousand = Array.from({ length: 100_000 }, (_, at) => at);

  test("100,000 items, one of them changed", () => {
    const next = hundredThousand.with(70_000, -1);
    assert.deepEqual(timed(hundredThousand, next), ["$[70000] value"]);
  });

  test("100,000 items, one of them inserted", () => {
    assert.deepEqual(timed(hundredThousand, hundredThousand.toSpliced(3, 0, -1)), ["$[3] added"]);
  });

  test("100,000 items backwards", () => {
    assert.equal(timed(hundredThousand, hundredThousand.toReversed()).length, 100);
  });

  test("ten thousand short arrays, each in another order", () => {
    const list = Array.from({ length: 40 }, (_, at) => at);
    const old = Array.from({ length: 10_000 }, (_, at) => ({ at, list }));
    const next = Array.from({ length: 10_000 }, (_, at) => ({ at, list: list.toReversed() }));
    assert.equal(timed(old, next).length, 100);
  });

  test("arrays in arrays, 450 deep, each with much beside the next", () => {
    const nested = (leaf: number): unknown => {
      let value: unknown = leaf;
      for (let depth = 0; depth < 450; depth++) value = [depth, list(300), value, list(300), [leaf]];
      return value;
    };
    const list = (length: number) => Array.from({ length }, (_, at) => at);
    assert.equal(timed(nested(1), nested(2)).length, 100);
  });
});
