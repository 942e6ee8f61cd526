import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  createMetrics,
  type HistogramSample,
  type MetricsSource,
  type Sample,
} from "../../src/observe/metrics.ts";
import { assertHistograms, readExposition } from "./exposition.ts";

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
    rollbacks: NONE,
    rolloutStep: NONE,
    rolloutState: NONE,
    gateOpen: NONE,
    guardEvidence: NONE,
    reloadSuccess: NONE,
    reloadTimestamp: NONE,
    rulesInfo: NONE,
    inFlight: NONE,
    upgradesOpen: NONE,
    storeDamaged: NONE,
    threadReplacements: NONE,
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
    cutover_rollbacks_total: "counter",
    cutover_rollout_step: "gauge",
    cutover_rollout_state: "gauge",
    cutover_gate_open: "gauge",
    cutover_guard_evidence: "gauge",
    cutover_rules_last_reload_success: "gauge",
    cutover_rules_last_reload_timestamp_seconds: "gauge",
    cutover_rules_info: "gauge",
    cutover_inflight_requests: "gauge",
    cutover_upgrades_open: "gauge",
    cutover_store_damaged: "gauge",
    cutover_thread_replacements_total: "counter",
  });
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
      assert.equal(assertHistograms(exposition), 2);
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
