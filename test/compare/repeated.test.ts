import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";

import { countMembers, withoutRepeats } from "../../src/compare/repeated.ts";
import { diff, places } from "./trees.ts";

describe("a name that stands twice in an object", () => {
  test("hides nothing: clients that keep the first see what they see", () => {
    assert.deepEqual(diff('{"a":1,"a":2}', '{"a":2}'), [
      { place: "$.a", template: "$.a", kind: "value", old: "1", new: "2", relation: "repeated name" },
    ]);
    assert.deepEqual(places('{"a":2}', '{"a":1,"a":2}'), ["$.a value"]);
    assert.deepEqual(places('{"a":{"b":1},"a":2}', '{"a":2}'), ["$.a type"]);
    assert.deepEqual(places('[{"x":{"b":1,"c":0,"b":2}}]', '[{"x":{"b":2,"c":0}}]'), ["$[0].x.b value"]);
  });

  test("is no difference where every reading is the same on both sides", () => {
    assert.deepEqual(places('{"a":1,"a":2}', '{ "a" : 1, "a" : 2 }'), []);
    assert.deepEqual(places('{"a":2,"a":2}', '{"a":2}'), []);
  });

  test("adds to what the usual reading finds, each place once", () => {
    assert.deepEqual(places('{"a":1,"a":2,"b":1}', '{"a":3,"b":2}'), ["$.a value", "$.b value"]);
    assert.deepEqual(places('{"a":1,"a":2,"b":1}', '{"a":2,"b":2}'), ["$.b value", "$.a value"]);
  });

  test("is subject to the rules like any other", () => {
    assert.deepEqual(places('{"a":1,"a":2}', '{"a":2}', { ignore: ["$.a"] }), []);
    const tolerance = [{ path: "$.a", absolute: 1, relative: null }];
    assert.deepEqual(places('{"a":1,"a":2}', '{"a":2}', { tolerance }), []);
    assert.deepEqual(places('{"a":12345678901234567891,"a":2}', '{"a":2}'), ["$.a value"]);
  });

  test("written in two ways is one name", () => {
    assert.deepEqual(places('{"a":1,"\\u0061":2}', '{"a":2}'), ["$.a value"]);
    assert.deepEqual(places('{"__proto__":1,"__proto__":2}', '{"__proto__":2}'), ["$.__proto__ value"]);
  });

  test("colons and quotes in texts are no members", () => {
    assert.deepEqual(places('{"a":"b:\\"c:d"}', '{ "a":"b:\\"c:d"}'), []);
  });
});

describe("withoutRepeats", () => {
  test("leaves every text without repeats as it is, and takes out every second member", () => {
    const text = fc.json({ maxDepth: 4 });
    fc.assert(
      fc.property(text, (json) => {
        assert.equal(withoutRepeats(json), json);
        const doubled = JSON.stringify({ list: [JSON.parse(json)] }).replace(
          /\]\}$/,
          () => `],"list":${json},"list":0}`,
        );
        assert.deepEqual(JSON.parse(withoutRepeats(doubled)), { list: [JSON.parse(json)] });
      }),
    );
  });

  test("as many members as were counted are left", () => {
    assert.equal(countMembers({ a: { b: 1, c: [{ d: 1 }] }, e: null }), 5);
    assert.equal(countMembers("a"), 0);
  });
});
