import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { compileCompare } from "../../src/compare/compare.ts";
import { answer, compared, comparedBodies, pairOf, placesOf } from "./pairs.ts";

const BYTES = { type: "application/octet-stream" };

describe("status and headers", () => {
  test("a different status is a mismatch that names both", () => {
    const comparison = compared(pairOf(answer("{}"), answer("{}", { status: 500 })));
    assert.deepEqual(comparison, {
      kind: "mismatch",
      differences: [{ place: "status", kind: "status", old: "200", new: "500" }],
    });
  });

  test("a status that the route does not compare is no difference", () => {
    const pair = pairOf(answer("{}"), answer("{}", { status: 201 }), { status: false });
    assert.deepEqual(compared(pair), { kind: "match" });
  });

  test("only chosen headers are compared, whatever the case of their names", () => {
    const old = answer("{}", { headers: ["ETag", "1", "CACHE-CONTROL", "no-store"] });
    const next = answer("{}", { headers: ["etag", "2", "cache-control", "no-store"] });
    assert.equal(compared(pairOf(old, next, { headers: ["cache-control"] })).kind, "match");
    assert.deepEqual(placesOf(compared(pairOf(old, next, { headers: ["etag"] }))), ["header:etag header"]);
  });

  test("repeats of a header are joined in order", () => {
    const old = answer("{}", { headers: ["vary", "a", "vary", "b"] });
    const joined = answer("{}", { headers: ["vary", "a, b"] });
    const swapped = answer("{}", { headers: ["vary", "b", "vary", "a"] });
    assert.equal(compared(pairOf(old, joined, { headers: ["vary"] })).kind, "match");
    assert.equal(compared(pairOf(old, swapped, { headers: ["vary"] })).kind, "mismatch");
  });

  test("a header that one answer lacks is null on that side", () => {
    const pair = pairOf(answer("{}", { headers: ["x-a", ""] }), answer("{}"), { headers: ["x-a"] });
    assert.deepEqual(compared(pair), {
      kind: "mismatch",
      differences: [{ place: "header:x-a", kind: "header", old: "", new: null }],
    });
  });

  test("content types that mean the same are the same", () => {
    const spellings = [
      "application/json;charset=utf-8;v=1",
      'Application/JSON ; v=1; Charset="UTF-8"',
      "application/json; v=1; charset=UTF-8",
    ];
    for (const type of spellings) {
      const pair = pairOf(answer("{}", { type: spellings[0] ?? "" }), answer("{}", { type }));
      assert.equal(compared(pair).kind, "match", type);
    }
    const pair = pairOf(
      answer("{}", { type: "application/json; v=1" }),
      answer("{}", { type: "application/json; v=2" }),
    );
    assert.deepEqual(placesOf(compared(pair)), ["header:content-type header"]);
  });

  test("the value of a header that holds credentials is never shown", () => {
    const pair = pairOf(
      answer("{}", { headers: ["set-cookie", "sid=hunter2"] }),
      answer("{}", { headers: ["set-cookie", "sid=hunter3"] }),
      { headers: ["set-cookie"] },
    );
    const comparison = compared(pair);
    assert.equal(comparison.kind, "mismatch");
    assert.ok(!JSON.stringify(comparison).includes("hunter"));
  });
});

describe("which way a body is compared", () => {
  test("JSON in another order of keys and other spacing is a match", () => {
    assert.equal(
      comparedBodies('{"a":1,"b":[1,{"c":2,"d":3}]}', '{ "b": [1,{"d":3,"c":2}],\n"a":1 }').kind,
      "match",
    );
  });

  test("+json types are JSON; charset and case do not matter", () => {
    for (const type of ["application/problem+json", "Application/JSON; charset=utf-8", "text/json"]) {
      assert.equal(comparedBodies('{"a":1,"b":2}', '{"b":2,"a":1}', { type }).kind, "match", type);
    }
  });

  test("text is compared as text, and the excerpt begins near the first difference", () => {
    const long = "x".repeat(500);
    const comparison = comparedBodies(`${long}old tail`, `${long}new tail`, { type: "text/plain" });
    assert.deepEqual(comparison, {
      kind: "mismatch",
      differences: [
        { place: "body", kind: "body", old: `…${"x".repeat(20)}old tail`, new: `…${"x".repeat(20)}new tail` },
      ],
    });
    for (const type of [
      "text/html",
      "application/xml",
      "image/svg+xml",
      "application/x-www-form-urlencoded",
    ]) {
      assert.equal(comparedBodies('{"a":1,"b":2}', '{"b":2,"a":1}', { type }).kind, "mismatch", type);
    }
  });

  test("bytes are compared as bytes and shown by size and place", () => {
    const comparison = comparedBodies(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 9), BYTES);
    assert.deepEqual(comparison, {
      kind: "mismatch",
      differences: [
        { place: "body", kind: "body", old: "3 bytes, from byte 1: 0203", new: "2 bytes, from byte 1: 09" },
      ],
    });
  });

  test("without a content type: JSON when both parse, else bytes", () => {
    assert.equal(comparedBodies('{"a":1,"b":2}', '{"b":2,"a":1}', { type: null }).kind, "match");
    const comparison = comparedBodies('{"a":1}', "<html>", { type: null });
    assert.deepEqual(placesOf(comparison), ["body body"]);
  });

  test("json forces JSON on any type, text and bytes force theirs, off looks at nothing", () => {
    const shuffled = ['{"a":1,"b":2}', '{"b":2,"a":1}'] as const;
    assert.equal(comparedBodies(...shuffled, { ...BYTES, compare: { body: "json" } }).kind, "match");
    assert.equal(comparedBodies(...shuffled, { compare: { body: "text" } }).kind, "mismatch");
    assert.equal(comparedBodies(...shuffled, { compare: { body: "bytes" } }).kind, "mismatch");
    assert.equal(comparedBodies("[1]", "[2]", { compare: { body: "off" } }).kind, "match");
  });

  test("JSON on one side alone is a difference of type at $", () => {
    const comparison = comparedBodies('{"a":1}', "Internal Server Error");
    assert.deepEqual(comparison, {
      kind: "mismatch",
      differences: [{ place: "$", kind: "type", old: '{"a":1}', new: "not JSON: Internal Server Error" }],
    });
    assert.deepEqual(placesOf(comparedBodies('{"a":1}', "")), ["$ type"]);
  });

  test("JSON beside text is compared as JSON where both parse", () => {
    const pair = pairOf(answer('{"a":1,"b":2}'), answer('{"b":2,"a":1}', { type: "text/plain" }), {
      headers: [],
    });
    assert.equal(compared(pair).kind, "match");
  });

  test("JSON that parses on neither side is compared as text", () => {
    assert.deepEqual(placesOf(comparedBodies("{oops", "{ooops")), ["body body"]);
    assert.equal(comparedBodies("{oops", "{oops").kind, "match");
  });

  test("the answer to HEAD has no body to compare", () => {
    const pair = pairOf(answer("x"), answer("y"), {}, { method: "HEAD" });
    assert.equal(compared(pair).kind, "match");
  });

  test("204 and 304 are compared by status and headers", () => {
    for (const status of [204, 304]) {
      const old = answer("", { status, headers: ["etag", "1"], encoding: "gzip" });
      assert.equal(compared(pairOf(old, answer("", { status }))).kind, "match");
      assert.equal(compared(pairOf(old, answer("", { status }), { headers: ["etag"] })).kind, "mismatch");
    }
  });
});

describe("what the difference of JSON looks like", () => {
  test("missing, added, type and value, each at its place", () => {
    const comparison = comparedBodies(
      '{"gone":[1],"same":true,"deep":{"list":[{"x":1},{"x":2}],"n":null},"t":1}',
      '{"same":true,"deep":{"list":[{"x":1},{"x":3}],"n":false},"t":"1","more":{"a":"é"}}',
    );
    assert.deepEqual(comparison, {
      kind: "mismatch",
      differences: [
        { place: "$.gone", kind: "missing", old: "[1]", new: null },
        { place: "$.deep.list[1].x", kind: "value", old: "2", new: "3" },
        { place: "$.deep.n", kind: "type", old: "null", new: "false" },
        { place: "$.t", kind: "type", old: "1", new: '"1"' },
        { place: "$.more", kind: "added", old: null, new: '{"a":"é"}' },
      ],
    });
  });

  test("null and absent are different things", () => {
    assert.deepEqual(placesOf(comparedBodies('{"a":null}', "{}")), ["$.a missing"]);
  });

  test("names that are not identifiers are quoted, and what cannot be seen is escaped", () => {
    const names = ["a b", "it's", "back\\slash", "line\nbreak", "\u202etxt", "", "é", "😀", "0"];
    const places = names.flatMap((name) => placesOf(comparedBodies(JSON.stringify({ [name]: 1 }), "{}")));
    assert.deepEqual(places, [
      "$['a b'] missing",
      "$['it\\'s'] missing",
      "$['back\\\\slash'] missing",
      "$['line\\u000abreak'] missing",
      "$['\\u202etxt'] missing",
      "$[''] missing",
      "$['é'] missing",
      "$['😀'] missing",
      "$['0'] missing",
    ]);
    // Every place is a JSONPath that names just that member: as an ignore it hides the difference.
    for (const [at, name] of names.entries()) {
      const place = String(places[at]).replace(/ missing$/, "");
      const options = { compare: { ignore: [place] } };
      assert.equal(comparedBodies(JSON.stringify({ [name]: 1 }), "{}", options).kind, "match", place);
    }
  });

  test("at most 100 differences of at most 200 characters, at places of at most 1,000", () => {
    const wide = (value: string) =>
      JSON.stringify(Array.from({ length: 500 }, (_, at) => `${value}${at}`.repeat(99)));
    const comparison = comparedBodies(wide("old"), wide("new"));
    assert.equal(comparison.kind === "mismatch" && comparison.differences.length, 100);
    const long = comparedBodies(JSON.stringify({ ["k".repeat(9999)]: "v".repeat(9999) }), "{}");
    const difference = long.kind === "mismatch" ? long.differences[0] : undefined;
    assert.equal(difference?.old?.length, 200);
    assert.ok((difference?.place.length ?? 0) <= 1000);
  });

  test("equal text in another normal form of Unicode is another text", () => {
    assert.equal(comparedBodies('["é"]', '["\\u00e9"]').kind, "match");
    assert.equal(comparedBodies('["\u00e9"]', '["e\u0301"]').kind, "mismatch");
    assert.equal(comparedBodies('["\\ud83d\\ude00"]', '["😀"]').kind, "match");
    assert.equal(comparedBodies('["\\ud83d"]', '["\\ud83e"]').kind, "mismatch");
  });
});

describe("names that JavaScript gives a meaning to", () => {
  for (const name of ["__proto__", "constructor", "toString", "toJSON", "hasOwnProperty", "length", "_t"]) {
    test(`a member named ${name} is a member like any other`, () => {
      const withName = (json: string) => `{"${name}":${json}}`;
      assert.equal(comparedBodies(withName('{"a":1}'), ` ${withName('{"a":1}')}`).kind, "match");
      assert.deepEqual(placesOf(comparedBodies(withName('{"a":1}'), withName('{"a":2}'))), [
        `$.${name}.a value`,
      ]);
      assert.deepEqual(placesOf(comparedBodies(withName("1"), "{}")), [`$.${name} missing`]);
      assert.deepEqual(placesOf(comparedBodies("{}", withName("1"))), [`$.${name} added`]);
      assert.deepEqual(placesOf(comparedBodies(`[${withName("1")},0]`, `[9,${withName("1")},0]`)), [
        "$[0] added",
      ]);
      const options = { compare: { ignore: [`$.${name}`] } };
      assert.equal(comparedBodies(withName("1"), "{}", options).kind, "match");
      assert.equal(Object.getPrototypeOf({}), Object.prototype);
      assert.equal(({} as Record<string, unknown>).a, undefined);
    });
  }
});

test("a path that is not a JSONPath is refused with its text and what to write", () => {
  const compare = { status: true, headers: [], body: "auto", ignore: ["updatedAt"] } as const;
  assert.throws(
    () => compileCompare(compare),
    /ignore: "updatedAt" is not a JSONPath \(write e\.g\. "\$\.updatedAt"\)/,
  );
});
