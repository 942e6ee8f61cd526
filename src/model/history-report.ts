/** The shape of `GET /api/v1/history`. Field names are public. */

import type { Actor } from "./reports.ts";
import type { Side } from "./ruleset.ts";

export interface HistoryReport {
  route: string;
  /** Oldest first, one after the other, none over another; the newer the finer. */
  points: HistoryPoint[];
  /** What the guard allows, 0 to 1; null: not guarded. */
  limits: { mismatches: number | null; errors: number | null };
  /** Oldest first. */
  markers: HistoryMarker[];
}

/**
 * What a route did in a stretch of time. In a gap, in which nothing is known of it (the gateway did not run, or the
 * rules did not name the route), all fields but `at` and `seconds` are null.
 */
export interface HistoryPoint {
  /** When it begins; ISO 8601. */
  at: string;
  /** How long it lasts. */
  seconds: number;
  /** In this stretch, as are all counts. */
  requests: Record<Side, number> | null;
  errors: Record<Side, number> | null;
  /** To the answer's head, of the minute that ends here or of the stretch where it is longer. Null: no answers. */
  p50Ms: Record<Side, number | null> | null;
  p99Ms: Record<Side, number | null> | null;
  comparisons: HistoryComparisons | null;
  /** Ratios from 0 to 1, as they acted at its end. */
  canary: number | null;
  shadow: number | null;
  /** The greatest per metric, on the scale where 1 trips. */
  evidence: Record<string, number> | null;
  /** At any time in it. */
  latched: boolean | null;
}

export interface HistoryComparisons {
  match: number;
  mismatch: number;
  noise: number;
  transient: number;
  uncompared: number;
}

/** A line of the audit trail that explains what changed. */
export interface HistoryMarker {
  at: string;
  /** reload | promote | pause | resume | rollback | reset | completed */
  action: string;
  by: Actor;
  reason: string;
}

/** A point of which nothing is known but when it was. */
export function gapPoint(at: string, seconds: number): HistoryPoint {
  return {
    at,
    seconds,
    requests: null,
    errors: null,
    p50Ms: null,
    p99Ms: null,
    comparisons: null,
    canary: null,
    shadow: null,
    evidence: null,
    latched: null,
  };
}
