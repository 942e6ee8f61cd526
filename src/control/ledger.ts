/** Adds up what the data threads have counted on the board: totals, and what is new since the last look. */

import {
  bucketEndUs,
  bucketMiddleUs,
  LATENCY_BUCKETS,
  SIDE_INDEX,
  SIDES,
  SLICE,
  SLICE_WORDS,
} from "../board/layout.ts";
import type { Tile } from "../board/tile.ts";
import type { ShadowCounts } from "../model/observation.ts";
import type { Side } from "../model/ruleset.ts";

/** What came in since the last look. */
export interface Increment {
  readonly answers: Readonly<Record<Side, number>>;
  readonly errors: Readonly<Record<Side, number>>;
  /** 4xx. */
  readonly clientErrors: Readonly<Record<Side, number>>;
  readonly slow: Readonly<Record<Side, number>>;
  readonly matches: number;
  /** Those of the matches whose request was asked of old twice, with three equal answers. */
  readonly triples: number;
  /** The same of requests that new served. */
  readonly reverseTriples: number;
  /** Of new's shadows. */
  readonly shadows: ShadowCounts;
}

const WINDOW_MS = 10_000;
/** Six whole windows and the one that is filling: the last minute. */
const WINDOWS = 7;
/** Old's p99 is taken of a minute, or of longer until there are so many answers. */
const BASELINE_MS = 60_000;
const MIN_BASELINE_ANSWERS = 100;
/** Latencies of one side, while they are added up. */
const SUMS = new Uint32Array(LATENCY_BUCKETS);
const LATENCY_WORDS = SIDES.length * LATENCY_BUCKETS;

interface LatencyWindow {
  readonly beganMs: number;
  readonly counts: Uint32Array;
}

/** The books of one route. */
export class Account {
  readonly tile: Tile;
  /** By word of a slice, over all threads since the start. */
  readonly totals = new Float64Array(SLICE_WORDS);
  readonly #slices: readonly Uint32Array[];
  readonly #seen: readonly Uint32Array[];
  #windows: LatencyWindow[] = [];
  #baseline: { beganMs: number; counts: Float64Array; answers: number };

  constructor(tile: Tile, threads: number, nowMs: number) {
    this.tile = tile;
    this.#slices = Array.from({ length: threads }, (_, thread) => tile.slice(thread));
    this.#seen = this.#slices.map(() => new Uint32Array(SLICE_WORDS));
    this.#baseline = { beganMs: nowMs, counts: new Float64Array(LATENCY_BUCKETS), answers: 0 };
  }

  /** Takes over what is new; null: nothing is. */
  read(nowMs: number): Increment | null {
    const changed = this.#slices.filter((slice, thread) => this.#isTouched(slice, thread));
    if (changed.length === 0) return null;
    const before = this.#judged();
    for (const slice of changed)
      this.#take(slice, this.#seen[this.#slices.indexOf(slice)] as Uint32Array, nowMs);
    const after = this.#judged();
    return {
      answers: minus(after.answers, before.answers),
      errors: minus(after.errors, before.errors),
      clientErrors: minus(after.clientErrors, before.clientErrors),
      slow: minus(after.slow, before.slow),
      matches: after.matches - before.matches,
      triples: after.triples - before.triples,
      reverseTriples: after.reverseTriples - before.reverseTriples,
      shadows: {
        answers: after.shadows.answers - before.shadows.answers,
        failed: after.shadows.failed - before.shadows.failed,
      },
    };
  }

  total(word: number): number {
    return this.totals[word] as number;
  }

  bySide(word: number): Record<Side, number> {
    return { old: this.total(word), new: this.total(word + 1) };
  }

  inFlight(side: Side): number {
    return this.#now(SLICE.inFlight + SIDE_INDEX[side]);
  }

  /** Upgraded connections that are open. */
  tunnels(side: Side): number {
    return this.#now(SLICE.tunnels + SIDE_INDEX[side]);
  }

  /** Of the last minute, to the answer head, in milliseconds; null: no answers. */
  latencyMs(side: Side, nowMs: number): { p50: number; p99: number } | null {
    if (this.#windows.length === 0) return null;
    // Done for every route, again and again: no memory of its own, and most counts are 0.
    const sums = SUMS.fill(0);
    const from = SIDE_INDEX[side] * LATENCY_BUCKETS;
    for (const { beganMs, counts } of this.#windows) {
      if (nowMs - beganMs >= WINDOW_MS * WINDOWS) continue;
      for (let i = 0; i < LATENCY_BUCKETS; i++) {
        const count = counts[from + i] as number;
        if (count !== 0) sums[i] = (sums[i] as number) + count;
      }
    }
    const p50 = quantileBucket(sums, 0.5);
    const p99 = quantileBucket(sums, 0.99);
    if (p50 === null || p99 === null) return null;
    return { p50: bucketMiddleUs(p50) / 1000, p99: bucketMiddleUs(p99) / 1000 };
  }

  /**
   * Old's p99 in microseconds when a minute of it is complete, once; null otherwise. Until the next one the
   * limit for slow answers stays where it is. It is the end of a bucket: never too low, which would call more
   * than one in a hundred of old's own answers slow.
   */
  completedBaselineUs(nowMs: number): number | null {
    const baseline = this.#baseline;
    if (nowMs - baseline.beganMs < BASELINE_MS || baseline.answers < MIN_BASELINE_ANSWERS) return null;
    this.#baseline = { beganMs: nowMs, counts: new Float64Array(LATENCY_BUCKETS), answers: 0 };
    const p99 = quantileBucket(baseline.counts, 0.99);
    return p99 === null ? null : bucketEndUs(p99);
  }

  /** A gauge: what the threads have of it at this moment. */
  #now(word: number): number {
    let sum = 0;
    for (const slice of this.#slices) sum += (slice[word] as number) | 0;
    return Math.max(0, sum);
  }

  #isTouched(slice: Uint32Array, thread: number): boolean {
    return Atomics.load(slice, SLICE.touched) !== (this.#seen[thread] as Uint32Array)[SLICE.touched];
  }

  #take(slice: Uint32Array, seen: Uint32Array, nowMs: number): void {
    // First, so that what is written meanwhile makes the slice look touched again.
    seen[SLICE.touched] = Atomics.load(slice, SLICE.touched);
    for (let word = SLICE.requests; word < SLICE_WORDS; word++) {
      const now = slice[word] as number;
      const added = (now - (seen[word] as number)) >>> 0; // the counters wrap around
      if (added === 0) continue;
      seen[word] = now;
      this.totals[word] = (this.totals[word] as number) + added;
      const latency = word - SLICE.latencies;
      if (latency >= 0 && latency < LATENCY_WORDS) this.#takeLatency(latency, added, nowMs);
    }
  }

  #takeLatency(index: number, added: number, nowMs: number): void {
    const { counts } = this.#window(nowMs);
    counts[index] = (counts[index] as number) + added;
    if (index >= LATENCY_BUCKETS) return; // new's: only old's are a baseline
    this.#baseline.counts[index] = (this.#baseline.counts[index] as number) + added;
    this.#baseline.answers += added;
  }

  #window(nowMs: number): LatencyWindow {
    const last = this.#windows.at(-1);
    if (last !== undefined && nowMs - last.beganMs < WINDOW_MS) return last;
    const window = { beganMs: nowMs, counts: new Uint32Array(LATENCY_WORDS) };
    this.#windows = [...this.#windows.slice(-(WINDOWS - 1)), window];
    return window;
  }

  #judged(): Increment {
    return {
      answers: this.bySide(SLICE.answers),
      errors: this.bySide(SLICE.errors),
      clientErrors: this.bySide(SLICE.clientErrors),
      slow: this.bySide(SLICE.slow),
      matches: this.total(SLICE.comparisons),
      triples: this.total(SLICE.triples),
      reverseTriples: this.total(SLICE.reverseTriples),
      shadows: { answers: this.total(SLICE.shadowAnswers), failed: this.total(SLICE.shadowFailures) },
    };
  }
}

function minus(a: Record<Side, number>, b: Record<Side, number>): Record<Side, number> {
  return { old: a.old - b.old, new: a.new - b.new };
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
