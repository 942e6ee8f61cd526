import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";

import { allowanceOf, isWithin } from "../../src/compare/tolerance.ts";
import { places } from "./trees.ts";

const absolute = (path: string, distance: number) => ({ path, absolute: distance, relative: null });
const relative = (path: string, share: number) => ({ path, absolute: null, relative: share });

function near(
  old: unknown,
  fresh: unknown,
  ...tolerance: { path: string; absolute: number | null; relative: number | null }[]
) {
  return places(old, fresh, { tolerance });
}

describe("tolerance", () => {
  test("a distance of exactly the allowance is within, as it is written and not as doubles have it", () => {
    assert.deepEqual(near({ a: 0.1 }, { a: 0.3 }, absolute("$.a", 0.2)), []);
    assert.deepEqual(near({ a: 10 }, { a: 10.01 }, absolute("$.a", 0.01)), []);
    assert.deepEqual(near({ a: 10 }, { a: 10.010000001 }, absolute("$.a", 0.01)), ["$.a value"]);
    assert.deepEqual(near({ a: -0.01 }, { a: 0 }, absolute("$.a", 0.01)), []);
  });

  test("relative is of the greater magnitude, whichever side has it", () => {
    assert.deepEqual(near({ a: 99 }, { a: 100 }, relative("$.a", 0.01)), []);
    assert.deepEqual(near({ a: 100 }, { a: 99 }, relative("$.a", 0.01)), []);
    assert.deepEqual(near({ a: 100 }, { a: 98.99 }, relative("$.a", 0.01)), ["$.a value"]);
    assert.deepEqual(near({ a: -100 }, { a: -99 }, relative("$.a", 0.01)), []);
    assert.deepEqual(near({ a: 1 }, { a: -1 }, relative("$.a", 0.5)), ["$.a value"]);
    assert.deepEqual(near({ a: 0 }, { a: 0.0001 }, relative("$.a", 0.5)), ["$.a value"]);
  });

  test("either allowance is enough, also where two paths name one number", () => {
    const both = { path: "$.a", absolute: 1, relative: 0.01 };
    assert.deepEqual(near({ a: 1000 }, { a: 1009 }, both), []);
    assert.deepEqual(near({ a: 1 }, { a: 2 }, both), []);
    assert.deepEqual(near({ a: 1000 }, { a: 1009 }, absolute("$.a", 1), relative("$..a", 0.01)), []);
  });

  test("texts of numbers too, but not a text beside a number, nor other texts", () => {
    assert.deepEqual(near({ a: "12.50" }, { a: "12.505" }, absolute("$.a", 0.01)), []);
    assert.deepEqual(near({ a: "12.50" }, { a: "12.5" }, absolute("$.a", 0)), []);
    assert.deepEqual(near({ a: "12.50" }, { a: 12.5 }, absolute("$.a", 1)), ["$.a type"]);
    assert.deepEqual(near({ a: "1.0.0" }, { a: "1.0.1" }, absolute("$.a", 1)), ["$.a value"]);
    assert.deepEqual(near({ a: "" }, { a: "0" }, absolute("$.a", 1)), ["$.a value"]);
    assert.deepEqual(near({ a: null }, { a: 0 }, absolute("$.a", 1)), ["$.a type"]);
  });

  test("no digit of a long number is lost", () => {
    const old = '{"a":12345678901234567890}';
    assert.deepEqual(near(old, '{"a":12345678901234567899}', absolute("$.a", 9)), []);
    assert.deepEqual(near(old, '{"a":12345678901234567900}', absolute("$.a", 9)), ["$.a value"]);
    assert.deepEqual(near('{"a":0.1000000000000000000001}', '{"a":0.1}', absolute("$.a", 1e-22)), []);
    assert.deepEqual(near('{"a":0.1000000000000000000002}', '{"a":0.1}', absolute("$.a", 1e-22)), [
      "$.a value",
    ]);
    assert.deepEqual(near('{"a":1e400}', '{"a":1.01e400}', relative("$.a", 0.01)), []);
    assert.deepEqual(near('{"a":1e400}', '{"a":1.02e400}', relative("$.a", 0.01)), ["$.a value"]);
  });

  test("beyond what can be calculated nothing is within", () => {
    assert.deepEqual(near('{"a":1e999999999}', '{"a":1}', absolute("$.a", 1), relative("$.a", 1)), [
      "$.a value",
    ]);
    const digits = "9".repeat(500);
    assert.deepEqual(near(`{"a":${digits}1}`, `{"a":${digits}2}`, absolute("$.a", 5)), ["$.a value"]);
  });

  test("in the items of an array, which still line up", () => {
    const rules = [absolute("$[*].v", 0.5), absolute("$.l[*]", 0.5)];
    assert.deepEqual(
      near(
        [
          { v: 1, n: "a" },
          { v: 2, n: "b" },
        ],
        [
          { v: 9, n: "x" },
          { v: 1.2, n: "a" },
          { v: 2.2, n: "b" },
        ],
        ...rules,
      ),
      ["$[0] added"],
    );
    assert.deepEqual(near({ l: [1, 2, 3] }, { l: [1.1, 2.9, 3.1] }, ...rules), ["$.l[1] value"]);
  });

  test("items of unordered arrays match within tolerance", () => {
    const rules = {
      unordered: ["$"],
      tolerance: [absolute("$[*].v", 0.5), absolute("$[*]", 0.5), absolute("$[*].w", 0.5)],
    };
    assert.deepEqual(places([1, 2, 3], [3.4, 0.6, 2.2], rules), []);
    assert.deepEqual(places([1, 2, 3], [3.4, 9, 2.2], rules), ["$[0] value"]);
    const old = [
      { n: "a", v: 1 },
      { n: "a", v: 2 },
      { n: "b", v: 3 },
    ];
    assert.deepEqual(
      places(
        old,
        [
          { n: "b", v: 3.3 },
          { n: "a", v: 2.1 },
          { n: "a", v: 1.4 },
        ],
        rules,
      ),
      [],
    );
    assert.deepEqual(
      places(
        old,
        [
          { n: "b", v: 4 },
          { n: "a", v: 2.1 },
          { n: "a", v: 1.4 },
        ],
        rules,
      ),
      ["$[2].v value"],
    );
    // "Within" does not carry over: 1.0 could take 1.4, but then 1.8 had nobody.
    assert.deepEqual(places([1, 1.8], [1.4, 0.6], rules), []);
    assert.deepEqual(
      places(
        [
          { v: 1, w: 5 },
          { v: 1.4, w: 1 },
        ],
        [
          { v: 1.2, w: 1.2 },
          { v: 1.4, w: 5 },
        ],
        rules,
      ),
      [],
    );
  });

  test("exact and quick agree: integers as numbers, as long numbers and as texts", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1000, max: 1000 }),
        fc.integer({ min: -20, max: 20 }),
        fc.integer({ min: 0, max: 20 }),
        (value, step, room) => {
          const allowances = [allowanceOf(absolute("$", room / 10))];
          const expected = Math.abs(step) <= room;
          const texts = [value, value + step].map(
            (tenths) =>
              `${tenths < 0 ? "-" : ""}${Math.trunc(Math.abs(tenths) / 10)}.${Math.abs(tenths) % 10}`,
          );
          const [left = "", right = ""] = texts;
          assert.equal(isWithin(Number(left), Number(right), allowances), expected);
          assert.equal(isWithin(left, right, allowances), expected);
          assert.equal(isWithin(Symbol(left), Symbol(right), allowances), expected);
          assert.equal(isWithin(Symbol(`${left}00000000000000000000`), Number(right), allowances), expected);
        },
      ),
      { numRuns: 500 },
    );
  });
});
