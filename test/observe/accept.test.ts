import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatFor } from "../../src/observe/accept.ts";

const OPEN = "application/openmetrics-text";

const OPENMETRICS: readonly string[] = [
  // What Prometheus 2.42 and 3.5 send.
  `${OPEN};version=1.0.0,${OPEN};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`,
  `${OPEN};version=1.0.0;escaping=allow-utf-8;q=0.5,${OPEN};version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1`,
  OPEN,
  `${OPEN}; version=1.0.0; charset=utf-8`,
  `${OPEN};version="1.0.0";charset="UTF-8"`,
  "Application/OpenMetrics-Text",
  `text/plain;q=0.5, ${OPEN};q=0.5`,
  `text/plain;q=0, ${OPEN};q=0.001`,
  `*/*;q=0.1,\t${OPEN} ; q=0.2`,
  "application/*",
  `${OPEN};note="a, text/plain; q=1";version=1.0.0, text/plain;q=0.9`,
];

const TEXT: readonly (string | undefined)[] = [
  undefined,
  "",
  "*/*",
  "text/plain",
  "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "text/plain;version=0.0.4;q=1,*/*;q=0.1",
  `text/plain, ${OPEN};q=0.9`,
  `${OPEN};q=0.9, */*`,
  `${OPEN};q=0`,
  `${OPEN};q=0, */*`,
  `${OPEN};version=2.0.0, */*;q=0.1`,
  `${OPEN};version=0.0.1, text/plain;q=0.5`,
  `${OPEN};charset=latin1`,
  // A malformed quality: what it qualifies says nothing.
  `${OPEN};q=high`,
  `${OPEN};q=1.5`,
  `${OPEN};q=-1`,
  "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
  ",,;;q=,",
  "application/json",
];

for (const accept of OPENMETRICS)
  test(`OpenMetrics for ${accept}`, () => assert.equal(formatFor(accept), "openmetrics"));

for (const accept of TEXT) test(`text for ${accept}`, () => assert.equal(formatFor(accept), "text"));

test("the more exact range counts, whatever stands first", () => {
  const ranges = [`${OPEN};version=1.0.0;q=0.3`, `${OPEN};q=0.9`, "application/*;q=1", "*/*;q=0.5"];
  fc.assert(
    fc.property(fc.shuffledSubarray(ranges, { minLength: 4 }), (mixed) => {
      assert.equal(formatFor(mixed.join(",")), "text", "0.3 for it, 0.5 for text");
    }),
  );
});

test("whatever is sent, there is an answer, and soon", () => {
  const piece = fc.constantFrom(
    OPEN,
    "text/plain",
    "*/*",
    ";",
    ",",
    "q=",
    "0.5",
    '"',
    "\\",
    "=",
    " ",
    "version=1.0.0",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      assert.match(formatFor(pieces.join("")), /^(text|openmetrics)$/);
    }),
  );
  const begunMs = performance.now();
  for (const part of ['"', '"\\', ",", ";", 'a="', "a/b;q=1,", '\\"'])
    assert.equal(formatFor(part.repeat(16_384 / part.length)), "text");
  assert.ok(performance.now() - begunMs < 1_000);
});
