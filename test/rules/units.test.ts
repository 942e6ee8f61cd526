import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as units from "../../src/rules/units.ts";

const why = (parsed: units.Parsed<unknown>) => (parsed.ok ? `ok: ${parsed.value}` : parsed.why);

test("every share survives being written and read", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (ppm) => {
      assert.deepEqual(units.parseShare(units.formatShare(ppm)), { ok: true, value: ppm });
    }),
  );
});

test("every duration, size, rate and false alarm rate survives being written and read", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (n) => {
      assert.deepEqual(units.parseDuration(units.formatDuration(n)), { ok: true, value: n });
      assert.deepEqual(units.parseSize(units.formatSize(n)), { ok: true, value: n });
      assert.deepEqual(units.parseRate(units.formatRate(n)), { ok: true, value: n });
      assert.deepEqual(units.parseFalseAlarms(units.formatFalseAlarms(n + 59)), { ok: true, value: n + 59 });
    }),
  );
});

test("no text makes a parser throw", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const parse of [
        units.parseShare,
        units.parseDuration,
        units.parseSize,
        units.parseRate,
        units.parseFalseAlarms,
      ]) {
        assert.equal(typeof parse(text).ok, "boolean");
      }
    }),
  );
});

test("a wrong share says what to write", () => {
  assert.equal(why(units.parseShare("5")), "write 5%");
  assert.equal(why(units.parseShare("105%")), "a share is at most 100%");
  assert.equal(why(units.parseShare("100.0001%")), "a share is at most 100%");
  assert.equal(why(units.parseShare("-1%")), "a share is at least 0%");
  assert.equal(why(units.parseShare("0.00001%")), "the finest share is 0.0001%");
  assert.equal(why(units.parseShare("0.00010%")), "ok: 1");
  assert.match(why(units.parseShare("five percent")), /write a share such as 5%/);
});

test("durations are exact and need a unit", () => {
  assert.equal(why(units.parseDuration("10")), "write 10s (units: ms, s, m, h, d)");
  assert.equal(why(units.parseDuration("1.1s")), "ok: 1100");
  assert.equal(why(units.parseDuration("0.5ms")), "the finest duration is 1ms");
  assert.match(why(units.parseDuration("1m30s")), /one number and its unit/);
  assert.equal(units.formatDuration(60_000), "1m");
});

test("sizes teach binary units", () => {
  assert.match(why(units.parseSize("64KB")), /write 64KiB/);
  assert.match(why(units.parseSize("1mb")), /write 1MiB/);
  assert.match(why(units.parseSize("100")), /write 100B or 100KiB/);
  assert.equal(why(units.parseSize("1.5KiB")), "ok: 1536");
});

test("rates and false alarms teach their form", () => {
  assert.equal(why(units.parseRate("200")), "write 200/s");
  assert.equal(why(units.parseRate("30/m")), "ok: 0.5");
  assert.match(why(units.parseRate("0/s")), /share: 0%/);
  assert.equal(why(units.parseFalseAlarms("2 per 90d")), "ok: 3888000");
  assert.match(why(units.parseFalseAlarms("90d")), /1 per 90d/);
  assert.match(why(units.parseFalseAlarms("0 per 90d")), /no test never errs/);
});
