import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answerHeadersToForward, joinedHeader, requestHeadersToForward } from "../../src/model/headers.ts";

const HOP_BY_HOP = [
  "Connection",
  "Keep-Alive",
  "Proxy-Connection",
  "Proxy-Authenticate",
  "Proxy-Authorization",
  "Proxy-Authentication-Info",
  "TE",
  "Transfer-Encoding",
  "Upgrade",
];
const OURS_TO_BACKEND = [
  "Host",
  "Expect",
  "X-Request-Id",
  "Traceparent",
  "Forwarded",
  "X-Forwarded-For",
  "X-Forwarded-Proto",
  "X-Forwarded-Host",
];
const DIRECTIONS = [
  { name: "to a backend", pass: requestHeadersToForward, dropped: [...HOP_BY_HOP, ...OURS_TO_BACKEND] },
  { name: "to a client", pass: answerHeadersToForward, dropped: [...HOP_BY_HOP, "X-Request-Id"] },
];

for (const { name, pass, dropped } of DIRECTIONS) {
  test(`${dropped.length} fields never go on ${name}, in whatever case`, () => {
    for (const field of dropped) {
      for (const spelled of [field, field.toLowerCase(), field.toUpperCase()]) {
        assert.deepEqual(pass([spelled, "x", "Accept", "y"]), ["Accept", "y"], spelled);
      }
    }
  });

  test(`x-cutover- fields never go on ${name}: they are the gateway's own words`, () => {
    const sent = ["X-Cutover-Side", "new", "x-cutover-anything", "1", "x-cutove", "a", "xx-cutover-b", "c"];
    assert.deepEqual(pass(sent), ["x-cutove", "a", "xx-cutover-b", "c"]);
  });

  test(`a field named by Connection never goes on ${name}`, () => {
    const sent = ["X-Hop", "1", "Connection", "close, x-hop ,, X-Other", "x-other", "2", "X-Stay", "3"];
    assert.deepEqual(pass(sent), ["X-Stay", "3"]);
  });

  test(`several Connection fields ${name} count all together, also after the field they name`, () => {
    const sent = ["A", "1", "connection", "a", "B", "2", "CONNECTION", "keep-alive,b", "C", "3"];
    assert.deepEqual(pass(sent), ["C", "3"]);
  });

  test(`Connection cannot take the length off a message ${name}`, () => {
    const sent = ["Content-Length", "5", "Connection", "content-length"];
    assert.deepEqual(pass(sent), ["Content-Length", "5"]);
  });

  test(`everything else goes on ${name} byte for byte: case, order, repeats, odd values`, () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
        const sent = fields.flat();
        const copy = [...sent];
        assert.deepEqual(pass(sent), naive(fields, dropped).flat());
        assert.deepEqual(sent, copy, "what was received is left as it was");
      }),
      { numRuns: 500 },
    );
  });
}

const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/);
const names = fc.oneof(
  token,
  fc.constantFrom("Set-Cookie", "set-cookie", "Cookie", "X-A", "x-a", "X-Cutover-Side", "constructor"),
  fc.constantFrom(...HOP_BY_HOP, ...OURS_TO_BACKEND),
);
const values = fc.oneof(fc.stringMatching(/^[\x21-\x7e\xa0-\xff]{0,10}$/), fc.constantFrom("a, b", '"q"'));
const connection = fc.tuple(
  fc.constantFrom("Connection", "connection"),
  fc
    .array(fc.oneof(fc.constantFrom("close", "keep-alive", "X-A", "set-cookie", "content-length", ""), token))
    .map((options) => options.join(" , ")),
);
const field: fc.Arbitrary<[string, string]> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(names, values) },
  { weight: 1, arbitrary: connection },
);

function naive(fields: readonly [string, string][], dropped: readonly string[]): [string, string][] {
  const gone = new Set(dropped.map((name) => name.toLowerCase()));
  for (const [name, value] of fields) {
    if (name.toLowerCase() !== "connection") continue;
    for (const option of value.split(",").map((text) => text.trim().toLowerCase())) {
      if (option !== "content-length") gone.add(option);
    }
  }
  return fields.filter(
    ([name]) => !gone.has(name.toLowerCase()) && !name.toLowerCase().startsWith("x-cutover-"),
  );
}

test("names that strangers make up are not remembered without bound, and still judged rightly", () => {
  for (let i = 0; i < 5000; i += 1) {
    assert.deepEqual(requestHeadersToForward([`x-junk-${i}`, "1"]), [`x-junk-${i}`, "1"]);
    assert.deepEqual(requestHeadersToForward([`x-cutover-${i}`, "1"]), []);
  }
  assert.deepEqual(requestHeadersToForward(["tRANSFER-eNCODING", "chunked"]), []);
});

test("a name is judged by all of it: of any length, whatever it begins with", () => {
  const prefix = fc.constantFrom("x-cutover-", "X-Forwarded-", "x-", "c", "Te", "host", "");
  const rest = fc.stringMatching(/^[a-zA-Z0-9_!~-]{0,90}$/);
  fc.assert(
    fc.property(prefix, rest, (first, second) => {
      const name = `${first}${second}`;
      fc.pre(name !== "");
      for (const { pass, dropped } of DIRECTIONS) {
        const lower = name.toLowerCase();
        const prefixes = pass === answerHeadersToForward ? ["x-cutover-"] : ["x-cutover-", "x-forwarded-"];
        const isWhole = dropped.some((each) => each.toLowerCase() === lower);
        const isDropped = isWhole || prefixes.some((each) => lower.startsWith(each));
        assert.deepEqual(pass([name, "x"]), isDropped ? [] : [name, "x"]);
      }
    }),
  );
});

test("repeats are joined as HTTP joins them", () => {
  assert.equal(joinedHeader(["Via", "a", "x", "b", "VIA", "c"], "via"), "a, c");
  assert.equal(joinedHeader(["Via", ""], "via"), "");
  assert.equal(joinedHeader(["x", "via"], "via"), undefined);
});
