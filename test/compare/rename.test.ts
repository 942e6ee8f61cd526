import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { diffTrees } from "../../src/compare/tree.ts";
import { compileTreeRules } from "../../src/compare/tree-rules.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import { otherTree, places } from "./trees.ts";

function rename(...names: (readonly [old: string, fresh: string])[]) {
  return { rename: names.map(([old, fresh]) => ({ old, new: fresh })) };
}

describe("rename", () => {
  test("a member that goes by another name is the same member, and speaks new's name", () => {
    const rules = rename(["$.fullName", "$.name"]);
    assert.deepEqual(places({ fullName: "Ann", a: 1 }, { name: "Ann", a: 1 }, rules), []);
    assert.deepEqual(places({ fullName: "Ann" }, { name: "Bob" }, rules), ["$.name value"]);
    assert.deepEqual(places({ fullName: "Ann" }, {}, rules), ["$.name missing"]);
    assert.deepEqual(places({}, { name: "Ann" }, rules), ["$.name added"]);
  });

  test("in every item of a list, and in every item of its lists", () => {
    const one = rename(["$.users[*].fullName", "$.users[*].name"]);
    const old = { users: [{ fullName: "A" }, { fullName: "B" }, "odd", null] };
    assert.deepEqual(places(old, { users: [{ name: "A" }, { name: "C" }, "odd", null] }, one), [
      "$.users[1].name value",
    ]);
    const two = rename(["$[*].rows[*].a.b", "$[*].rows[*].c"]);
    assert.deepEqual(places([{ rows: [{ a: { b: 1 } }] }], [{ rows: [{ c: 1 }] }], two), []);
  });

  test("out of an object and into one; an object that held nothing else goes and comes with it", () => {
    const out = rename(["$.person.first", "$.first"], ["$.person.last", "$.last"]);
    const person = { person: { first: "A", last: "B" } };
    const flat = { first: "A", last: "B" };
    assert.deepEqual(places(person, flat, out), []);
    assert.deepEqual(places({ person: { first: "A", last: "B", age: 3 } }, flat, out), ["$.person missing"]);
    assert.deepEqual(places(person, { ...flat, person: {} }, out), []);
    const into = rename(["$.first", "$.person.first"], ["$.last", "$.person.last"]);
    assert.deepEqual(places(flat, person, into), []);
    assert.deepEqual(places(flat, { person: { first: "A", last: "B", age: 3 } }, into), [
      "$.person.age added",
    ]);
  });

  test("a value is wrapped and unwrapped", () => {
    assert.deepEqual(places({ a: 1 }, { a: { b: 1 } }, rename(["$.a", "$.a.b"])), []);
    assert.deepEqual(places({ a: { b: 1 } }, { a: 1 }, rename(["$.a.b", "$.a"])), []);
    assert.deepEqual(places({ a: { b: 1, c: 2 } }, { a: 1 }, rename(["$.a.b", "$.a"])), ["$.a type"]);
  });

  test("names change places, and follow each other, all at once", () => {
    const swap = rename(["$.a", "$.b"], ["$.b", "$.a"]);
    assert.deepEqual(places({ a: 1, b: 2 }, { a: 2, b: 1 }, swap), []);
    assert.deepEqual(places({ a: 1, b: 2 }, { b: 1, c: 2 }, rename(["$.a", "$.b"], ["$.b", "$.c"])), []);
  });

  test("where both names exist in old nothing is dropped: both are compared as they stand", () => {
    const rules = rename(["$.a", "$.b"]);
    assert.deepEqual(places({ a: 1, b: 2 }, { b: 1 }, rules), ["$.b value", "$.a missing"]);
    assert.deepEqual(places({ a: 1, b: 2 }, { a: 1, b: 2 }, rules), []);
    // One that cannot go keeps its place from the one that would take it.
    const chain = rename(["$.a", "$.b"], ["$.b", "$.c"]);
    assert.deepEqual(places({ a: 1, b: 2, c: 3 }, { a: 1, b: 2, c: 3 }, chain), []);
  });

  test("a way through a value without members is no way", () => {
    assert.deepEqual(places({ a: 1, p: "text" }, { p: "text" }, rename(["$.a", "$.p.a"])), ["$.a missing"]);
    assert.deepEqual(places({ a: 1, p: [] }, { p: [] }, rename(["$.a", "$.p[0].a"])), ["$.a missing"]);
  });

  test("new keeps a member of old's name: it is one more", () => {
    assert.deepEqual(places({ a: 1 }, { a: 1, b: 1 }, rename(["$.a", "$.b"])), ["$.a added"]);
  });

  test("the paths of the other rules speak new's names", () => {
    const rules = {
      ...rename(["$.sum", "$.total"], ["$.keys", "$.tags"], ["$.at", "$.time"]),
      ignore: ["$.time"],
      unordered: ["$.tags"],
      tolerance: [{ path: "$.total", absolute: 0.5, relative: null }],
    };
    const old = { sum: 1, keys: [1, 2], at: "x" };
    assert.deepEqual(places(old, { total: 1.5, tags: [2, 1], time: "y" }, rules), []);
    assert.deepEqual(places(old, { total: 1.6, tags: [2, 3], time: "y" }, rules), [
      "$.total value",
      "$.tags[0] value",
    ]);
  });

  test("long numbers move with all their digits, and filters still find them", () => {
    const rules = { ...rename(["$.a", "$.b"]), ignore: ["$[?@ == 5]"] };
    const old = '{"a":12345678901234567890,"c":5}';
    assert.deepEqual(places(old, '{"b":12345678901234567890,"d":5}', rules), []);
    assert.deepEqual(places(old, '{"b":12345678901234567891}', rules), ["$.b value"]);
  });

  test("names that JavaScript gives a meaning to", () => {
    const rules = rename(["$['__proto__']", "$.constructor"], ["$.toString", "$['__proto__']"]);
    const old = '{"__proto__":{"a":1},"toString":2}';
    assert.deepEqual(places(old, '{"constructor":{"a":1},"__proto__":2}', rules), []);
    assert.equal(({} as { readonly a?: number }).a, undefined);
  });

  test("a tree that is no JSON is left as it was", () => {
    const value = { fullName: "Ann", seen: 1, list: [1, 2] };
    const compare = {
      ...DEFAULT_COMPARE,
      ...rename(["$.fullName", "$.name"]),
      ignore: ["$.seen", "$.list[0]"],
    };
    const rules = compileTreeRules(compare);
    const fresh = { name: "Ann", seen: 2, list: [7, 2] };
    assert.deepEqual(diffTrees(otherTree(value), otherTree(fresh), rules), []);
    assert.deepEqual(value, { fullName: "Ann", seen: 1, list: [1, 2] });
    assert.deepEqual(fresh, { name: "Ann", seen: 2, list: [7, 2] });
  });

  test("what cannot be is an error that names it", () => {
    const compile = (old: string, fresh: string) => () =>
      compileTreeRules({ ...DEFAULT_COMPARE, rename: [{ old, new: fresh }] });
    assert.throws(compile("$.a", "$..b"), /rename: "\$\.a" cannot become "\$\.\.b": .*write names alone/);
    assert.throws(compile("$.a[*].b", "$.c[*].b"), /up to the last \[\*\] both are the same/);
  });
});
