import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { compileCompare } from "../../src/compare/compare.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import type { Compare } from "../../src/model/ruleset.ts";
import { answer, compared, comparedBodies, factsOf, pairOf, placesOf } from "./pairs.ts";

const BYTES = { type: "application/octet-stream" };

describe("status and headers", () => {
  test("a different status is a mismatch that names both", () => {
    const comparison = compared(pairOf(answer("{}"), answer("{}", { status: 500 })));
    assert.deepEqual(comparison, {
      kind: "mismatch",
      differences: [
        { place: "status", template: "status", kind: "status", old: "200", new: "500", relation: null },
      ],
    });
  });

  test("a status that the route does not compare is no difference", () => {
    const pair = pairOf(answer("{}"), answer("{}", { status: 201 }), { status: null });
    assert.deepEqual(compared(pair), { kind: "match" });
  });

  const statuses = (old: number, fresh: number, status: Compare["status"]) =>
    compared(pairOf(answer("{}", { status: old }), answer("{}", { status: fresh }), { status })).kind;

  test("by class, statuses of one class are the same and others are not", () => {
    const rule = { by: "class", equal: [] } as const;
    assert.equal(statuses(200, 204, rule), "match");
    assert.equal(statuses(200, 301, rule), "mismatch");
    assert.equal(statuses(404, 410, rule), "match");
    assert.equal(statuses(499, 500, rule), "mismatch");
  });

  test("statuses declared equal are equal, from old to new and not the other way round", () => {
    const exact = { by: "exact", equal: [{ old: "200", new: "201" }] } as const;
    assert.equal(statuses(200, 201, exact), "match");
    assert.equal(statuses(201, 200, exact), "mismatch");
    assert.equal(statuses(200, 202, exact), "mismatch");
    const classes = { by: "exact", equal: [{ old: "4xx", new: "404" }] } as const;
    assert.equal(statuses(410, 404, classes), "match");
    assert.equal(statuses(500, 404, classes), "mismatch");
    assert.equal(statuses(404, 410, classes), "mismatch");
    const both = { by: "exact", equal: [{ old: "5XX", new: "5xx" }] } as const;
    assert.equal(statuses(500, 503, both), "match");
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
      differences: [
        {
          place: "header:x-a",
          template: "header:x-a",
          kind: "header",
          old: "",
          new: null,
          relation: null,
        },
      ],
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

test("what nobody may see is found and not shown: headers by name, query parameters in links", () => {
  const redact = { paths: [], headers: ["x-user"], query: ["token"] };
  const old = answer("{}", { headers: ["x-user", "ann", "location", "/a?token=hunter2&b=1"] });
  const fresh = answer("{}", { headers: ["x-user", "bob", "location", "/a?token=hunter2&b=2"] });
  const comparison = compared(pairOf(old, fresh, { headers: ["x-user", "location"], redact }));
  assert.deepEqual(factsOf(comparison), [
    { place: "header:x-user", kind: "header", old: "[redacted]", new: "[redacted]" },
    {
      place: "header:location",
      kind: "header",
      old: "/a?token=[redacted]&b=1",
      new: "/a?token=[redacted]&b=2",
    },
  ]);
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

  test("bytes are compared as bytes and shown by size, hash and place", () => {
    assert.deepEqual(factsOf(comparedBodies(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 9), BYTES)), [
      {
        place: "body",
        kind: "body",
        old: "3 bytes, sha256 039058c6…, first unlike byte at 1",
        new: "2 bytes, sha256 ac9e61d5…, first unlike byte at 1",
      },
    ]);
    const long = factsOf(comparedBodies(Buffer.alloc(12_345, 1), Buffer.alloc(12_345, 2), BYTES));
    assert.match(long[0]?.old ?? "", /^12,345 bytes, sha256 [0-9a-f]{8}…, first unlike byte at 0$/);
  });

  test("no body and no body is a match; no body beside one is a difference, whatever the kind", () => {
    for (const type of ["application/json", "text/plain", "text/html", "text/xml", "image/png", null]) {
      assert.equal(comparedBodies("", "", { type }).kind, "match");
      const lost = comparedBodies("<a>1</a>", "", { type });
      assert.deepEqual(placesOf(lost), ["body body"], String(type));
      assert.match(factsOf(lost)[0]?.new ?? "", /^\(empty\)/);
      assert.deepEqual(placesOf(comparedBodies("", "<a>1</a>", { type })), ["body body"], String(type));
    }
  });

  test("without a content type: JSON when both parse, else text, else bytes", () => {
    const untyped = { type: null };
    assert.equal(comparedBodies('{"a":1,"b":2}', '{"b":2,"a":1}', untyped).kind, "match");
    assert.deepEqual(placesOf(comparedBodies('{"a":1}', "<html>", untyped)), ["line[1] value"]);
    assert.deepEqual(placesOf(comparedBodies("a\0b", "a\0c", untyped)), ["body body"]);
    assert.deepEqual(placesOf(comparedBodies(Uint8Array.of(0xff), "c", untyped)), ["body body"]);
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
    assert.deepEqual(factsOf(comparison), [
      { place: "$", kind: "type", old: '{"a":1}', new: "not JSON: Internal Server Error" },
    ]);
  });

  test("JSON beside text is compared as JSON where both parse", () => {
    const pair = pairOf(answer('{"a":1,"b":2}'), answer('{"b":2,"a":1}', { type: "text/plain" }), {
      headers: [],
    });
    assert.equal(compared(pair).kind, "match");
  });

  test("JSON that parses on neither side is compared as text", () => {
    assert.deepEqual(placesOf(comparedBodies("{oops", "{ooops")), ["line[1] value"]);
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
    assert.deepEqual(factsOf(comparison), [
      { place: "$.gone", kind: "missing", old: "[1]", new: null },
      { place: "$.deep.list[1].x", kind: "value", old: "2", new: "3" },
      { place: "$.deep.n", kind: "type", old: "null", new: "false" },
      { place: "$.t", kind: "type", old: "1", new: '"1"' },
      { place: "$.more", kind: "added", old: null, new: '{"a":"é"}' },
    ]);
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
  const compare = { ...DEFAULT_COMPARE, ignore: ["updatedAt"] };
  assert.throws(() => compileCompare(compare), /ignore: "updatedAt" is not a JSONPath.*\$\.updatedAt/);
});
