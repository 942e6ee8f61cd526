import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  parseAccessLog,
  parseAddress,
  parseAdminUrl,
  parseDurationMs,
  parseThreads,
  ValueError,
} from "../../src/cli/address.ts";
import { formatJson, formatShare, formatUptime, printable } from "../../src/cli/output.ts";

test("an address is host and port, in every common spelling", () => {
  assert.deepEqual(parseAddress("127.0.0.1:8080"), { host: "127.0.0.1", port: 8080 });
  assert.deepEqual(parseAddress("[::1]:0"), { host: "::1", port: 0 });
  assert.deepEqual(parseAddress("http://localhost:9090/"), { host: "localhost", port: 9090 });
});

test("an address that cannot be read says what to write instead", () => {
  assert.throws(() => parseAddress("8080"), { message: "Write the host too: 127.0.0.1:8080" });
  assert.throws(() => parseAddress(":8080"), { message: "Write the host too: 127.0.0.1:8080" });
  for (const text of ["", "localhost", "a:b", "1.2.3.4:70000", "::1:80", "x/y:1"]) {
    assert.throws(() => parseAddress(text), ValueError, text);
  }
});

test("an admin address may be a URL or host:port, and listening everywhere is reached on this machine", () => {
  assert.equal(parseAdminUrl("127.0.0.1:9090"), "http://127.0.0.1:9090");
  assert.equal(parseAdminUrl("https://gw.example.com/"), "https://gw.example.com");
  assert.equal(parseAdminUrl("0.0.0.0:9090"), "http://127.0.0.1:9090");
  assert.equal(parseAdminUrl("[::]:9090"), "http://[::1]:9090");
  for (const text of ["ftp://x", "http://u:p@x", "http://x/api", "http://", "a b"]) {
    assert.throws(() => parseAdminUrl(text), ValueError, text);
  }
});

test("durations carry their unit", () => {
  assert.equal(parseDurationMs("250ms"), 250);
  assert.equal(parseDurationMs("1.5s"), 1_500);
  assert.equal(parseDurationMs("5m"), 300_000);
  assert.equal(parseDurationMs("0"), 0);
  assert.throws(() => parseDurationMs("5"), { message: "Write the unit too: 5s" });
  for (const text of ["", "-1s", "1d3", "9999h"])
    assert.throws(() => parseDurationMs(text), ValueError, text);
});

test("threads and the access log refuse what they do not know", () => {
  assert.equal(parseThreads("auto"), "auto");
  assert.equal(parseThreads("4"), 4);
  for (const text of ["0", "-1", "2.5", "1000"]) assert.throws(() => parseThreads(text), ValueError, text);
  assert.deepEqual(parseAccessLog("1%"), { kind: "share", ppm: 10_000 });
  assert.deepEqual(parseAccessLog("0.0001%"), { kind: "share", ppm: 1 });
  assert.deepEqual(parseAccessLog("off"), { kind: "off" });
  assert.throws(() => parseAccessLog("1"), /all, errors, off, or a share: 1%/);
  for (const text of ["", "101%", "some"]) assert.throws(() => parseAccessLog(text), ValueError, text);
});

/** What moves a cursor, begins an escape sequence, or reorders a line. */
const ACTS_ON_TERMINALS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

test("no text can act on a terminal", () => {
  assert.equal(printable("a\u001b[2Jb\u009bc\nd"), "a\\x1b[2Jb\\x9bc\\x0ad");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !ACTS_ON_TERMINALS.test(printable(text))));
});

test("JSON output cannot act on a terminal and still means the same", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (value, text) => {
      const written = formatJson({ value, text });
      assert.ok(!ACTS_ON_TERMINALS.test(written.replaceAll("\n", "")));
      assert.deepEqual(JSON.parse(written), JSON.parse(JSON.stringify({ value, text })));
    }),
  );
});

test("a share is printed as the rules would write it", () => {
  assert.equal(formatShare(0.05), "5%");
  assert.equal(formatShare(0.000001), "0.0001%");
  assert.equal(formatShare(1), "100%");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (ppm) => {
      assert.equal(Math.round(Number(formatShare(ppm / 1_000_000).replace("%", "")) * 10_000), ppm);
    }),
  );
});

test("times read like times", () => {
  assert.deepEqual([0, 59.9, 61, 3_700, 100_000].map(formatUptime), ["0s", "59s", "1m 1s", "1h 1m", "1d 3h"]);
});
