import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { lineDifferences } from "../../src/compare/lines.ts";
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

test("every line has one template, so that they make one cluster", () => {
  const [difference] = lineDifferences("a\nb", "a\nc", false);
  assert.deepEqual(difference, {
    place: "line[2]",
    template: "line[*]",
    kind: "value",
    old: "b",
    new: "c",
    relation: null,
  });
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
  const startMs = performance.now();
  assert.deepEqual(placesOf(text(lines("a", 4000), lines("b", 4000))), ["body body"]);
  assert.deepEqual(placesOf(text(lines("a", 500_000), lines("b", 500_000))), ["body body"]);
  assert.deepEqual(placesOf(text(`${lines("a", 500_000)}\nx`, `${lines("a", 500_000)}\ny`)), [
    "line[500001] value",
  ]);
  assert.deepEqual(placesOf(text("\n".repeat(8_000_000), "\n".repeat(7_999_999))).length, 1);
  assert.ok(performance.now() - startMs < 3000);
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
