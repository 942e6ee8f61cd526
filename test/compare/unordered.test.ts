import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { places } from "./trees.ts";

const unordered = (...paths: string[]) => ({ unordered: paths });

function shuffled<T>(items: readonly T[]): T[] {
  return items.map((_, at) => items[(at * 7919 + 13) % items.length] as T);
}

describe("unordered", () => {
  test("the same items in another order are the same; as often as they are there", () => {
    assert.deepEqual(places({ t: ["a", "b", "c"] }, { t: ["c", "a", "b"] }, unordered("$.t")), []);
    assert.deepEqual(places([{ a: 1 }, { b: [1, 2] }], [{ b: [1, 2] }, { a: 1 }], unordered("$")), []);
    assert.deepEqual(places(["a", "a", "b"], ["a", "b", "b"], unordered("$")), ["$[1] value"]);
    assert.deepEqual(places(["a", "a"], ["a"], unordered("$")), ["$[1] missing"]);
    assert.deepEqual(places(["a"], ["b", "a"], unordered("$")), ["$[0] added"]);
  });

  test("other arrays keep their order", () => {
    assert.deepEqual(
      places({ t: [1, 2], u: [[1, 2], [3]] }, { t: [2, 1], u: [[3], [2, 1]] }, unordered("$.u")),
      ["$.t order", "$.u[0] order"],
    );
  });

  test("unordered arrays in unordered arrays", () => {
    const rules = unordered("$.groups", "$.groups[*].members");
    const old = { groups: [{ members: [1, 2] }, { members: [3, 4, 5] }] };
    assert.deepEqual(places(old, { groups: [{ members: [5, 4, 3] }, { members: [2, 1] }] }, rules), []);
    assert.deepEqual(places(old, { groups: [{ members: [5, 4, 9] }, { members: [2, 1] }] }, rules), [
      "$.groups[1].members[0] value",
    ]);
  });

  const people = Array.from({ length: 40 }, (_, at) => ({
    id: at,
    name: `Person ${at}`,
    city: ["Bern", "Oslo", "Rome"][at % 3],
    active: true,
  }));

  test("one changed field of one item is one difference there, by id, by likeness, or by shape", () => {
    const changed = people.with(11, { ...people[11], city: "Lima" } as (typeof people)[number]);
    assert.deepEqual(places(people, shuffled(changed), unordered("$")), ["$[11].city value"]);
    // Without ids: who shares most.
    const nameless = (list: typeof people) => list.map(({ id, ...rest }) => ({ number: id, ...rest }));
    assert.deepEqual(places(nameless(people), nameless(shuffled(changed)), unordered("$")), [
      "$[11].city value",
    ]);
    // The naming member itself changed, in all of them.
    const renumbered = shuffled(people).map((person) => ({ ...person, id: `usr_${person.id}` }));
    const found = places(people, renumbered, unordered("$"));
    assert.equal(found.length, 40);
    assert.ok(found.every((place) => /^\$\[\d+\]\.id type$/.test(place)));
    assert.deepEqual(places([{ a: 1 }, { b: 1 }], [{ b: 2 }, { a: 2 }], unordered("$")), [
      "$[0].a value",
      "$[1].b value",
    ]);
  });

  test("what has nothing to do with each other is missing and added, not changed", () => {
    assert.deepEqual(places([{ a: 1 }, 1], [1, { b: 2, c: 3 }], unordered("$")), [
      "$[0] missing",
      "$[1] added",
    ]);
  });

  test("order nobody asked about may hide behind a filter on one side alone", () => {
    const rules = unordered("$.rows[?@.sorted == false].list");
    const old = {
      rows: [
        { sorted: false, list: [1, 2] },
        { sorted: true, list: [1, 2] },
      ],
    };
    const fresh = {
      rows: [
        { sorted: false, list: [2, 1] },
        { sorted: true, list: [2, 1] },
      ],
    };
    assert.deepEqual(places(old, fresh, rules), ["$.rows[1].list order"]);
  });

  test("items that were ignored are not counted, and the others keep their numbers", () => {
    const rules = { ...unordered("$"), ignore: ["$[?@.ad]"] };
    assert.deepEqual(places([{ ad: 1 }, { v: 1 }, { v: 2 }], [{ v: 3 }, { v: 1 }, { ad: 2 }], rules), [
      "$[2].v value",
    ]);
  });

  test("long numbers are told apart", () => {
    const old = '[{"n":12345678901234567890,"v":1},{"n":12345678901234567891,"v":1}]';
    assert.deepEqual(
      places(old, '[{"v":1,"n":12345678901234567891},{"n":12345678901234567890,"v":1}]', unordered("$")),
      [],
    );
    assert.deepEqual(
      places(old, '[{"v":1,"n":12345678901234567891},{"n":12345678901234567892,"v":1}]', unordered("$")),
      ["$[0].n value"],
    );
  });
});

describe("hostile unordered arrays cost bounded time", () => {
  function timed(old: unknown, fresh: unknown, paths: string[]): number {
    const startMs = performance.now();
    const found = places(old, fresh, { unordered: paths });
    const tookMs = performance.now() - startMs;
    // Generous: the machine may be busy. Quadratic time would take minutes.
    assert.ok(tookMs < 4000, `took ${tookMs} ms`);
    return found.length;
  }

  test("100,000 numbers in another order, one of them changed", () => {
    const list = Array.from({ length: 100_000 }, (_, at) => at);
    assert.equal(timed(list, shuffled(list.with(500, -1)), ["$"]), 1);
  });

  test("20,000 items that all differ and all share something", () => {
    const items = (v: string) =>
      Array.from({ length: 20_000 }, (_, at) => ({ at, v: `${v}${at}`, w: 1, x: at % 7 }));
    assert.equal(timed(items("a"), shuffled(items("b")), ["$"]), 100);
  });

  test("unordered arrays nested 400 deep, each with much beside the next", () => {
    const list = Array.from({ length: 100 }, (_, at) => at);
    const nested = (leaf: number): unknown => {
      let value: unknown = leaf;
      for (let depth = 0; depth < 400; depth++) value = [depth, list, value, [leaf]];
      return value;
    };
    assert.ok(timed(nested(1), nested(2), ["$..*", "$"]) > 0);
  });
});
