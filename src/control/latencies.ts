/** Latencies of one route by side and bucket: of the last minute, and of old for as long as a baseline takes. */

import { bucketEndUs, bucketMiddleUs, LATENCY_BUCKETS, SIDE_INDEX, SIDES } from "../board/layout.ts";
import type { Side } from "../model/ruleset.ts";

const WINDOW_MS = 10_000;
/** Six whole windows and the one that is filling: the last minute. */
const WINDOWS = 7;
/** Old's p99 is taken of a minute, or of longer until there are so many answers. */
const BASELINE_MS = 60_000;
const MIN_BASELINE_ANSWERS = 100;
/** Latencies of one side, while they are added up. */
const SUMS = new Uint32Array(LATENCY_BUCKETS);
const OLD = SIDE_INDEX.old;

interface LatencyWindow {
  beganMs: number;
  /** By side; null: no answers. Most routes have one side only, and a thousand of them add up. */
  readonly counts: (Uint32Array | null)[];
}

export class Latencies {
  /** Oldest first. */
  readonly #windows: LatencyWindow[] = [];
  readonly #baseline = { beganMs: 0, counts: new Float64Array(LATENCY_BUCKETS), answers: 0 };

  constructor(nowMs: number) {
    this.#baseline.beganMs = nowMs;
  }

  /** `index`: side and bucket, as on the board. */
  add(index: number, count: number, nowMs: number): void {
    const side = index < LATENCY_BUCKETS ? 0 : 1;
    const bucket = index - side * LATENCY_BUCKETS;
    const { counts } = this.#window(nowMs);
    let ofSide = counts[side] ?? null;
    if (ofSide === null) {
      ofSide = new Uint32Array(LATENCY_BUCKETS);
      counts[side] = ofSide;
    }
    ofSide[bucket] = (ofSide[bucket] as number) + count;
    if (side !== OLD) return; // only old's are a baseline
    this.#baseline.counts[bucket] = (this.#baseline.counts[bucket] as number) + count;
    this.#baseline.answers += count;
  }

  /** Of the last minute, to the answer head, in milliseconds; null: no answers. */
  lastMinuteMs(side: Side, nowMs: number): { p50: number; p99: number } | null {
    // Done for every route, again and again: no memory of its own, and most counts are 0.
    const sums = SUMS.fill(0);
    for (const { beganMs, counts } of this.#windows) {
      const ofSide = counts[SIDE_INDEX[side]] ?? null;
      if (ofSide === null || nowMs - beganMs >= WINDOW_MS * WINDOWS) continue;
      for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
        const count = ofSide[bucket] as number;
        if (count !== 0) sums[bucket] = (sums[bucket] as number) + count;
      }
    }
    const p50 = quantileBucket(sums, 0.5);
    const p99 = quantileBucket(sums, 0.99);
    if (p50 === null || p99 === null) return null;
    return { p50: bucketMiddleUs(p50) / 1000, p99: bucketMiddleUs(p99) / 1000 };
  }

  /** Whether a baseline may be complete by now. */
  isBaselineDue(nowMs: number): boolean {
    return nowMs - this.#baseline.beganMs >= BASELINE_MS;
  }

  /**
   * Old's p99 in microseconds when a minute of it is complete, once; null otherwise. It is the end of a bucket: never
   * too low, which would call more than one in a hundred of old's own answers slow.
   */
  takeBaselineUs(nowMs: number): number | null {
    const baseline = this.#baseline;
    if (!this.isBaselineDue(nowMs) || baseline.answers < MIN_BASELINE_ANSWERS) return null;
    const p99 = quantileBucket(baseline.counts, 0.99);
    baseline.beganMs = nowMs;
    baseline.counts.fill(0);
    baseline.answers = 0;
    return p99 === null ? null : bucketEndUs(p99);
  }

  #window(nowMs: number): LatencyWindow {
    const last = this.#windows.at(-1);
    if (last !== undefined && nowMs - last.beganMs < WINDOW_MS) return last;
    let window = this.#windows.length < WINDOWS ? undefined : this.#windows.shift();
    if (window === undefined) window = { beganMs: nowMs, counts: SIDES.map(() => null) };
    window.beganMs = nowMs;
    for (const ofSide of window.counts) ofSide?.fill(0);
    this.#windows.push(window);
    return window;
  }
}

/** The bucket in which the quantile lies; null: no counts. */
function quantileBucket(counts: Float64Array | Uint32Array, quantile: number): number | null {
  let all = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) all += counts[bucket] as number;
  if (all === 0) return null;
  let left = Math.ceil(all * quantile);
  for (let bucket = 0; bucket < counts.length; bucket++) {
    left -= counts[bucket] as number;
    if (left <= 0) return bucket;
  }
  return counts.length - 1;
}
