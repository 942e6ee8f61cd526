/** The metrics of INTERFACE §4: read off the books when they are asked for. Here and in families.ts alone prom-client is known. */

import { setImmediate as othersTurn } from "node:timers/promises";
import { collectDefaultMetrics, Registry } from "prom-client";
import { formatFor } from "./accept.ts";
import { CONTENT_TYPES, metricLines } from "./exposition.ts";
import { familyOf, familyOfProcess, type HistogramSample, histogramOf, type Sample } from "./families.ts";

/** Every number that is shown. Names of the fields are ours, names of the metrics are public. */
export interface MetricsSource {
  requests(): Iterable<Sample>;
  /** Upper bounds in seconds. */
  readonly durationBounds: readonly number[];
  durations(): Iterable<HistogramSample>;
  fallbacks(): Iterable<Sample>;
  shadows(): Iterable<Sample>;
  comparisons(): Iterable<Sample>;
  uncompared(): Iterable<Sample>;
  mismatchRatio(): Iterable<Sample>;
  noiseRatio(): Iterable<Sample>;
  /** Upper bounds in seconds. */
  readonly delayBounds: readonly number[];
  transientDelays(): Iterable<HistogramSample>;
  canaryShare(): Iterable<Sample>;
  rollbackLatched(): Iterable<Sample>;
  rollbackInfo(): Iterable<Sample>;
  rollbacks(): Iterable<Sample>;
  rolloutStep(): Iterable<Sample>;
  rolloutState(): Iterable<Sample>;
  gateOpen(): Iterable<Sample>;
  guardEvidence(): Iterable<Sample>;
  guardLimit(): Iterable<Sample>;
  reloadSuccess(): Iterable<Sample>;
  reloadTimestamp(): Iterable<Sample>;
  rulesInfo(): Iterable<Sample>;
  inFlight(): Iterable<Sample>;
  upgradesOpen(): Iterable<Sample>;
  storeDamaged(): Iterable<Sample>;
  threadReplacements(): Iterable<Sample>;
  spans(): Iterable<Sample>;
}

interface Definition {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "info";
  readonly read: (source: MetricsSource) => Iterable<Sample>;
}

const DEFINITIONS: readonly Definition[] = [
  {
    name: "cutover_requests_total",
    help: "Requests by the side that answered, why, and how.",
    type: "counter",
    read: (s) => s.requests(),
  },
  {
    name: "cutover_fallbacks_total",
    help: "Requests that new failed and old was asked again.",
    type: "counter",
    read: (s) => s.fallbacks(),
  },
  {
    name: "cutover_shadow_total",
    help: "Shadows by what became of them.",
    type: "counter",
    read: (s) => s.shadows(),
  },
  {
    name: "cutover_comparisons_total",
    help: "Comparisons of old and new by result.",
    type: "counter",
    read: (s) => s.comparisons(),
  },
  {
    name: "cutover_mismatch_ratio",
    help: "Mismatches among the pairs that could be compared.",
    type: "gauge",
    read: (s) => s.mismatchRatio(),
  },
  {
    name: "cutover_noise_ratio",
    help: "Pairs that differ only where old differs from itself, among those that could be compared.",
    type: "gauge",
    read: (s) => s.noiseRatio(),
  },
  {
    name: "cutover_uncompared_total",
    help: "Pairs that could not be compared, by reason.",
    type: "counter",
    read: (s) => s.uncompared(),
  },
  {
    name: "cutover_canary_share_ratio",
    help: "Share of requests drawn to new, as it acts now.",
    type: "gauge",
    read: (s) => s.canaryShare(),
  },
  {
    name: "cutover_rollback_latched",
    help: "1: the route is rolled back until it is reset.",
    type: "gauge",
    read: (s) => s.rollbackLatched(),
  },
  {
    name: "cutover_rollback_info",
    help: "Why a route is rolled back, for as long as it is.",
    type: "info",
    read: (s) => s.rollbackInfo(),
  },
  {
    name: "cutover_rollbacks_total",
    help: "Rollbacks by cause.",
    type: "counter",
    read: (s) => s.rollbacks(),
  },
  {
    name: "cutover_rollout_step",
    help: "Number of the rollout's current step, from 0.",
    type: "gauge",
    read: (s) => s.rolloutStep(),
  },
  {
    name: "cutover_rollout_state",
    help: "1: the rollout is in this state.",
    type: "gauge",
    read: (s) => s.rolloutState(),
  },
  {
    name: "cutover_gate_open",
    help: "1: this gate of the current step says yes.",
    type: "gauge",
    read: (s) => s.gateOpen(),
  },
  {
    name: "cutover_guard_evidence",
    help: "Evidence against new, on the scale where 1 trips.",
    type: "gauge",
    read: (s) => s.guardEvidence(),
  },
  {
    name: "cutover_guard_limit",
    help: "The guard's limits as the rules write them: max is a share of new's answers, ratio how often as old.",
    type: "gauge",
    read: (s) => s.guardLimit(),
  },
  {
    name: "cutover_rules_last_reload_success",
    help: "1: the rules files as they stand are in force.",
    type: "gauge",
    read: (s) => s.reloadSuccess(),
  },
  {
    name: "cutover_rules_last_reload_timestamp_seconds",
    help: "When rules were last put in force.",
    type: "gauge",
    read: (s) => s.reloadTimestamp(),
  },
  {
    name: "cutover_rules_info",
    help: "The version of the rules in force.",
    type: "info",
    read: (s) => s.rulesInfo(),
  },
  {
    name: "cutover_inflight_requests",
    help: "Requests in flight by the side that was decided.",
    type: "gauge",
    read: (s) => s.inFlight(),
  },
  {
    name: "cutover_upgrades_open",
    help: "Upgraded connections (WebSocket and others) that are open, by the side that they are to.",
    type: "gauge",
    read: (s) => s.upgradesOpen(),
  },
  {
    name: "cutover_store_damaged",
    help: "1: the state cannot be trusted, everything is on old.",
    type: "gauge",
    read: (s) => s.storeDamaged(),
  },
  {
    name: "cutover_thread_replacements_total",
    help: "Threads that died and were replaced.",
    type: "counter",
    read: (s) => s.threadReplacements(),
  },
  {
    name: "cutover_spans_total",
    help: "Spans by what became of them, where they are exported.",
    type: "counter",
    read: (s) => s.spans(),
  },
];

interface HistogramDefinition {
  readonly name: string;
  readonly help: string;
  readonly bounds: (source: MetricsSource) => readonly number[];
  readonly read: (source: MetricsSource) => Iterable<HistogramSample>;
}

const HISTOGRAMS: readonly HistogramDefinition[] = [
  {
    name: "cutover_request_duration_seconds",
    help: "From a request's head to the end of its answer.",
    bounds: (s) => s.durationBounds,
    read: (s) => s.durations(),
  },
  {
    name: "cutover_transient_delay_seconds",
    help: "From old's answer to the repeat at which both sides answered alike, of pairs that had differed.",
    bounds: (s) => s.delayBounds,
    read: (s) => s.transientDelays(),
  },
];

export interface Metrics {
  /** In the format that `accept` (the field of the request) asks for. */
  render(accept?: string): Promise<{ readonly contentType: string; readonly text: string }>;
}

export function createMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    render: async (accept) => {
      const format = formatFor(accept);
      const process = (await registry.getMetricsAsJSON()).map(familyOfProcess);
      const ours = [
        ...DEFINITIONS.map((definition) => familyOf(definition, () => definition.read(source))),
        ...HISTOGRAMS.map((definition) =>
          histogramOf(definition, definition.bounds(source), () => definition.read(source), format),
        ),
      ];
      const text = await inTurns(metricLines([...process, ...ours], format));
      return { contentType: CONTENT_TYPES[format], text };
    },
  };
}

/** Hundreds of routes make tens of thousands of lines, on the thread that also guards them: it goes on in between. */
const TURN_MS = 5;
const LINES_A_LOOK = 32;

async function inTurns(lines: Iterable<string>): Promise<string> {
  let text = "";
  let count = 0;
  let endMs = performance.now() + TURN_MS;
  for (const line of lines) {
    text += line;
    if (++count % LINES_A_LOOK !== 0 || performance.now() < endMs) continue;
    await othersTurn();
    endMs = performance.now() + TURN_MS;
  }
  return text;
}
