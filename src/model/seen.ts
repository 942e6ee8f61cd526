/** What happened between two looks at a route's status, for charts that go on where the gateway's history ends. */

import type { HistoryComparisons, HistoryPoint } from "./history-report.ts";
import type { RouteStatus } from "./reports.ts";

/** A route's status, and when it was asked for (milliseconds since 1970). */
export interface Seen {
  readonly atMs: number;
  readonly route: RouteStatus;
}

/** Of two looks that are nearer nothing can be said a second. */
const LEAST_SECONDS = 0.5;
/** Between two looks further apart there is a gap. */
const MOST_SECONDS = 30;

/** What the counters say of the time between; null for a gap, and after a restart, when they begin anew. */
export function stretchBetween(before: Seen, now: Seen): Omit<HistoryPoint, "at"> | null {
  const seconds = (now.atMs - before.atMs) / 1000;
  const requests = difference(before.route.requests, now.route.requests);
  const errors = difference(before.route.errors, now.route.errors);
  const comparisons = difference(before.route.comparisons, now.route.comparisons);
  if (requests === null || errors === null || comparisons === null) return null;
  if (seconds < LEAST_SECONDS || seconds > MOST_SECONDS) return null;
  const { old, new: fresh } = now.route.latencyMs;
  return {
    seconds,
    requests,
    errors,
    p50Ms: { old: old?.p50 ?? null, new: fresh?.p50 ?? null },
    p99Ms: { old: old?.p99 ?? null, new: fresh?.p99 ?? null },
    comparisons,
    canary: now.route.canary,
    shadow: now.route.shadow,
    evidence: now.route.evidence,
    latched: now.route.latched,
  };
}

function difference<T extends Readonly<Record<string, number>>>(before: T, now: T): T | null {
  const parts = Object.entries(now).map(([name, value]) => [name, value - (before[name] ?? 0)] as const);
  return parts.some(([, value]) => value < 0) ? null : (Object.fromEntries(parts) as T);
}

/** Pairs that were compared to an end. */
export function comparedPairs({ match, mismatch, noise, transient }: HistoryComparisons): number {
  return match + mismatch + noise + transient;
}
