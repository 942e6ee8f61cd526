import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";

import { compileCompare } from "../../src/compare/compare.ts";
import { MAX_BODY_CHARS, publicRequestHeaders, samplePair } from "../../src/compare/sample.ts";
import type { Pair } from "../../src/model/pair.ts";
import type { Compare } from "../../src/model/ruleset.ts";
import { answer, pairOf } from "./pairs.ts";

const sampled = (pair: Pair) => samplePair(pair, compileCompare(pair.compare));

test("a sample holds the decoded text, the compared headers and content-type", () => {
  const old = answer(gzipSync('{"a":1}'), {
    encoding: "gzip",
    headers: ["Cache-Control", "no-store", "x-other", "1"],
  });
  const sample = sampled(pairOf(old, answer('{"a":22}', { status: 500 }), { headers: ["cache-control"] }));
  assert.deepEqual(sample, {
    old: {
      status: 200,
      headers: { "content-type": "application/json", "cache-control": "no-store" },
      body: '{"a":1}',
      whole: true,
      bodyBytes: 7,
    },
    new: {
      status: 500,
      headers: { "content-type": "application/json" },
      body: '{"a":22}',
      whole: true,
      bodyBytes: 8,
    },
  });
});

test("headers that hold credentials are not stored, even where they were chosen", () => {
  const names = ["Authorization", "cookie", "Set-Cookie", "proxy-authorization"];
  const headers = names.flatMap((name) => [name, "hunter2"]);
  const pair = pairOf(answer("{}", { headers }), answer("{}", { headers }), { headers: names });
  assert.ok(!JSON.stringify(sampled(pair)).includes("hunter2"));
});

test("a header named __proto__ is a header", () => {
  const pair = pairOf(answer("{}", { headers: ["__proto__", "x"] }), answer("{}"), {
    headers: ["__proto__"],
  });
  assert.deepEqual(Object.keys(sampled(pair).old.headers), ["content-type", "__proto__"]);
});

test("a long body is cut, never inside a character, and its true size kept", () => {
  const body = "😀".repeat(MAX_BODY_CHARS);
  const { old } = sampled(pairOf(answer(body, { type: "text/plain" }), answer("")));
  assert.ok(old.body !== null && old.body.length <= MAX_BODY_CHARS && old.body.isWellFormed());
  assert.equal(old.bodyBytes, Buffer.byteLength(body));
  assert.equal(old.whole, false);
});

test("bodies that are not text, cannot be decoded, or are not compared are null", () => {
  const body = (value: string | Uint8Array, options = {}, compare = {}) =>
    sampled(pairOf(answer(value, options), answer(""), compare)).old.body;
  assert.equal(body("PNG", { type: "image/png" }), null);
  assert.equal(body(Uint8Array.of(0xff), { type: "text/plain" }), null);
  assert.equal(body("no gzip", { encoding: "gzip" }), null);
  assert.equal(body("a\0b", { type: null }), null);
  assert.equal(body("a b", { type: null }), "a b");
  assert.equal(body("{}", {}, { body: "off" }), null);
});

test("a body is whole when all of it is there as it was", () => {
  const whole = (value: string, options = {}, compare = {}) =>
    sampled(pairOf(answer(value, options), answer(""), compare)).old.whole;
  assert.equal(whole("{}"), true);
  assert.equal(whole(""), true);
  assert.equal(whole("data: 1\n\n", { type: "text/event-stream", cut: true }), false);
  assert.equal(whole("x".repeat(MAX_BODY_CHARS)), true);
  assert.equal(whole("x".repeat(MAX_BODY_CHARS + 1)), false);
  assert.equal(whole("PNG", { type: "image/png" }), false);
  const redact = { paths: ["$.a"], headers: [], query: [] };
  assert.equal(whole("{}", {}, { redact }), true);
  assert.equal(whole("{", {}, { redact }), false);
  assert.equal(sampled(pairOf(answer('{"a":1}'), answer("{"), { redact })).old.whole, false);
});

describe("redaction", () => {
  const redact = { paths: ["$..email", "$['@email']"], headers: ["x-user"], query: ["token"] };
  const bodyOf = (text: string, type: string | null, body: Compare["body"] = "auto") =>
    sampled(pairOf(answer(text, { type }), answer("", { type }), { redact, body })).old.body;

  test("values under the paths are gone from every kind that can be read, the rest stays", () => {
    assert.equal(
      bodyOf('{"email":"hunter@x","n":12345678901234567890}', "application/json"),
      '{"email":"[redacted]","n":12345678901234567890}',
    );
    assert.equal(bodyOf('{"email":"hunter"}', null), '{"email":"[redacted]"}');
    assert.equal(
      bodyOf('{"email":"hunter"}\n{"a":1}\n', "application/x-ndjson"),
      '{"email":"[redacted]"}\n{"a":1}',
    );
    assert.equal(
      bodyOf("email=hunter&a=1", "application/x-www-form-urlencoded"),
      '{"email":"[redacted]","a":["1"]}',
    );
    assert.equal(
      bodyOf("<u><email>hunter</email><a>1</a></u>", "text/xml"),
      '{"u":{"#order":"email a","email":"[redacted]","a":[{"#text":"1"}]}}',
    );
    assert.equal(bodyOf("<div><email>hunter</email></div>", "text/html"), '{"div":[{"email":"[redacted]"}]}');
    assert.equal(
      bodyOf('data: {"email":"hunter"}\n\n', "text/event-stream"),
      '[{"event":"message","data":{"email":"[redacted]"}}]',
    );
  });

  test("a body that cannot be read so is not shown at all", () => {
    assert.equal(bodyOf("email: hunter", "text/plain"), null);
    assert.equal(bodyOf('{"email":"hunter"', "application/json"), null);
    assert.equal(bodyOf("<email>hunter", "text/xml"), null);
    assert.equal(bodyOf('{"email":"hunter"}', "application/json", "text"), null);
    assert.equal(bodyOf('{"email":"hunter"}', "application/json", "bytes"), null);
    assert.equal(bodyOf(`${"[".repeat(1000)}"hunter"${"]".repeat(1000)}`, "application/json"), null);
    assert.equal(bodyOf("email hunter", null), null);
  });

  test("headers of both answers and of the request lose what the rules name, and credentials always", () => {
    const headers = ["x-user", "hunter", "location", "/?token=hunter", "x-api-key", "hunter"];
    const names = ["x-user", "location", "x-api-key"];
    const sample = sampled(pairOf(answer("{}", { headers }), answer("{}"), { headers: names, redact }));
    assert.deepEqual(sample.old.headers, {
      "content-type": "application/json",
      "x-user": "[redacted]",
      location: "/?token=[redacted]",
    });
    const request = [
      "Accept",
      "a",
      "X-User",
      "hunter",
      "Cookie",
      "hunter",
      "Referer",
      "http://x/?a=1&token=hunter",
    ];
    assert.deepEqual(publicRequestHeaders(request, redact), [
      "Accept",
      "a",
      "X-User",
      "[redacted]",
      "Referer",
      "http://x/?a=1&token=[redacted]",
    ]);
  });
});
