import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { MAX_BODY_CHARS, samplePair } from "../../src/compare/sample.ts";
import { answer, pairOf } from "./pairs.ts";

test("a sample holds the decoded text, the compared headers and content-type", () => {
  const old = answer(gzipSync('{"a":1}'), {
    encoding: "gzip",
    headers: ["Cache-Control", "no-store", "x-other", "1"],
  });
  const sample = samplePair(pairOf(old, answer('{"a":22}', { status: 500 }), { headers: ["cache-control"] }));
  assert.deepEqual(sample, {
    old: {
      status: 200,
      headers: { "content-type": "application/json", "cache-control": "no-store" },
      body: '{"a":1}',
      bodyBytes: 7,
    },
    new: { status: 500, headers: { "content-type": "application/json" }, body: '{"a":22}', bodyBytes: 8 },
  });
});

test("headers that hold credentials are not stored, even where they were chosen", () => {
  const names = ["Authorization", "cookie", "Set-Cookie", "proxy-authorization"];
  const headers = names.flatMap((name) => [name, "hunter2"]);
  const pair = pairOf(answer("{}", { headers }), answer("{}", { headers }), { headers: names });
  assert.ok(!JSON.stringify(samplePair(pair)).includes("hunter2"));
});

test("a header named __proto__ is a header", () => {
  const pair = pairOf(answer("{}", { headers: ["__proto__", "x"] }), answer("{}"), {
    headers: ["__proto__"],
  });
  assert.deepEqual(Object.keys(samplePair(pair).old.headers), ["content-type", "__proto__"]);
});

test("a long body is cut, never inside a character, and its true size kept", () => {
  const body = "😀".repeat(MAX_BODY_CHARS);
  const { old } = samplePair(pairOf(answer(body, { type: "text/plain" }), answer("")));
  assert.ok(old.body !== null && old.body.length <= MAX_BODY_CHARS && old.body.isWellFormed());
  assert.equal(old.bodyBytes, Buffer.byteLength(body));
});

test("bodies that are not text, cannot be decoded, or are not compared are null", () => {
  const body = (value: string | Uint8Array, options = {}, compare = {}) =>
    samplePair(pairOf(answer(value, options), answer(""), compare)).old.body;
  assert.equal(body("PNG", { type: "image/png" }), null);
  assert.equal(body(Uint8Array.of(0xff), { type: "text/plain" }), null);
  assert.equal(body("no gzip", { encoding: "gzip" }), null);
  assert.equal(body("a\0b", { type: null }), null);
  assert.equal(body("a b", { type: null }), "a b");
  assert.equal(body("{}", {}, { body: "off" }), null);
});
