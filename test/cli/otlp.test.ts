import assert from "node:assert/strict";
import { test } from "node:test";
import { ValueError } from "../../src/cli/address.ts";
import { parseOtlpUrl } from "../../src/cli/otlp.ts";

test("the base of a collector is taken with a path or without, and loses its last slash", () => {
  assert.equal(parseOtlpUrl("http://127.0.0.1:4318"), "http://127.0.0.1:4318");
  assert.equal(parseOtlpUrl(" http://127.0.0.1:4318/ "), "http://127.0.0.1:4318");
  assert.equal(parseOtlpUrl("https://collector.example/otlp/"), "https://collector.example/otlp");
});

const REFUSED: [text: string, says: RegExp][] = [
  ["", /Write a URL, such as http:\/\/127\.0\.0\.1:4318/],
  ["127.0.0.1:4318", /Write a URL/],
  ["grpc://127.0.0.1:4317", /Write a URL/],
  [`http://h/${"x".repeat(3_000)}`, /Write a URL/],
  ["http://user:pass@h:4318", /OTEL_EXPORTER_OTLP_HEADERS/],
  ["http://h:4318?key=1", /Leave out what stands behind/],
  ["http://h:4318#x", /Leave out what stands behind/],
  ["http://h:4318/v1/traces", /Leave \/v1\/traces out, it is added: http:\/\/h:4318$/],
  ["http://h:4318/otlp/v1/traces/", /it is added: http:\/\/h:4318\/otlp$/],
];

for (const [text, says] of REFUSED) {
  test(`${text.slice(0, 40) || "nothing"} is refused with what to write instead`, () =>
    assert.throws(
      () => parseOtlpUrl(text),
      (error) => error instanceof ValueError && says.test(error.message),
    ));
}
