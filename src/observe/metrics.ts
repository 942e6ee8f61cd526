/** The metrics of INTERFACE §4: read off the books when they are asked for. The one place that knows prom-client. */

import { collectDefaultMetrics, type MetricType, Registry } from "prom-client";

/** One sample: label values and a number. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Readonly<Record<string, string>>;
  /** Not cumulative; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

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
  rollbacks(): Iterable<Sample>;
  rolloutStep(): Iterable<Sample>;
  rolloutState(): Iterable<Sample>;
  gateOpen(): Iterable<Sample>;
  guardEvidence(): Iterable<Sample>;
  reloadSuccess(): Iterable<Sample>;
  reloadTimestamp(): Iterable<Sample>;
  rulesInfo(): Iterable<Sample>;
  inFlight(): Iterable<Sample>;
  upgradesOpen(): Iterable<Sample>;
  storeDamaged(): Iterable<Sample>;
  threadReplacements(): Iterable<Sample>;
}

interface Definition {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
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
    type: "gauge",
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
  /** Prometheus text format. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export function createMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const definition of DEFINITIONS) register(registry, readOnly(definition, source));
  for (const definition of HISTOGRAMS) register(registry, histogram(definition, source));
  return {
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

/** What prom-client's registry asks of a metric. */
interface ReadableMetric {
  readonly name: string;
  get(): Promise<unknown>;
  reset(): void;
}

/** Its types want a metric of its own classes; at run time it calls `name`, `get` and `reset` alone. */
function register(registry: Registry, metric: ReadableMetric): void {
  registry.registerMetric(metric as unknown as Parameters<Registry["registerMetric"]>[0]);
}

function readOnly({ name, help, type, read }: Definition, source: MetricsSource): ReadableMetric {
  return {
    name,
    get: async () => ({
      name,
      help,
      type: type as unknown as MetricType,
      values: [...read(source)],
      aggregator: "sum",
    }),
    reset: () => {},
  };
}

function histogram({ name, help, bounds, read }: HistogramDefinition, source: MetricsSource): ReadableMetric {
  return {
    name,
    get: async () => ({
      name,
      help,
      type: "histogram",
      values: [...read(source)].flatMap((sample) => cumulative(name, bounds(source), sample)),
      aggregator: "sum",
    }),
    reset: () => {},
  };
}

function cumulative(name: string, bounds: readonly number[], { labels, counts, sum }: HistogramSample) {
  let below = 0;
  const buckets = counts.map((count, index) => {
    below += count;
    const le = index < bounds.length ? String(bounds[index]) : "+Inf";
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: below },
  ];
}
