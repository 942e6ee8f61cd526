import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lineOf, NO_TREND, SPAN_MS, type Trend, withHistory, withLook } from "../../src/cli/trend.ts";
import type { HistoryPoint, HistoryReport } from "../../src/model/history-report.ts";
import { routeStatus } from "../support/reports.ts";

const NOW_MS = Date.parse("2026-05-01T10:00:00.000Z");

const AT_NOW = { nowMs: NOW_MS, spanMs: SPAN_MS };

/** Looks a second apart, with so many requests of old more each time. */
function looked(trend: Trend, fromMs: number, counts: readonly number[]): Trend {
  return counts.reduce(
    (seen, old, index) =>
      withLook(seen, {
        atMs: fromMs + index * 1000,
        route: routeStatus("profiles", { requests: { old, new: 0 }, errors: { old: 0, new: old / 10 } }),
      }),
    trend,
  );
}

function point(beginsMs: number, old: number, changes: Partial<HistoryPoint> = {}): HistoryPoint {
  return {
    at: new Date(beginsMs).toISOString(),
    seconds: 5,
    requests: { old, new: 0 },
    errors: { old: 0, new: 0 },
    p50Ms: { old: 1, new: null },
    p99Ms: { old: 9, new: null },
    comparisons: { match: 9, mismatch: 1, noise: 0, transient: 0, uncompared: 0 },
    canary: 0,
    shadow: 1,
    evidence: {},
    latched: false,
    ...changes,
  };
}

function reportOf(points: HistoryPoint[]): HistoryReport {
  return { route: "profiles", points, limits: { mismatches: 0.02, errors: 0.05 }, markers: [] };
}

const steady = (count: number, each: number) => Array.from({ length: count }, (_, index) => index * each);

test("looks make rates a second, and before the first look nothing is known", () => {
  const trend = looked(NO_TREND, NOW_MS - 20_000, steady(21, 30));
  const line = lineOf(trend, "requests", AT_NOW, 60);
  assert.deepEqual(line.values.slice(-4), [30, 30, 30, 30]);
  assert.ok(line.values.slice(0, -4).every((value) => value === null));
  assert.deepEqual([line.now, line.least, line.most], [30, 30, 30]);
  assert.equal(lineOf(trend, "errors-new", AT_NOW, 60).now, 3);
  assert.deepEqual(lineOf(NO_TREND, "requests", AT_NOW, 3), {
    values: [null, null, null],
    now: null,
    least: null,
    most: null,
  });
});

test("counters that begin anew leave a gap, never a negative or an invented rate", () => {
  const before = looked(NO_TREND, NOW_MS - 20_000, steady(6, 30));
  const trend = looked(before, NOW_MS - 10_000, steady(11, 40));
  for (const value of lineOf(trend, "requests", AT_NOW, 60).values)
    assert.ok(value === null || value === 30 || value === 40, `${value}`);
});

test("looks that are a fifth of a second apart do not change what is seen", () => {
  const at = (index: number) => NOW_MS - 4_000 + index * 200;
  const trend = Array.from({ length: 21 }).reduce<Trend>(
    (seen, _, index) =>
      withLook(seen, {
        atMs: at(index),
        route: routeStatus("profiles", { requests: { old: index * 10, new: 0 } }),
      }),
    NO_TREND,
  );
  assert.equal(lineOf(trend, "requests", AT_NOW, 60).now, 50);
});

test("what the gateway has recorded comes first, and what was seen here goes on where it ends", () => {
  const seen = looked(NO_TREND, NOW_MS - 10_000, steady(11, 20));
  const points = Array.from({ length: 59 }, (_, index) => point(NOW_MS - SPAN_MS + index * 5_000, 50));
  const trend = withHistory(seen, reportOf(points), NOW_MS);
  const { values } = lineOf(trend, "requests", AT_NOW, 60);
  assert.deepEqual([...new Set(values.slice(0, 59))], [10]);
  assert.equal(values[59], 20);
  assert.equal(trend.mismatchLimit, 0.02);
  assert.equal(lineOf(trend, "mismatches", AT_NOW, 60).most, 0.1);
  assert.equal(lineOf(trend, "p99-old", AT_NOW, 60).values[0], 9);
  assert.equal(lineOf(trend, "p99-new", AT_NOW, 60).values[0], null);
});

test("a gateway whose clock is ahead has the same past", () => {
  const points = [point(NOW_MS + 55_000, 50), point(NOW_MS + 60_000, 100)];
  const trend = withHistory(NO_TREND, reportOf(points), NOW_MS);
  assert.deepEqual(lineOf(trend, "requests", AT_NOW, 60).values.slice(-2), [10, 20]);
});

test("gaps and points that are none are left out", () => {
  const gap = point(NOW_MS - 5_000, 1, { requests: null, errors: null, comparisons: null });
  const wrong = [
    point(NOW_MS - 10_000, Number.NaN),
    { ...point(0, 1), at: "yesterday" },
    { at: new Date(NOW_MS - 15_000).toISOString() } as HistoryPoint,
  ];
  const trend = withHistory(NO_TREND, reportOf([...wrong, gap]), NOW_MS);
  assert.deepEqual(trend.stretches, []);
});

test("no count is lost or told twice, however many cells it is spread over", () => {
  const counts = fc.array(fc.nat({ max: 1_000 }), { minLength: 2, maxLength: 200 });
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 80 }), (steps, cells) => {
      let total = 0;
      const sums = [0, ...steps.map((step) => (total += step))];
      const trend = looked(NO_TREND, NOW_MS - steps.length * 1000, sums);
      const { values } = lineOf(trend, "requests", AT_NOW, cells);
      assert.equal(values.length, cells);
      // A cell's rate holds for the seconds of it that are known.
      const most = Math.max(...steps);
      for (const value of values) assert.ok(value === null || (value >= 0 && value <= most + 1e-6));
      const [one] = lineOf(trend, "requests", AT_NOW, 1).values;
      assert.ok(Math.abs((one ?? -1) - total / steps.length) < 1e-6);
    }),
  );
});

test("what is older than the charts go back is not kept", () => {
  const trend = looked(NO_TREND, NOW_MS - 1_000_000, steady(1_000, 5));
  assert.ok(trend.stretches.length <= 160, `${trend.stretches.length}`);
});
