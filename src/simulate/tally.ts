/** What many simulations say together. */

import { upperBound } from "../model/confidence.ts";
import type { Ended } from "./bootstrap.ts";

export interface FalseRollbacks {
  readonly runs: number;
  readonly count: number;
  /** The rate of false rollbacks is at most this, 95 to 5; null: nothing was run. */
  readonly atMost: number | null;
  readonly causes: Record<string, number>;
  /** Runs whose rollout reached its end within the log. */
  readonly completed: number;
}

/** Of runs with a healthy new. */
export function falseRollbacksOf(ends: readonly Ended[]): FalseRollbacks {
  const runs = ends.length;
  const count = ends.filter(({ cause }) => cause !== null).length;
  return {
    runs,
    count,
    atMost: runs === 0 ? null : upperBound(count, runs, 0.05),
    causes: causesOf(ends),
    completed: ends.filter(({ outcome }) => outcome === "completed").length,
  };
}

export interface Detection {
  readonly runs: number;
  readonly detected: number;
  readonly causes: Record<string, number>;
  /** From the fault's beginning to the rollback; null where so many runs did not find it. Answers of new. */
  readonly requests: Spread;
  /** Failed answers of new. */
  readonly failedRequests: Spread;
  /** Those that a client saw: no fallback took their place. */
  readonly reachedClients: Spread;
  readonly seconds: Spread;
}

export interface Spread {
  readonly p50: number | null;
  readonly p95: number | null;
}

/** Of runs with a fault. A false rollback before anything is wrong finds nothing, and is left out. */
export function detectionOf(all: readonly Ended[]): Detection {
  const ends = all.filter(({ cause, seconds }) => cause === null || seconds >= 0);
  const spread = (measure: (end: Ended) => number): Spread =>
    spreadOf(ends.map((end) => (end.cause === null ? Number.POSITIVE_INFINITY : measure(end))));
  return {
    runs: ends.length,
    detected: ends.filter(({ cause }) => cause !== null).length,
    causes: causesOf(ends),
    requests: spread(({ answers }) => answers),
    failedRequests: spread(({ failed }) => failed),
    reachedClients: spread(({ failed, saved }) => failed - saved),
    seconds: spread(({ seconds }) => seconds),
  };
}

function causesOf(ends: readonly Ended[]): Record<string, number> {
  const causes: Record<string, number> = {};
  for (const { cause } of ends) if (cause !== null) causes[cause] = (causes[cause] ?? 0) + 1;
  return causes;
}

/** Nearest rank; runs without an end are infinite, and infinite is not known. */
function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (quantile: number): number | null => {
    const value = sorted[Math.max(0, Math.ceil(sorted.length * quantile) - 1)];
    return value === undefined || !Number.isFinite(value) ? null : value;
  };
  return { p50: at(0.5), p95: at(0.95) };
}
