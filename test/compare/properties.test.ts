import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";

import { comparedBodies } from "./pairs.ts";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Any JSON, with names that JavaScript gives a meaning to. */
const json = fc.jsonValue({ maxDepth: 5 }) as fc.Arbitrary<Json>;
const name = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("__proto__", "constructor", "id", "a.b", "'"),
);
const object = fc.dictionary(name, json, { maxKeys: 6 });

/** The text of a value with the members of every object in another order. */
function shuffledText(value: Json, random: () => number): string {
  if (Array.isArray(value)) return `[${value.map((item) => shuffledText(item, random)).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value)
    .map((key) => ({
      order: random(),
      text: `${JSON.stringify(key)} : ${shuffledText(value[key] ?? null, random)}`,
    }))
    .sort((left, right) => left.order - right.order);
  return `{${members.map(({ text }) => text).join(",")}}`;
}

/** Names and indexes from the root to every value that holds no other. */
function leavesOf(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (Array.isArray(value) && value.length > 0)
    return value.flatMap((item, at) => leavesOf(item, [...path, at]));
  if (value !== null && typeof value === "object" && Object.keys(value).length > 0) {
    return Object.keys(value).flatMap((key) =>
      leavesOf((value as { [name: string]: Json })[key] ?? null, [...path, key]),
    );
  }
  return [path];
}

function replaced(value: Json, path: readonly (string | number)[], by: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((item, at) => (at === key ? replaced(item, rest, by) : item));
  const members = Object.entries(value as { [name: string]: Json });
  return Object.fromEntries(
    members.map(([own, member]) => [own, own === key ? replaced(member, rest, by) : member]),
  );
}

/** No JSON that fast-check makes is this. */
const MARK = "a value of its own, 7f3c";

describe("for any JSON", () => {
  test("it equals itself, whatever the order of its members and the spaces", () => {
    fc.assert(
      fc.property(
        fc.oneof(json, object),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (value, randoms) => {
          const next = (): number => randoms.next().value ?? 0;
          const comparison = comparedBodies(JSON.stringify(value), shuffledText(value, next));
          assert.equal(comparison.kind, "match");
        },
      ),
    );
  });

  const mutated = fc
    .tuple(fc.oneof(object, fc.array(json)) as fc.Arbitrary<Json>, fc.nat())
    .map(([value, pick]) => {
      const leaves = leavesOf(value);
      return { value, path: leaves[pick % leaves.length] ?? [] };
    });

  test("one changed value is found, once, at a place that hides it when ignored", () => {
    fc.assert(
      fc.property(mutated, ({ value, path }) => {
        const bodies = [JSON.stringify(value), JSON.stringify(replaced(value, path, MARK))] as const;
        const comparison = comparedBodies(...bodies);
        assert.ok(comparison.kind === "mismatch");
        assert.equal(comparison.differences.length, 1);
        const place = comparison.differences[0]?.place ?? "";
        assert.equal(comparison.differences[0]?.new, JSON.stringify(MARK));
        const ignored = comparedBodies(...bodies, { compare: { ignore: [place] } });
        assert.equal(ignored.kind, "match", place);
      }),
      { numRuns: 300 },
    );
  });

  test("two values match exactly when their canonical texts are equal, either way round", () => {
    const small = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom<Json>(0, 1, "a", null, [], {}),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom("a", "id", "__proto__"), tie("value"), { maxKeys: 3 }),
      ),
    })).value;
    const canonical = (value: Json): string => {
      if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
      if (value === null || typeof value !== "object") return JSON.stringify(value);
      return `{${Object.keys(value)
        .sort()
        .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`)
        .join()}}`;
    };
    fc.assert(
      fc.property(small, small, (left, right) => {
        const expected = canonical(left) === canonical(right) ? "match" : "mismatch";
        assert.equal(comparedBodies(JSON.stringify(left), JSON.stringify(right)).kind, expected);
        assert.equal(comparedBodies(JSON.stringify(right), JSON.stringify(left)).kind, expected);
      }),
      { numRuns: 1000 },
    );
  });

  test("no bytes of any type throw", () => {
    const type = fc.constantFrom(
      "application/json",
      "text/plain; charset=utf-8",
      "text/html; charset=latin1",
      "x",
      "",
    );
    const encoding = fc.constantFrom("", "gzip", "br", "zstd", "deflate", "gzip, br", "nonsense");
    const body = fc.oneof(
      fc.uint8Array(),
      fc.json().map((text) => new Uint8Array(Buffer.from(text))),
    );
    fc.assert(
      fc.property(body, body, type, encoding, (left, right, contentType, coding) => {
        const comparison = comparedBodies(left, right, { type: contentType, encoding: coding });
        if (Buffer.compare(left, right) === 0) assert.equal(comparison.kind, "match");
      }),
      { numRuns: 500 },
    );
  });
});
