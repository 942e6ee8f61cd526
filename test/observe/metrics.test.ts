import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HistogramSample, Sample } from "../../src/observe/families.ts";
import { createMetrics, type MetricsSource } from "../../src/observe/metrics.ts";
import { assertHistograms, type MetricLine, readExposition } from "./exposition.ts";
import { readOpenMetrics } from "./openmetrics.ts";

const NONE = (): Sample[] => [];

function sourceOf(changes: Partial<MetricsSource> = {}): MetricsSource {
  return {
    requests: NONE,
    durationBounds: [0.005, 0.01, 0.025],
    durations: (): HistogramSample[] => [],
    fallbacks: NONE,
    shadows: NONE,
    comparisons: NONE,
    uncompared: NONE,
    mismatchRatio: NONE,
    noiseRatio: NONE,
    delayBounds: [0.5, 5],
    transientDelays: (): HistogramSample[] => [],
    canaryShare: NONE,
    rollbackLatched: NONE,
    rollbackInfo: NONE,
    rollbacks: NONE,
    rolloutStep: NONE,
    rolloutState: NONE,
    gateOpen: NONE,
    guardEvidence: NONE,
    guardLimit: NONE,
    reloadSuccess: NONE,
    reloadTimestamp: NONE,
    rulesInfo: NONE,
    inFlight: NONE,
    upgradesOpen: NONE,
    storeDamaged: NONE,
    threadReplacements: NONE,
    spans: NONE,
    ...changes,
  };
}

/** One for all tests: each one made begins to measure the process anew. */
const source = { ...sourceOf() };
const metrics = createMetrics(source);

async function render(changes: Partial<MetricsSource> = {}) {
  Object.assign(source, sourceOf(changes));
  const { text, contentType } = await metrics.render();
  return { text, contentType, ...readExposition(text) };
}

test("every metric of the interface is named with its type, also before anything has happened", async () => {
  const { types, contentType } = await render();
  assert.match(contentType, /^text\/plain; version=0\.0\.4/);
  const ours = Object.fromEntries([...types].filter(([name]) => name.startsWith("cutover_")));
  assert.deepEqual(ours, {
    cutover_requests_total: "counter",
    cutover_request_duration_seconds: "histogram",
    cutover_fallbacks_total: "counter",
    cutover_shadow_total: "counter",
    cutover_comparisons_total: "counter",
    cutover_mismatch_ratio: "gauge",
    cutover_noise_ratio: "gauge",
    cutover_uncompared_total: "counter",
    cutover_transient_delay_seconds: "histogram",
    cutover_canary_share_ratio: "gauge",
    cutover_rollback_latched: "gauge",
    cutover_rollback_info: "gauge",
    cutover_rollbacks_total: "counter",
    cutover_rollout_step: "gauge",
    cutover_rollout_state: "gauge",
    cutover_gate_open: "gauge",
    cutover_guard_evidence: "gauge",
    cutover_guard_limit: "gauge",
    cutover_rules_last_reload_success: "gauge",
    cutover_rules_last_reload_timestamp_seconds: "gauge",
    cutover_rules_info: "gauge",
    cutover_inflight_requests: "gauge",
    cutover_upgrades_open: "gauge",
    cutover_store_damaged: "gauge",
    cutover_thread_replacements_total: "counter",
    cutover_spans_total: "counter",
  });
});

test("OpenMetrics has the same series under the same names, the process's own too", async () => {
  const labels = { route: "r", side: "old" };
  const said = {
    durations: () => [{ labels, counts: [1, 2, 3, 4], sum: 1.5 }],
    requests: () => [{ labels: { ...labels, reason: "default-old", code: "2xx" }, value: 10 }],
    rulesInfo: () => [{ labels: { version: "0123456789ab" }, value: 1 }],
  };
  const { lines } = await render(said);
  const { text, contentType } = await metrics.render("application/openmetrics-text; version=1.0.0");
  assert.equal(contentType, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  const open = [...readOpenMetrics(text).values()].flatMap((family) => family.lines);
  const names = (all: readonly MetricLine[]) =>
    all
      .map((line) => `${line.name}${JSON.stringify(line.labels)}`)
      .filter((name) => !/^nodejs_(gc|active)/.test(name));
  assert.ok(names(lines).length > 20);
  assert.deepEqual(names(open), names(lines));
});

test("an exemplar is shown in its own bucket, and none where nothing is counted yet", async () => {
  const exemplar = (value: number) => ({ traceId: "ab".repeat(16), value, atSeconds: 1_777_000_000 });
  await render({
    durations: () => [
      {
        labels: { route: "r" },
        counts: [1, 0, 0, 1],
        sum: 9,
        exemplars: () => [exemplar(0.004), exemplar(0.007), null, exemplar(8)],
      },
    ],
  });
  const { text } = await metrics.render("application/openmetrics-text");
  const lines = readOpenMetrics(text).get("cutover_request_duration_seconds")?.lines ?? [];
  assert.deepEqual(
    lines.map((line) => line.exemplar?.value ?? null),
    [0.004, null, null, 8, null, null],
  );
});

test("many routes make a long answer, and the thread that guards them goes on in between", async () => {
  const routes = Array.from({ length: 3_000 }, (_, index) => `route-${index}`);
  const slow = function* () {
    for (const route of routes) {
      const endMs = performance.now() + 0.05;
      while (performance.now() < endMs); // as long as the numbers of a route take, and more
      yield { labels: { route }, value: 1 };
    }
  };
  let turns = 0;
  const others = setInterval(() => {
    turns += 1;
  }, 1);
  const { lines } = await render({ fallbacks: slow });
  clearInterval(others);
  assert.equal(lines.filter(({ name }) => name === "cutover_fallbacks_total").length, 3_000);
  assert.ok(turns >= 5, `${turns} turns within some 150 ms`);
});

test("the process's own metrics are there too", async () => {
  const { types } = await render();
  for (const name of [
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "nodejs_eventloop_lag_seconds",
  ])
    assert.ok(types.has(name), name);
});

test("samples keep their labels and their values", async () => {
  const labels = { route: "profiles", side: "new", reason: "canary-share", code: "2xx" };
  const { lines } = await render({
    requests: () => [{ labels, value: 3 }],
    reloadSuccess: () => [{ labels: {}, value: 1 }],
    mismatchRatio: () => [{ labels: { route: "profiles" }, value: 0.0123 }],
  });
  const ours = lines.filter(({ name }) => name.startsWith("cutover_"));
  assert.deepEqual(
    ours.map(({ name, value }) => [name, value]),
    [
      ["cutover_requests_total", 3],
      ["cutover_mismatch_ratio", 0.0123],
      ["cutover_rules_last_reload_success", 1],
    ],
  );
  assert.deepEqual(ours[0]?.labels, labels);
});

test("metrics are read when they are asked for, each time anew", async () => {
  let value = 0;
  const fallbacks = () => [{ labels: { route: "r" }, value: ++value }];
  await render({ fallbacks });
  assert.match((await metrics.render()).text, /cutover_fallbacks_total\{route="r"\} 2\n/);
});

const nastyCharacter = fc.constantFrom(...'"\\\n\r\t,{}=# aé\u0000\u2028😀');
const nastyName = fc.string({ unit: nastyCharacter, maxLength: 8 });

test("no route's name can break the format, whatever it holds", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(nastyName, { maxLength: 5 }), async (names) => {
      const { lines } = await render({
        fallbacks: () => names.map((route) => ({ labels: { route }, value: 1 })),
      });
      const routes = lines.filter(({ name }) => name === "cutover_fallbacks_total");
      assert.deepEqual(
        routes.map(({ labels }) => labels.route),
        names,
      );
    }),
    { numRuns: 30 },
  );
});

test("histograms are cumulative, end in +Inf and agree with their count and sum", async () => {
  const counts = fc.array(fc.nat(1000), { minLength: 4, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(counts, counts, async (old, fresh) => {
      const exposition = await render({
        durations: () => [
          { labels: { route: "r", side: "old" }, counts: old, sum: 1.5 },
          { labels: { route: "r", side: "new" }, counts: fresh, sum: 0 },
        ],
      });
      const types = new Map([...exposition.types].filter(([name]) => name.startsWith("cutover_")));
      assert.equal(assertHistograms({ ...exposition, types }), 2);
      const total = exposition.lines.find(
        ({ name, labels }) => name === "cutover_request_duration_seconds_count" && labels.side === "old",
      );
      assert.equal(
        total?.value,
        old.reduce((sum, count) => sum + count),
      );
    }),
    { numRuns: 20 },
  );
});
