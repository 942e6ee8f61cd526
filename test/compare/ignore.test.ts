import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { comparedBodies, placesOf } from "./pairs.ts";

function places(oldBody: unknown, newBody: unknown, ...ignore: string[]): string[] | string {
  return placesOf(comparedBodies(JSON.stringify(oldBody), JSON.stringify(newBody), { compare: { ignore } }));
}

describe("ignore", () => {
  test("an ignored place is no difference, changed, missing or added", () => {
    assert.equal(places({ id: 1, at: "x" }, { id: 1, at: "y" }, "$.at"), "match");
    assert.equal(places({ id: 1, at: "x" }, { id: 1 }, "$.at"), "match");
    assert.equal(places({ id: 1 }, { id: 1, at: "y" }, "$.at"), "match");
    assert.deepEqual(places({ id: 1, at: "x" }, { id: 2, at: "y" }, "$.at"), ["$.id value"]);
  });

  test("names at any depth, wildcards, indexes, quoted names", () => {
    const old = { etag: 1, list: [{ etag: 2, v: 1, "a b": 1 }], last: [1, 2, 3] };
    const next = { etag: 3, list: [{ etag: 4, v: 1, "a b": 2 }], last: [1, 2, 4] };
    assert.equal(places(old, next, "$..etag", "$.list[*]['a b']", "$.last[-1]"), "match");
    assert.deepEqual(places(old, next, "$.list[0].etag", "$..['a b']", "$['last'][2]"), ["$.etag value"]);
    assert.equal(places(old, next, "$..*"), "match");
    assert.equal(places(old, next, "$"), "match");
  });

  test("filters, slices and unions work as RFC 9535 has them", () => {
    const old = {
      rows: [
        { kind: "ad", x: 1 },
        { kind: "row", x: 1 },
      ],
      list: [1, 2, 3],
    };
    const next = {
      rows: [
        { kind: "ad", x: 2 },
        { kind: "row", x: 1 },
      ],
      list: [9, 8, 3],
    };
    assert.equal(places(old, next, "$.rows[?@.kind == 'ad']", "$.list[0:2]"), "match");
    assert.equal(places(old, next, "$.rows[?match(@.kind, 'a.')].x", "$.list[0,1]"), "match");
    assert.deepEqual(places(old, next, "$.rows[?@.kind == 'row']", "$.list[0:2]"), ["$.rows[0].x value"]);
    assert.equal(places({ "a\n'b\\": [{ z: 1 }] }, { "a\n'b\\": [{ z: 2 }] }, "$.*[?@.z]"), "match");
  });

  test("places go on counting the items that were ignored", () => {
    assert.deepEqual(places(["skip", 1, 2], ["other", 1, 3], "$[0]"), ["$[2] value"]);
    assert.deepEqual(places(["skip", 1], ["other", 1, 3], "$[0]"), ["$[2] added"]);
    assert.equal(places(["skip", 1, 2], ["other", 1, 3], "$[0]", "$[2]"), "match");
  });

  test("every path names the answer as it was, whatever the others remove", () => {
    assert.deepEqual(places([1, 2, 3], [9, 2, 8], "$[0]", "$[1]"), ["$[2] value"]);
    assert.equal(places({ a: { b: { c: 1 } } }, { a: { b: { c: 2 } } }, "$.a.b", "$.a.b.c"), "match");
  });

  test("a path that matches nothing changes nothing", () => {
    assert.deepEqual(places({ a: 1 }, { a: 2 }, "$.b", "$.a.c", "$[0]", "$.a[?@.x]"), ["$.a value"]);
  });

  test("ignored paths concern JSON alone", () => {
    const options = { type: "text/plain", compare: { ignore: ["$.a"] } };
    assert.equal(comparedBodies('{"a":1}', '{"a":2}', options).kind, "mismatch");
  });
});
