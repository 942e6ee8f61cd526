import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";

import { MISSING, relationOf } from "../../src/compare/relation.ts";
import { atBoundedCost } from "../support/cost.ts";
import { diff } from "./trees.ts";

const NAMED: readonly (readonly [old: unknown, fresh: unknown, name: string])[] = [
  ["ACTIVE", "active", "case"],
  ["a  b", "a b", "whitespace"],
  ["a ", "a", "whitespace"],
  ["42", "usr_42", 'prefix "usr_" added'],
  ["usr_42", "42", 'prefix "usr_" removed'],
  ["/a", "/a/", 'suffix "/" added'],
  ["a.json", "a", 'suffix ".json" removed'],
  ["1.50", "1.5", "trailing zeros"],
  ["10", "10.00", "trailing zeros"],
  ["007", "7", "leading zeros"],
  ["1e3", "1000", "number format"],
  [12.5, "12.50", "number as text"],
  ["12", 12, "text as number"],
  [Symbol("12345678901234567890"), "12345678901234567890", "number as text"],
  [true, "true", "boolean as text"],
  ["False", false, "text as boolean"],
  [true, 1, "boolean as number"],
  ["yes", "true", "boolean format"],
  [MISSING, null, "null for missing"],
  [null, MISSING, "missing for null"],
  [MISSING, [], "empty for missing"],
  [null, "", "empty for null"],
  [{}, null, "null for empty"],
  ["2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000Z", "timestamp format"],
  ["2026-01-31T10:00:00Z", "2026-01-31T12:00:00+02:00", "timestamp format"],
  ["2026-01-31T10:00:00Z", "Sat, 31 Jan 2026 10:00:00 GMT", "timestamp format"],
  ["2026-01-31T10:00:00Z", 1769853600, "timestamp format"],
  [1769853600000, "2026-01-31T10:00:00Z", "timestamp format"],
  ["2026-01-31T10:00:00.123Z", "2026-01-31T10:00:00Z", "timestamp precision"],
  ["2026-01-31T10:00:00Z", "2026-01-31T12:00:00Z", "time shifted by +02:00"],
  ["2026-01-31T10:00:00Z", "2026-01-31", "date without time"],
  ["2026-01-31", "2026-01-31T00:00:00Z", "date with time"],
  ["2026-04-03T10:00:00Z", "03.04.2026", "date without time"],
  ["04/03/2026", "2026-04-03T00:00:00Z", "date with time"],
  ["2026-01-31", "31/01/2026", "date format"],
  ["20260131", "2026-01-31", "date format"],
  [1769853600123, 1769853600, "seconds for milliseconds"],
  [1769853600, 1769853600000, "milliseconds for seconds"],
  ["Zoe\u0308", "Zoë", "unicode form"],
  [2.34567, 2.35, "rounding"],
  [2.678, 2.67, "truncation"],
  [2.35, 2.34567, "more digits"],
  [19.99, 1999, "scaled by 100"],
  [1999, 19.99, "scaled by 1/100"],
  [Symbol("12345678901234567890"), Symbol("12345678901234567000"), "double precision"],
  [5, -5, "sign"],
  ["a b", "a%20b", "percent encoding"],
  ["a+b%2Fc", "a b/c", "percent encoding"],
  ["a & b", "a &amp; b", "html entities"],
  ["http://x.org/a", "https://x.org/a", "url scheme"],
  ["https://x.org/a?b", "https://y.org:81/a?b", "url host"],
  ["http://x.org", "https://y.org", "url scheme and host"],
  ["1-2", "1_2", "separator"],
  ["first_name", "firstName", "separator"],
  ["8f3e2a1b-1111-4222", "8f3e2a1b11114222", "separator"],
  ["1,234.50", "1234.50", "thousands separator"],
  ["1.5", "15", "scaled by 10"],
  [["a"], "a", "item for list"],
  [{ a: 1 }, [{ a: 1 }], "list for item"],
];

const NAMELESS: readonly (readonly [old: unknown, fresh: unknown])[] = [
  ["Bern", "Oslo"],
  [1, 2],
  [1.5, 15.2],
  [2.68, 2.5],
  ["2026-01-31T10:00:00Z", "2026-01-31T10:00:07Z"],
  ["2026-02-31", "2026-03-03"],
  ["03/04/2026", "04/03/2026"],
  ["2026-01-31T10:00:00", "2026-02-01"],
  [true, false],
  [true, "false"],
  [0, null],
  [0, MISSING],
  [{ a: 1 }, MISSING],
  [{ a: 1 }, [{ a: 2 }]],
  [[1, 2], 1],
  ["%zz", "%yy"],
  ["&#99999999;", "x"],
  ["", "a"],
  ["a-b", "ab"],
  ["x".repeat(20_000), "x".repeat(20_001)],
];

describe("relations", () => {
  const shown = (value: unknown): string =>
    typeof value === "symbol" ? `‹${value.description}›` : JSON.stringify(value).slice(0, 40);
  for (const [old, fresh, name] of NAMED) {
    test(`${shown(old)} → ${shown(fresh)} is ${name}`, () => assert.equal(relationOf(old, fresh), name));
  }
  for (const [old, fresh] of NAMELESS) {
    test(`${shown(old)} → ${shown(fresh)} has no name`, () => assert.equal(relationOf(old, fresh), null));
  }

  test("the text of an affix is short and harmless", () => {
    const relation = relationOf("a", `${"\u202e\n".repeat(40)}a`) ?? "";
    assert.ok(relation.length < 60 && !/[\n\u202e]/.test(relation), relation);
  });

  test("values that have nothing to do with each other have no name", () => {
    const text = fc.string({ minLength: 8, maxLength: 40 }).filter((chosen) => /[a-z].*[a-z]/i.test(chosen));
    const value = fc.oneof(
      text,
      fc.integer({ min: 10_000, max: 999_999_999 }).filter((number) => number % 10 !== 0),
      fc.uuid(),
      fc.boolean(),
      fc.array(fc.integer({ min: 10 }), { minLength: 2, maxLength: 4 }),
    );
    fc.assert(
      fc.property(value, value, (old, fresh) => {
        fc.pre(!JSON.stringify(fresh).includes(String(old)) && !JSON.stringify(old).includes(String(fresh)));
        fc.pre(
          String(old)
            .replace(/[^a-z0-9]/gi, "")
            .toLowerCase() !==
            String(fresh)
              .replace(/[^a-z0-9]/gi, "")
              .toLowerCase(),
        );
        assert.equal(relationOf(old, fresh), null);
      }),
      { numRuns: 2000 },
    );
  });

  test("nothing that JSON holds throws, and the cost is bounded", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (old, fresh) => {
        relationOf(old, fresh);
      }),
    );
    for (const hostile of [
      "%".repeat(9000),
      "&#".repeat(4000),
      " ".repeat(9000),
      "1".repeat(9000),
      "a_".repeat(4500),
    ]) {
      atBoundedCost(() => {
        for (let round = 0; round < 20; round++) relationOf(hostile, `${hostile.slice(1)}x`);
      });
    }
  });

  test("it is found on whole values, of which only the beginning is shown", () => {
    const long = "v".repeat(3000);
    assert.equal(diff({ a: long }, { a: `pre-${long}` })[0]?.relation, 'prefix "pre-" added');
    assert.equal(diff({ a: 1 }, { a: 1, b: null })[0]?.relation, "null for missing");
  });
});
