/** What a detector is shown, and what it answers. */

import type { Counts, Metric } from "./metric.ts";
import type { SharePpm, Side } from "./ruleset.ts";

export type EventKind = "error" | "client-error" | "slow";

/** One failing answer, by either side. */
export interface FailureEvent {
  readonly kind: EventKind;
  readonly side: Side;
  /**
   * Share of new that the draw used when this request was decided. 0: not decided by the draw (forced, pinned,
   * always, never, method, list); relative tests leave it out, as they do the whole, which has no old arm.
   */
  readonly rhoPpm: SharePpm;
  /** Fingerprint of the key; null: keyless, a unit of its own. */
  readonly unit: string | null;
}

/** What happened since the last batch. */
export interface Batch {
  /** Canary share in force. */
  readonly sharePpm: SharePpm;
  /** Answers of new that were no errors (4xx are clean here). */
  readonly cleanNew: number;
  /** Answers of new that were not slow. Needed only where latency is guarded, and only at the whole share. */
  readonly fastNew: number;
  /** False: old's p99 is not known yet, so that no answer can be called slow, or not slow. Absent: it is. */
  readonly isSpeedMeasured?: boolean;
  /** In order. A fallback's answer of old is none of them. */
  readonly events: readonly FailureEvent[];
  /**
   * Those errors and 4xx of new that are its alone: old, asked the same, answered well; and those of which old could not
   * be asked. They come when old has answered, after the event itself. Absent: nobody asks, and each counts as new's alone.
   */
  readonly alone?: readonly FailureEvent[];
  /** All answers of old to clients and their errors, without fallbacks. */
  readonly old: { readonly answers: number; readonly errors: number };
  /** Answers of each side that were 4xx, as they were counted with the answers. Absent: those among the events. */
  readonly clientErrors?: Readonly<Record<Side, number>>;
  readonly comparisons: Comparisons;
  /** Absent: there was one for each compared pair, and none failed. */
  readonly shadows?: ShadowCounts;
}

/** Compared shadows of new. */
export interface ShadowCounts {
  readonly answers: number;
  /** Those with a 5xx or without an answer, where old answered well. */
  readonly failed: number;
}

/** Compared pairs. */
export interface Comparisons {
  /** Pairs that say nothing against new: equal ones, those of noise, and those that were equal when asked again. */
  readonly match: number;
  /** One unit for each pair that differs where old was shown not to; where noise is not measured, for every one. */
  readonly mismatchUnits: readonly (string | null)[];
  /** Absent: noise is not measured. */
  readonly noise?: NoiseEvidence;
}

/** What asking old twice says besides. */
export interface NoiseEvidence {
  /** Pairs that differ at places of which it is not known yet whether old differs there too. */
  readonly freshUnits: readonly (string | null)[];
  /** Triples that say nothing for or against new. */
  readonly equalTriples: number;
  readonly triples: readonly TripleSigns[];
  /** Places known as noise. */
  readonly noisyPlaces: number;
  /** The share of pairs that may differ by noise that was not seen yet. */
  readonly bound: number;
  /** Old's second answers have stopped coming. */
  readonly isBlind: boolean;
  /** Old was seen to differ where it had been held against new. */
  readonly wasWrong: boolean;
}

/**
 * One triple (old, old again, new): 1 where new alone differs from old's first answer, -1 where old alone does.
 * Where both do, or neither, it says nothing.
 */
export interface TripleSigns {
  readonly unit: string | null;
  /** At places that were known as noise before. */
  readonly signs: readonly { readonly place: string; readonly sign: -1 | 1 }[];
  /** At all other places together. */
  readonly elsewhere: -1 | 0 | 1;
}

/** A limit crossed: all traffic back to old. */
export interface Trip extends Counts {
  readonly metric: Metric;
  /** One sentence with metric, value, limit and samples. */
  readonly summary: string;
}

/** The kind of failure that a metric counts; pairs that differ come by themselves. */
export const KIND_OF: Record<Exclude<Metric, "mismatches">, EventKind> = {
  errors: "error",
  "client-errors": "client-error",
  latency: "slow",
};

export const METRIC_OF: Record<EventKind, Metric> = {
  error: "errors",
  "client-error": "client-errors",
  slow: "latency",
};

/** Answers of a side that were 4xx. */
export function clientErrorsOf(batch: Batch, side: Side): number {
  return batch.clientErrors?.[side] ?? countEvents(batch, "client-error", side);
}

/** How many failures of a kind a side had. */
export function countEvents(batch: Batch, kind: EventKind, side: Side): number {
  let n = 0;
  for (const event of batch.events) if (event.kind === kind && event.side === side) n += 1;
  return n;
}
