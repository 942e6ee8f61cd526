/**
 * The board: memory that all threads share, so that a switch thrown by control holds for the very next request
 * on every data thread, and counting costs no message.
 *
 * One buffer ("tile") a route: first the switches, then one slice of counters for each data thread. A tile
 * never moves or changes size, so a reload with more routes makes more tiles and nobody ever reads a half-new
 * layout. A slice has one writer (its thread) and one reader (control): plain 32-bit additions that wrap around,
 * of which the reader takes differences.
 */

import { CODES } from "../model/failures.ts";
import { REASONS } from "../model/reasons.ts";
import type { Side } from "../model/ruleset.ts";
import { UNCOMPARED_REASONS } from "../model/uncompared.ts";

export const SIDES: readonly Side[] = ["old", "new"];
export const SIDE_INDEX: Readonly<Record<Side, number>> = { old: 0, new: 1 };

/** Int32 words at the start of a tile. */
export const SWITCH = {
  /** One of LATCH. */
  latch: 0,
  /** Share in millionths that acts instead of the rules' own; -1: the rules' own acts. */
  canaryOverride: 1,
  shadowOverride: 2,
  /** Running number of requests that could be shadowed: shares are taken by counting. */
  shadowSequence: 3,
  /** The second that rateCount counts, and the shadows begun in it. */
  rateSecond: 4,
  rateCount: 5,
  /** "New failed, old answered well" so many times running, and how many roll back (0: off). */
  killStreak: 6,
  killLimit: 7,
  /** Slower than this is a slow answer, in microseconds; 0: latency is not guarded. */
  slowUs: 8,
  /** Shadows that are still to be asked of old a second time without a draw: its noise is being learned. */
  noiseLearning: 9,
  /** A request has failed on both sides since new last answered well: 1. How many times that came to be. */
  sharedFailure: 10,
  sharedCount: 11,
  /** Streaks of the kill switch that a good answer of new has broken. */
  brokenStreaks: 12,
  /** When both were counted. */
  faultSpan: 13,
  /** How the last shadow that failed did, see Tile; 0: none has. */
  shadowFailure: 14,
  /** Pairs that a comparison thread has been sent and that control has not heard of yet. */
  pairsWaiting: 15,
} as const;
/** A cache line of its own for the switches: they are read by every request. */
export const SWITCH_WORDS = 32;

export const LATCH = {
  open: 0,
  /** Control has latched the route. */
  latched: 1,
  /** A data thread's kill switch has; control has still to record it. */
  killed: 2,
  /** The store is damaged: nobody knows what was latched, so everything is. */
  closed: 3,
} as const;

export const SHADOW_RESULTS = ["sent", "shed", "too_large", "timeout", "failed"] as const;
export type ShadowResult = (typeof SHADOW_RESULTS)[number];

/** What a data thread itself can say of a pair; a comparison thread says the rest. */
export const LOCAL_COMPARISONS = ["match", "uncompared"] as const;
export type LocalComparison = (typeof LOCAL_COMPARISONS)[number];

/** Upper bounds of cutover_request_duration_seconds, in microseconds. */
export const DURATION_BOUNDS_US = [
  5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

/** Eight buckets to each doubling, so that the middle of one is right within 7%. See latencyBucket. */
export const LATENCY_BUCKETS = 232;

const sides = SIDES.length;
let next = 0;
function words(count: number): number {
  const at = next;
  next += count;
  return at;
}

/**
 * Uint32 words of a slice. What every request writes and every look reads stands together at its start: a thousand
 * routes would otherwise take a thousand times as many cache lines. The far words, from `durations` on, are read when
 * somebody asks.
 */
export const SLICE = {
  /** Changes whenever anything else here does: an unchanged slice is not read. */
  touched: words(1),
  inFlight: words(sides),
  /** Upgraded connections that are open, by side. */
  tunnels: words(sides),
  /** What has not become a whole millisecond of them yet, in nanoseconds by side: the thread's own. */
  durationRestNs: words(sides),
  /** Milliseconds: in microseconds, 72 minutes of waiting between two looks would be a whole turn. */
  durationSumMs: words(sides),
  /** What the guard judges a side by: every leg that was evidence, and those that failed. */
  answers: words(sides),
  errors: words(sides),
  clientErrors: words(sides),
  slow: words(sides),
  /** Compared shadows that new answered or failed to answer, and those of them that failed where old answered well. */
  shadowAnswers: words(1),
  shadowFailures: words(1),
  comparisons: words(LOCAL_COMPARISONS.length),
  /** Matches whose request was asked of old a second time, with the same answer: no noise anywhere. */
  triples: words(1),
  /** The same where new served the client: old was asked twice after new. */
  reverseTriples: words(1),
  fallbacks: words(1),
  shadows: words(SHADOW_RESULTS.length),
  /** By reason: the parts of the comparisons that are "uncompared". */
  uncompared: words(UNCOMPARED_REASONS.length),
  /** [side][bound], and one above all bounds. */
  durations: words(sides * (DURATION_BOUNDS_US.length + 1)),
  /** [side][bucket]: dispatch to answer head. */
  latencies: words(sides * LATENCY_BUCKETS),
  /** [side][reason][code]: what clients were answered. */
  requests: words(sides * REASONS.length * CODES.length),
} as const;
/** The first of the words that only rise: those before it say what is so now. */
export const FIRST_COUNTER: number = SLICE.durationSumMs;
export const FIRST_FAR_WORD: number = SLICE.durations;
/** Whole cache lines, so that no two threads write to one. */
export const SLICE_WORDS = Math.ceil(next / 16) * 16;

/** Of a duration within SLICE.durations: the first bound that holds it (le is less or equal), or beyond the last. */
export function durationPlace(side: number, us: number): number {
  let index = 0;
  while (index < DURATION_BOUNDS_US.length && us > (DURATION_BOUNDS_US[index] as number)) index++;
  return side * (DURATION_BOUNDS_US.length + 1) + index;
}

export function requestsWord(side: number, reason: number, code: number): number {
  return SLICE.requests + (side * REASONS.length + reason) * CODES.length + code;
}

/** The bucket of a latency; below 8 µs each microsecond has its own. */
export function latencyBucket(us: number): number {
  const whole = Math.min(Math.max(us, 0), 0x7fff_ffff) | 0;
  if (whole < 8) return whole;
  const exponent = 31 - Math.clz32(whole);
  return (exponent - 2) * 8 + ((whole >>> (exponent - 3)) & 7);
}

/** The least latency that is beyond a bucket, in microseconds. */
export function bucketEndUs(bucket: number): number {
  if (bucket < 8) return bucket + 1;
  const exponent = Math.floor(bucket / 8) + 2;
  return (8 + (bucket % 8) + 1) * 2 ** (exponent - 3);
}

/** A latency that stands for all of a bucket, in microseconds: at most a sixteenth away from any of them. */
export function bucketMiddleUs(bucket: number): number {
  return bucket === 0 ? 0.5 : (bucketEndUs(bucket - 1) + bucketEndUs(bucket)) / 2;
}

/** Words of one exemplar, see exemplars.ts. */
export const EXEMPLAR_WORDS = 9;
/** What each thread writes to: its counters, and behind them an exemplar for each side and bucket. */
export const THREAD_WORDS =
  SLICE_WORDS + Math.ceil((sides * (DURATION_BOUNDS_US.length + 1) * EXEMPLAR_WORDS) / 16) * 16;

export function tileBytes(threads: number): number {
  return (SWITCH_WORDS + threads * THREAD_WORDS) * 4;
}
