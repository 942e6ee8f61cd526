import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { atBoundedCost } from "../support/cost.ts";
import { comparedBodies } from "./pairs.ts";
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

describe("items that changed in several places", () => {
  test("belong to whom they share most with, also deep in them", () => {
    const item = (at: number) => ({
      kind: "person",
      profile: {
        first: `First ${at}`,
        last: `Last ${at}`,
        address: { street: `Street ${at}`, zip: 1000 + at },
      },
      tags: ["a", "b"],
      seen: at,
    });
    const old = Array.from({ length: 30 }, (_, at) => item(at));
    const fresh = old.map((each, at) => ({
      ...each,
      seen: 100 + at,
      profile: { ...each.profile, first: `F${at}`, address: { ...each.profile.address, zip: 9 } },
      tags: ["a", `t${at}`],
    }));
    const found = places(old, shuffled(fresh), unordered("$"));
    assert.equal(found.length, 100);
    for (const place of found) assert.match(place, /\.(seen|first|zip|tags\[1\]) value$/);
  });

  test("with wide and deep items in bounded time", () => {
    const item = (at: number, salt: number) => ({
      wide: Object.fromEntries(Array.from({ length: 500 }, (_, key) => [`k${key}`, at * key + salt])),
      deep: Array.from({ length: 200 }, (_, key) => [[key, at, salt]]),
    });
    const list = (salt: number) => Array.from({ length: 100 }, (_, at) => item(at, salt));
    assert.ok(atBoundedCost(() => places(list(1), shuffled(list(2)), unordered("$"))).length > 0);
  });
});

describe("hostile unordered arrays cost bounded time", () => {
  function differences(old: unknown, fresh: unknown, paths: string[]): number {
    return atBoundedCost(() => places(old, fresh, { unordered: paths })).length;
  }

  test("100,000 numbers in another order, one of them changed", () => {
    const list = Array.from({ length: 100_000 }, (_, at) => at);
    assert.equal(differences(list, shuffled(list.with(500, -1)), ["$"]), 1);
  });

  test("20,000 items that all differ and all share something", () => {
    const items = (v: string) =>
      Array.from({ length: 20_000 }, (_, at) => ({ at, v: `${v}${at}`, w: 1, x: at % 7 }));
    assert.equal(differences(items("a"), shuffled(items("b")), ["$"]), 100);
  });

  test("unordered arrays nested 400 deep, each with much beside the next", () => {
    const list = Array.from({ length: 100 }, (_, at) => at);
    const nested = (leaf: number): unknown => {
      let value: unknown = leaf;
      for (let depth = 0; depth < 400; depth++) value = [depth, list, value, [leaf]];
      return value;
    };
    assert.ok(differences(nested(1), nested(2), ["$..*", "$"]) > 0);
  });

  test("nests of arrays within tolerance that would take minutes are refused, not guessed", () => {
    const nest = (depth: number, leaf: number): unknown =>
      depth === 0 ? [leaf, leaf + 1] : [nest(depth - 1, leaf), nest(depth - 1, leaf + 0.1)];
    const rules = { unordered: ["$", "$..*"], tolerance: [{ path: "$..*", absolute: 0.5, relative: null }] };
    assert.deepEqual(places(nest(12, 1), nest(12, 1.3), rules), []);
    const [old, fresh] = [nest(13, 1), nest(13, 1.9)].map((body) => JSON.stringify(body));
    assert.deepEqual(comparedBodies(old ?? "", fresh ?? "", { compare: rules }), {
      kind: "uncompared",
      why: "too_large",
    });
    assert.throws(() => places(nest(12, 1), nest(12, 1.9), rules), /take too long to compare/);
  });

  test("long vectors that are almost within tolerance of each other are found, or refused in time", () => {
    const rules = { unordered: ["$"], tolerance: [{ path: "$..*", absolute: 0.5, relative: null }] };
    const vectors = (number: (at: number, column: number) => number): number[][] =>
      Array.from({ length: 200 }, (_, at) => Array.from({ length: 1000 }, (_, column) => number(at, column)));
    const old = vectors((at, column) => ((at * 7919 + column * 104729) % 9973) / 16);
    const near = old.map((vector) => vector.map((number) => number + 0.25));
    assert.deepEqual(places(old, shuffled(near), rules), []);
    const alike = (last: number) =>
      vectors((at, column) => (column === 999 ? at * 2 + last : column + (column === 0 ? (at % 7) / 16 : 0)));
    assert.equal(atBoundedCost(() => places(alike(0), alike(0.75), rules)).length, 100);
    // Each differs from all others, at a place of its own behind all that they share.
    const spiked = (spike: number, rest: number) =>
      JSON.stringify(
        vectors((at, column) => (column === 999 - at * 2 ? spike : column === 0 ? (at % 7) / 16 : rest)),
      );
    const found = atBoundedCost(() => comparedBodies(spiked(7, 1), spiked(9, 1.25), { compare: rules }));
    assert.notEqual(found.kind, "match");
  });
});
