import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";
import { atBoundedCost } from "../support/cost.ts";
import { comparedBodies, factsOf, placesOf } from "./pairs.ts";

describe("numbers are compared exactly", () => {
  const same = [
    ["1", "1.0"],
    ["100", "1e2"],
    ["0.1", "0.10"],
    ["-0", "0"],
    ["1E400", "10e399"],
    ["12345678901234567890", "1234567890123456789e1"],
    ["12345678901234567890", "12345678901234567890.000"],
    ["0e999999999999999999999999", "0"],
  ] as const;
  for (const [left, right] of same) {
    test(`${left} and ${right} are one number`, () => {
      assert.equal(comparedBodies(`{"a":${left}}`, `{"a": ${right}}`).kind, "match");
    });
  }

  const different = [
    ["12345678901234567890", "12345678901234567891"],
    ["9007199254740992", "9007199254740993"],
    ["1", "1.00000000000000000001"],
    ["0.1", "0.1000000000000000055511151231257827"],
    ["1e400", "1e401"],
    ["1e400", "-1e400"],
    ["1e-400", "0"],
    ["1e-400", "2e-400"],
  ] as const;
  for (const [left, right] of different) {
    test(`${left} and ${right} are two numbers, shown with all their digits`, () => {
      const comparison = comparedBodies(`{"a":{"b":${left}}}`, `{"a":{"b":${right}}}`);
      assert.deepEqual(factsOf(comparison), [{ place: "$.a.b", kind: "value", old: left, new: right }]);
    });
  }

  test("long numbers that change places are found", () => {
    const comparison = comparedBodies(
      '{"a":12345678901234567890,"b":12345678901234567891}',
      '{"a":12345678901234567891,"b":12345678901234567890}',
    );
    assert.deepEqual(placesOf(comparison), ["$.a value", "$.b value"]);
  });

  test("long numbers in arrays are found at their place, and matched where equal", () => {
    const id = "1234567890123456789";
    const comparison = comparedBodies(`[{"id":${id}},1,${id}1]`, `[7,{"id":${id}},1,${id}2]`);
    assert.deepEqual(placesOf(comparison), ["$[2] value", "$[0] added"]);
    assert.equal(comparedBodies(`[{"b":1,"id":${id}}]`, `[{"id":${id},"b":1}]`).kind, "match");
  });

  test("digits inside strings are not numbers", () => {
    assert.equal(
      comparedBodies('["12345678901234567890\\"",1]', '[ "12345678901234567890\\"",1]').kind,
      "match",
    );
    assert.deepEqual(placesOf(comparedBodies('["12345678901234567890"]', "[12345678901234567890]")), [
      "$[0] type",
    ]);
  });

  test("ignored paths apply where long numbers are, and filters see their values", () => {
    const bodies = [
      '{"at":11111111111111111111,"list":[{"id":5,"big":12345678901234567890}]}',
      '{"at":22222222222222222222,"list":[{"id":5,"big":12345678901234567891}]}',
    ] as const;
    assert.deepEqual(placesOf(comparedBodies(...bodies, { compare: { ignore: ["$.at"] } })), [
      "$.list[0].big value",
    ]);
    const ignore = ["$.at", "$.list[?@.id == 5].big"];
    assert.equal(comparedBodies(...bodies, { compare: { ignore } }).kind, "match");
  });

  test("a megabyte of zeros in a number costs no more than a megabyte of text", () => {
    const zeros = "0".repeat(1_000_000);
    const found = atBoundedCost(() => comparedBodies(`[1${zeros}1]`, `[1${zeros}2]`));
    assert.equal(found.kind, "mismatch");
  });

  test("two integers match exactly when they are equal", () => {
    const digits = fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n });
    const near = fc.tuple(digits, fc.bigInt({ min: -2n, max: 2n })).map(([n, d]) => [n, n + d] as const);
    fc.assert(
      fc.property(near, ([left, right]) => {
        const kind = comparedBodies(`{"a":[${left}]}`, `{"a": [${right}]}`).kind;
        assert.equal(kind, left === right ? "match" : "mismatch");
      }),
      { numRuns: 300 },
    );
  });
});
