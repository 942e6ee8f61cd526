import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { linePattern } from "../../src/compare/line-pattern.ts";
import { lineDifferences } from "../../src/compare/lines.ts";
import { atBoundedCost } from "../support/cost.ts";
import { comparedBodies, factsOf, placesOf } from "./pairs.ts";

const TEXT = { type: "text/plain" };
const text = (old: string, fresh: string) => comparedBodies(old, fresh, TEXT);

test("texts are compared line by line, counted from one", () => {
  assert.deepEqual(factsOf(text("a\nb\nc\nd\n", "a\nB\nc\nx\nd\n")), [
    { place: "line[2]", kind: "value", old: "b", new: "B" },
    { place: "line[4]", kind: "added", old: null, new: "x" },
  ]);
  assert.deepEqual(factsOf(text("a\nb\nc", "b\nc")), [
    { place: "line[1]", kind: "missing", old: "a", new: null },
  ]);
});

test("lines that read alike have one template, others another, and none where nothing may be told", () => {
  const templateOf = (old: string, fresh: string, conceal = false) =>
    lineDifferences(`x\n${old}`, `x\n${fresh}`, conceal)[0]?.template;
  const template = templateOf("took 12 ms at 10:00:01", "took 9 ms at 10:00:02");
  assert.match(template ?? "", /^line\[~[0-9a-f]{6}\]$/);
  assert.equal(templateOf("took  7 ms at 23:00:01\r", "anything"), template);
  assert.notEqual(templateOf("cost 12 ms at 10:00:01", "took 9 ms at 10:00:02"), template);
  assert.equal(templateOf("a", "b", true), "line[*]");
  const unsampled = comparedBodies("a", "b", { ...TEXT, compare: { samples: false } });
  assert.equal(unsampled.kind === "mismatch" && unsampled.differences[0]?.template, "line[*]");
  const [difference] = lineDifferences("a\nb", "a\nc", false);
  assert.deepEqual(difference, {
    place: "line[2]",
    template: `line[~${linePattern("b")}]`,
    kind: "value",
    old: "b",
    new: "c",
    relation: null,
  });
});

test("numbers, ids, hashes, dates and white space do not tell lines apart; words do", () => {
  const alike = (...lines: string[]) =>
    assert.equal(new Set(lines.map(linePattern)).size, 1, lines.join(" | "));
  alike("n 1", "n  20", "n\t3.5 ");
  alike("id 8f3e2a1b-1111-4222-8333-444455556666", "id 507f1f77bcf86cd799439011", "id 77");
  alike("date: Tue, 03 Jan 2026 10:00:00 GMT", "date: Wed, 31 December 2025 09:59:59 GMT");
  alike("t=2026-01-31T10:00:00.123Z", "t=2026-01-31T10:00:00Z", "t=2025-12-01T00:00:00Z");
  alike("etag W/dGhpcyBpcyAxMjM0NTY3", "etag W/MTIzNDU2Nzg5MGFiY2Rl");
  const apart = ["name: ann", "name: bob", "mail: ann", "deadbeef", "facade"];
  assert.equal(new Set(apart.map(linePattern)).size, apart.length);
  for (const unit of ["1", "a1", "1.", "Mon", " ", "-", "="])
    atBoundedCost(() => linePattern(unit.repeat(1_000_000)));
});

test("changed lines are laid beside those that read like them", () => {
  assert.deepEqual(factsOf(text("at 10:01\nend", "more\nat 10:02\nend")), [
    { place: "line[1]", kind: "value", old: "at 10:01", new: "at 10:02" },
    { place: "line[1]", kind: "added", old: null, new: "more" },
  ]);
});

test("a long line is shown where it changes", () => {
  const long = "x".repeat(500);
  assert.deepEqual(factsOf(text(`${long}old tail`, `${long}new tail`)), [
    { place: "line[1]", kind: "value", old: `…${"x".repeat(20)}old tail`, new: `…${"x".repeat(20)}new tail` },
  ]);
});

test("other line ends alone are one difference that says so", () => {
  assert.deepEqual(factsOf(text("a\r\nb\r\n", "a\nb\n")), [
    { place: "body", kind: "body", old: "2 of 2 line ends are CR LF", new: "0 of 2 line ends are CR LF" },
  ]);
});

test("too many lines are one difference with excerpts, in bounded time", () => {
  const lines = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, at) => `${prefix}${at}`).join("\n");
  const places = (old: string, fresh: string) => placesOf(atBoundedCost(() => text(old, fresh)));
  assert.deepEqual(places(lines("a", 4000), lines("b", 4000)), ["body body"]);
  assert.deepEqual(places(lines("a", 500_000), lines("b", 500_000)), ["body body"]);
  assert.deepEqual(places(`${lines("a", 500_000)}\nx`, `${lines("a", 500_000)}\ny`), ["line[500001] value"]);
  assert.equal(places("\n".repeat(8_000_000), "\n".repeat(7_999_999)).length, 1);
  assert.equal(factsOf(text(lines("a", 300), lines("b", 300))).length, 100);
});

test("with paths to redact nothing of a text is shown, nor a hash that could be guessed", () => {
  const redact = { paths: ["$.email"], headers: [], query: [] };
  const show = (old: string, fresh: string, type: string) =>
    JSON.stringify(comparedBodies(old, fresh, { type, compare: { redact } }));
  const many = (prefix: string) => Array.from({ length: 6000 }, (_, at) => `${prefix}hunter${at}`).join("\n");
  const shown = [
    show("a\nhunter2", "a\nhunter3", "text/plain"),
    show(many("a"), many("b"), "text/plain"),
    show("hunter2", "hunter3", "image/png"),
    show('{"email":"hunter2"}', "hunter3", "application/json"),
    show("{hunter2", "{hunter3", "application/json"),
    show('{"email":"hunter2"}', "", "application/json"),
    show("<email>hunter2</email>", "<email>hunter3", "text/xml"),
  ];
  for (const one of shown) {
    assert.ok(one.startsWith('{"kind":"mismatch"'), one);
    assert.ok(!/hunter|sha256/.test(one), one);
  }
});

test("a changed line is found at its place whatever surrounds it", () => {
  const line = fc.string({ unit: fc.constantFrom("a", "b", " ", "\t"), maxLength: 6 });
  fc.assert(
    fc.property(fc.array(line), fc.array(line), (before, after) => {
      const [old, fresh] = ["OLD", "NEW"].map((middle) => [...before, middle, ...after].join("\n"));
      assert.deepEqual(placesOf(text(old ?? "", fresh ?? "")), [`line[${before.length + 1}] value`]);
    }),
  );
});
