import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";

import { commonKind, kindOfType } from "../../src/compare/kinds.ts";
import { readAs } from "../../src/compare/readers.ts";
import type { Compare } from "../../src/model/ruleset.ts";
import { atBoundedCost } from "../support/cost.ts";
import { answer, compared, comparedBodies, factsOf, pairOf, placesOf } from "./pairs.ts";

function readValue(kind: "ndjson" | "form" | "events", text: string): unknown {
  const reading = readAs(kind, text);
  return reading.kind === "tree" ? reading.tree.value : reading;
}

describe("kinds", () => {
  test("are known by their media types", () => {
    const kinds = {
      "": "unknown",
      "application/json": "json",
      "application/problem+json": "json",
      "text/json": "json",
      "application/x-ndjson": "ndjson",
      "application/jsonl": "ndjson",
      "application/json-seq": "ndjson",
      "application/x-www-form-urlencoded": "form",
      "application/atom+xml": "xml",
      "image/svg+xml": "xml",
      "text/xml": "xml",
      "application/xhtml+xml": "html",
      "text/html": "html",
      "text/event-stream": "events",
      "text/csv": "text",
      "application/yaml": "text",
      "image/png": "bytes",
      constructor: "bytes",
    };
    for (const [type, kind] of Object.entries(kinds)) assert.equal(kindOfType(type), kind, type);
  });

  test("of two types the one that says more counts, and the rules count more than both", () => {
    assert.equal(commonKind("auto", "unknown", "xml"), "xml");
    assert.equal(commonKind("auto", "html", "json"), "json");
    assert.equal(commonKind("auto", "text", "html"), "html");
    assert.equal(commonKind("auto", "text", "bytes"), "bytes");
    assert.equal(commonKind("form", "json", "bytes"), "form");
  });

  const FORCED = [
    ["json", '{"a":1,"b":2}', '{"b":2,"a":1}'],
    ["ndjson", '{"a":1,"b":2}\n', '{"b":2,"a":1}'],
    ["form", "a=1&b=2", "b=2&a=1"],
    ["xml", "<a x='1' y='2'/>", "<a y='2' x='1'></a>"],
    ["html", "<p>x", "<p> x </p>"],
    ["events", "data: 1\n\n", ": hi\ndata:1\r\n\r\n"],
  ] as const;
  for (const [body, old, fresh] of FORCED) {
    test(`body: ${body} compares as such whatever the content type`, () => {
      const type = "application/octet-stream";
      assert.equal(comparedBodies(old, fresh, { type, compare: { body } }).kind, "match");
      assert.equal(comparedBodies(old, fresh, { type }).kind, "mismatch");
      assert.equal(comparedBodies(old, fresh, { type, compare: { body: "text" } }).kind, "mismatch");
    });
  }
});

describe("NDJSON", () => {
  const ndjson = (old: string, fresh: string, compare: Partial<Compare> = {}) =>
    comparedBodies(old, fresh, { type: "application/x-ndjson", compare });

  test("is an array of the values of its lines", () => {
    assert.deepEqual(readValue("ndjson", '{"a":1}\r\n\n[2]\n"x"\nnull'), [{ a: 1 }, [2], "x", null]);
    assert.deepEqual(readValue("ndjson", '\x1e{"a":\n1}\n\x1e2\n'), [{ a: 1 }, 2]);
    assert.equal(ndjson('{"a":1,"b":2}\n{"c":3}\n', '{"b":2,"a":1}\n\n{"c":3}').kind, "match");
    assert.deepEqual(placesOf(ndjson('{"id":1,"a":1}\n{"id":2,"a":1}', '{"id":1,"a":1}\n{"id":2,"a":2}')), [
      "$[1].a value",
    ]);
    assert.equal(ndjson('{"a":1}\n{"a":2}', '{"a":3}\n{"a":4}', { ignore: ["$[*].a"] }).kind, "match");
  });

  test("numbers keep all their digits", () => {
    assert.deepEqual(factsOf(ndjson('1\n{"a":12345678901234567890}', '1\n{"a":12345678901234567891}')), [
      { place: "$[1].a", kind: "value", old: "12345678901234567890", new: "12345678901234567891" },
    ]);
  });

  test("a line that is not JSON is a text of its own, and no JSON equals it", () => {
    assert.deepEqual(readValue("ndjson", '1\n{oops\n"oops"'), [1, { "#line": "{oops" }, "oops"]);
    assert.equal(ndjson('1\n"oops"', "1\noops").kind, "mismatch");
    assert.equal(ndjson("1\noops", '1\n{"#line":"nope"}').kind, "mismatch");
    // Two halves that make one value only together.
    assert.equal(ndjson('{"x":[1\n2]},3\n1', '{"x":[1,2]}\n3\n1').kind, "mismatch");
    assert.deepEqual(placesOf(ndjson("no\nlines", "no\nline")), ["line[2] value"]);
  });
});

describe("forms", () => {
  const form = (old: string, fresh: string, compare: Partial<Compare> = {}) =>
    comparedBodies(old, fresh, { type: "application/x-www-form-urlencoded", compare });

  test("are objects of arrays, without nesting", () => {
    assert.deepEqual(readValue("form", "a=1&b[c]=2&a=3&&d&e=x+y%C3%A9%3D"), {
      a: ["1", "3"],
      "b[c]": ["2"],
      d: [""],
      e: ["x yé="],
    });
  });

  test("the order of names is free, that of one name's values is not", () => {
    assert.equal(form("a=1&b=2&a=3", "b=%32&a=1&a=3").kind, "match");
    assert.deepEqual(placesOf(form("a=1&a=3", "a=3&a=1")), ["$.a order"]);
    assert.equal(form("a=1&a=3", "a=3&a=1", { unordered: ["$.a"] }).kind, "match");
    assert.deepEqual(placesOf(form("a=1&b=2", "a=2")), ["$.a[0] value", "$.b missing"]);
  });

  test("escapes that spell no text are kept apart from those that do", () => {
    assert.equal(form("a=%ff", "a=%fe").kind, "mismatch");
    assert.equal(form("a=%ff", "a=%25ff").kind, "mismatch");
    assert.equal(form("a=100%", "a=100%25").kind, "match");
  });

  test("any names and values, written in any order, are read back", () => {
    const entry = fc.tuple(
      fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor")),
      fc.string({ unit: "grapheme" }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ([name]) => name, minLength: 1 }), (entries) => {
        const well = entries.filter(([name, value]) => name.isWellFormed() && value.isWellFormed());
        const text = new URLSearchParams(well).toString();
        const back = new URLSearchParams(well.toReversed()).toString();
        assert.equal(form(text, back).kind, "match");
        assert.deepEqual(
          readValue("form", text),
          Object.fromEntries(well.map(([name, value]) => [name, [value]])),
        );
      }),
    );
  });
});

describe("event streams", () => {
  const TYPE = { type: "text/event-stream" };
  const cut = { ...TYPE, cut: true };
  const events = (count: number) =>
    Array.from({ length: count }, (_, at) => `data: {"n":${at}}\n\n`).join("");

  test("are arrays of events, comments left out, data parsed where it is an object or array", () => {
    const text =
      ': hi\r\nid: 1\nevent: tick\ndata: {"a":\ndata: 1}\n\nretry: 5\n\ndata\ndata:12\r\r: x\n\nnonsense\n\ndata: half';
    assert.deepEqual(readValue("events", text), [
      { event: "tick", id: "1", data: { a: 1 } },
      { event: "message", retry: "5" },
      { event: "message", data: "\n12" },
    ]);
  });

  test("data that is JSON is compared as such, a text never equals a value", () => {
    const two = (old: string, fresh: string) =>
      comparedBodies(`data: ${old}\n\n`, `data: ${fresh}\n\n`, TYPE);
    assert.equal(two('{"a":1,"b":2}', '{"b":2, "a":1}').kind, "match");
    assert.deepEqual(placesOf(two('{"a":1}', '{"a":2}')), ["$[0].data.a value"]);
    assert.equal(two("12", "12.0").kind, "mismatch");
    assert.equal(two('"x"', "x").kind, "mismatch");
    assert.deepEqual(
      factsOf(two('{"a":12345678901234567890}', '{"a":12345678901234567891}'))[0]?.new,
      "12345678901234567891",
    );
  });

  test("streams that were cut are compared as far as both were seen whole", () => {
    const same = (old: string, fresh: string, oldCut: boolean, newCut: boolean) =>
      compared(pairOf(answer(old, oldCut ? cut : TYPE), answer(fresh, newCut ? cut : TYPE)));
    assert.equal(same(events(3), `${events(5)}data: {"n"`, true, true).kind, "match");
    assert.equal(same(events(5), `${events(2)}da`, true, true).kind, "match");
    assert.equal(same(events(5), events(5), true, true).kind, "match");
    assert.deepEqual(placesOf(same(events(3), events(3).replace("1", "7"), true, true)), [
      "$[1].data.n value",
    ]);
  });

  test("a stream that has ended lacks what the other still sends", () => {
    const pair = (oldCount: number, newCount: number, oldCut: boolean) =>
      pairOf(answer(events(oldCount), oldCut ? cut : TYPE), answer(events(newCount), oldCut ? TYPE : cut));
    assert.deepEqual(placesOf(compared(pair(3, 2, true))), ["$[2] missing"]);
    assert.deepEqual(placesOf(compared(pair(2, 3, false))), ["$[2] added"]);
    assert.equal(compared(pair(3, 5, true)).kind, "match");
    assert.equal(compared(pair(5, 3, false)).kind, "match");
  });

  test("without a whole event on a side that was cut nothing can be said", () => {
    const streaming = { kind: "uncompared", why: "streaming" };
    assert.deepEqual(comparedBodies("data: 1", "data: 2", cut), streaming);
    assert.deepEqual(comparedBodies("", "", cut), streaming);
    assert.deepEqual(compared(pairOf(answer(events(2), cut), answer(": hi\n\n", cut))), streaming);
    const status = pairOf(answer("", cut), answer("", { ...cut, status: 500 }));
    assert.deepEqual(placesOf(compared(status)), ["status status"]);
  });

  test("a beginning of anything else says nothing", () => {
    const pair = pairOf(answer("data: 1\n\n", cut), answer("{}"), { headers: [] });
    assert.deepEqual(compared(pair), { kind: "uncompared", why: "streaming" });
    const forced = comparedBodies("data: 1\n\n", "data: 2\n\n", { ...cut, compare: { body: "text" } });
    assert.deepEqual(forced, { kind: "uncompared", why: "streaming" });
  });

  test("a stream may be cut within a character or a compressed block", async () => {
    const { brotliCompressSync, gzipSync, zstdCompressSync } = await import("node:zlib");
    const whole = Buffer.from(`${events(50)}data: é`);
    assert.equal(compared(pairOf(answer(whole.subarray(0, -1), cut), answer(events(50), cut))).kind, "match");
    const noise = Array.from({ length: 500 }, (_, at) => `data: {"n":${(at * 7919) % 1009}}\n\n`).join("");
    for (const [encoding, encode] of [
      ["gzip", gzipSync],
      ["br", brotliCompressSync],
      ["zstd", zstdCompressSync],
    ] as const) {
      const bytes = encode(noise);
      const part = answer(bytes.subarray(0, bytes.byteLength - 100), { ...cut, encoding });
      const { kind } = compared(pairOf(part, answer(noise, TYPE)));
      // A codec that gives nothing before its block is whole leaves nothing to compare.
      if (encoding === "gzip") assert.equal(kind, "match");
      else assert.notEqual(kind, "mismatch", encoding);
    }
  });
});

test("10,000 levels in a line or an event are too deep, in no time", () => {
  const deep = (leaf: number) => `${"[".repeat(10_000)}${leaf}${"]".repeat(10_000)}`;
  const compared = (old: string, fresh: string, options: { readonly type: string }) =>
    atBoundedCost(() => comparedBodies(old, fresh, options));
  for (const [type, wrap] of [
    ["application/x-ndjson", (text: string) => `1\n${text}\n`],
    ["text/event-stream", (text: string) => `data: ${text}\n\n`],
  ] as const) {
    assert.deepEqual(compared(wrap(deep(1)), wrap(deep(2)), { type }), {
      kind: "uncompared",
      why: "too_deep",
    });
  }
  const nested = `a${"[b]".repeat(10_000)}`;
  const form = { type: "application/x-www-form-urlencoded" };
  assert.equal(compared(`${nested}=1&c=2`, `c=2&${nested}=1`, form).kind, "match");
});
