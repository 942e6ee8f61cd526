/** Differences put at known places into random documents: exactly those are found, whatever else was changed. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";

import type { Compare } from "../../src/model/ruleset.ts";
import { diff } from "./trees.ts";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const NAMES = [
  "id",
  "name",
  "at",
  "list",
  "tags",
  "constructor",
  "__proto__",
  "toString",
  "a b",
  "é",
] as const;

/** Documents in which every number and text is its own, so that there is one way to see what changed. */
interface Document {
  readonly tree: Json;
}

const shape: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>("text", 0, true, null),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie("value"), { maxKeys: 6 }),
  ),
})).value;

function numbered(value: Json, counter: { next: number }): Json {
  if (Array.isArray(value)) return value.map((item) => numbered(item, counter));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, numbered(member, counter)]));
  }
  counter.next++;
  if (typeof value === "number") return counter.next + 0.25;
  return typeof value === "string" ? `text ${counter.next}` : value;
}

const document: fc.Arbitrary<Document> = fc.array(shape, { minLength: 1, maxLength: 5 }).map((parts) => ({
  tree: Object.fromEntries(
    parts.map((part, at) => [`part${at}x`, numbered(part, { next: at * 1000 })] as const),
  ),
}));

/** The text of a value with members in another order. */
function written(value: Json, random: () => number): string {
  if (Array.isArray(value)) return `[${value.map((item) => written(item, random)).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => ({
    order: random(),
    text: `${JSON.stringify(key)} : ${written(member, random)}`,
  }));
  members.sort((left, right) => left.order - right.order);
  return `{${members.map(({ text }) => text).join(",")}}`;
}

type Keys = readonly (string | number)[];

function leavesOf(value: Json, path: Keys = []): Keys[] {
  if (value === null || typeof value !== "object") return [path];
  return Object.entries(value).flatMap(([key, child]) =>
    leavesOf(child, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

function changed(value: Json, path: Keys, change: (leaf: Json) => Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  if (Array.isArray(value)) return value.map((item, at) => (at === key ? changed(item, rest, change) : item));
  const members = Object.entries(value as { [name: string]: Json });
  return Object.fromEntries(
    members.map(([own, member]) => [own, own === key ? changed(member, rest, change) : member]),
  );
}

function spelled(path: Keys): string {
  return `$${path.map((key) => (typeof key === "number" ? `[${key}]` : /^\w+$/.test(key) ? `.${key}` : `['${key}']`)).join("")}`;
}

function shuffledArrays(value: Json, random: () => number): Json {
  if (Array.isArray(value)) {
    const items = value.map((item) => ({ order: random(), item: shuffledArrays(item, random) }));
    return items.sort((left, right) => left.order - right.order).map(({ item }) => item);
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, shuffledArrays(member, random)]),
  );
}

/** k leaves of the document, each once. */
const injected = fc
  .tuple(
    document,
    fc.array(fc.nat(), { maxLength: 4 }),
    fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
  )
  .map(([{ tree }, picks, randoms]) => {
    const leaves = leavesOf(tree);
    const chosen = leaves.length === 0 ? [] : [...new Set(picks.map((pick) => pick % leaves.length))];
    const random = (): number => randoms.next().value ?? 0;
    return { tree, leaves, places: chosen.map((at) => leaves[at] ?? []), random };
  });

function found(old: Json, fresh: Json, random: () => number, compare: Partial<Compare> = {}): string[] {
  const texts = [written(old, random), written(fresh, random)] as const;
  const forward = diff(...texts, compare);
  const backward = diff(texts[1], texts[0], compare);
  assert.equal(forward.length === 0, backward.length === 0, "found one way and not the other");
  return forward.map(({ place }) => place).sort();
}

const mark = (leaf: Json): Json => `changed ${JSON.stringify(leaf)}`;

describe("differences injected into random documents", () => {
  test("exactly those are found, at their places", () => {
    fc.assert(
      fc.property(injected, ({ tree, places, random }) => {
        const fresh = places.reduce<Json>((now, place) => changed(now, place, mark), tree);
        assert.deepEqual(found(tree, fresh, random), places.map(spelled).sort());
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  test("changes at ignored places, and numbers within tolerance, are not", () => {
    fc.assert(
      fc.property(injected, ({ tree, leaves, places, random }) => {
        const others = leaves.filter((leaf) => !places.includes(leaf));
        const ignored = others.filter((_, at) => at % 3 === 0);
        const nudged = others.filter((_, at) => at % 3 === 1);
        let fresh = places.reduce<Json>((now, place) => changed(now, place, mark), tree);
        fresh = ignored.reduce<Json>((now, place) => changed(now, place, () => "anything"), fresh);
        fresh = nudged.reduce<Json>(
          (now, place) => changed(now, place, (leaf) => (typeof leaf === "number" ? leaf + 0.125 : leaf)),
          fresh,
        );
        const compare = {
          ignore: ignored.map(spelled),
          tolerance: [{ path: "$..*", absolute: 0.125, relative: null }],
        };
        assert.deepEqual(found(tree, fresh, random, compare), places.map(spelled).sort());
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  test("in shuffled arrays that are unordered, as many as were put there, and none where none was", () => {
    fc.assert(
      fc.property(injected, ({ tree, places, random }) => {
        const compare = {
          unordered: ["$..*"],
          tolerance: [{ path: "$..*", absolute: 0.125, relative: null }],
        };
        assert.deepEqual(found(tree, shuffledArrays(tree, random), random, compare), []);
        const fresh = places.reduce<Json>((now, place) => changed(now, place, mark), tree);
        const count = found(tree, shuffledArrays(fresh, random), random, compare).length;
        assert.equal(count === 0, places.length === 0);
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  test("one changed field in a shuffled list of items is found at that field", () => {
    const item = (at: number) => ({
      number: at,
      label: `label ${at}`,
      tags: [`t${at}`, "x"],
      ok: at % 2 === 0,
      price: at + 0.5,
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.uniqueArray(fc.nat(), { minLength: 0, maxLength: 5 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (size, picks, randoms) => {
          const random = (): number => randoms.next().value ?? 0;
          const tree: Json = { items: Array.from({ length: size }, (_, at) => item(at)) };
          const fields = ["number", "label", "ok", "price"];
          const places = [...new Set(picks.map((pick) => pick % size))].map((at) => [
            "items",
            at,
            fields[at % 4] ?? "",
          ]);
          const fresh = places.reduce<Json>((now, place) => changed(now, place, mark), tree);
          const compare = { unordered: ["$.items", "$.items[*].tags"] };
          assert.deepEqual(
            found(tree, shuffledArrays(fresh, random), random, compare),
            places.map(spelled).sort(),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test("values that no program expects neither throw nor hide a difference", () => {
    const odd = fc.constantFrom(
      "-0",
      "0",
      "1e400",
      "-1e400",
      "1e-400",
      '"\\ud800"',
      '"\\udc00a"',
      '""',
      "null",
      "[]",
      "{}",
      '{"__proto__":1}',
      '{"constructor":{"prototype":1}}',
      '{"toString":1,"toString":2}',
      "1E+2",
      "0.1e1",
    );
    const tolerance = [{ path: "$..*", absolute: 0, relative: 0 }];
    fc.assert(
      fc.property(odd, odd, ([...left], [...right]) => {
        const [old, fresh] = [left.join(""), right.join("")].map((value) => `{"v":[${value}]}`) as [
          string,
          string,
        ];
        const plain = diff(old, fresh).length;
        if (old === fresh) assert.equal(plain, 0);
        assert.equal(diff(fresh, old).length > 0, plain > 0);
        assert.equal(diff(old, fresh, { tolerance, unordered: ["$.v"] }).length > 0, plain > 0);
        const rules = {
          tolerance,
          rename: [{ old: "$.v", new: "$.w" }],
          ignore: ["$.x"],
          redact: { paths: ["$..y"], headers: [], query: [] },
        };
        assert.equal(diff(old, fresh.replace('"v"', '"w"'), rules).length > 0, plain > 0);
      }),
      { numRuns: 500 },
    );
  });
});
