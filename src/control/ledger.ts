/** Adds up what the data threads have counted on the board: totals, and what is new since the last look. */

import {
  FIRST_COUNTER,
  FIRST_FAR_WORD,
  LATENCY_BUCKETS,
  SIDE_INDEX,
  SIDES,
  SLICE,
  SLICE_WORDS,
} from "../board/layout.ts";
import type { Tile } from "../board/tile.ts";
import type { ShadowCounts } from "../model/observation.ts";
import type { Side } from "../model/ruleset.ts";
import { Latencies } from "./latencies.ts";

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

/**
 * The far words are a thousand, of which a request changes three: they are read when somebody asks for one, and
 * otherwise so often that latencies come into the window that they belong to.
 */
const FAR_EVERY_MS = 2_000;
/** How often a route is read that nobody judges: those who ask for a total of it bring it up to date themselves. */
const UNJUDGED_EVERY_MS = 2_000;
const LATENCIES_END = SLICE.latencies + SIDES.length * LATENCY_BUCKETS;
/** What one look adds to the near words. Done for every route, again and again: no memory of its own. */
const ADDED = new Float64Array(FIRST_FAR_WORD);

/** The books of one route. */
export class Account {
  readonly tile: Tile;
  /** Whether anybody waits for what `read` answers. Of the others only totals are of interest, now and then. */
  isJudged = true;
  /** By word of a slice, over all threads since the start. */
  readonly #totals = new Float64Array(SLICE_WORDS);
  readonly #slices: readonly Uint32Array[];
  readonly #seen: readonly Uint32Array[];
  /** By thread: SLICE.touched when its far words were read. */
  readonly #farSeen: Uint32Array;
  /** When the far words are to be read at the latest; infinite: nothing of them is new. */
  #farDueMs = Number.POSITIVE_INFINITY;
  #lookedMs: number;
  readonly #latencies: Latencies;

  constructor(tile: Tile, threads: number, nowMs: number) {
    this.tile = tile;
    this.#slices = Array.from({ length: threads }, (_, thread) => tile.slice(thread));
    this.#seen = this.#slices.map(() => new Uint32Array(SLICE_WORDS));
    this.#farSeen = new Uint32Array(threads);
    this.#lookedMs = nowMs;
    this.#latencies = new Latencies(nowMs);
  }

  /** Whether it is time for a `read`. */
  isDue(nowMs: number): boolean {
    return this.isJudged || nowMs - this.#lookedMs >= UNJUDGED_EVERY_MS;
  }

  /** Takes over what is new; null: nothing is. */
  read(nowMs: number): Increment | null {
    this.#lookedMs = nowMs;
    let isTouched = false;
    for (let thread = 0; thread < this.#slices.length; thread++) {
      const slice = this.#slices[thread] as Uint32Array;
      const seen = this.#seen[thread] as Uint32Array;
      const touched = Atomics.load(slice, SLICE.touched);
      if (touched === seen[SLICE.touched]) continue;
      if (!isTouched) ADDED.fill(0);
      isTouched = true;
      // First, so that what is written meanwhile makes the slice look touched again.
      seen[SLICE.touched] = touched;
      this.#takeNear(slice, seen);
    }
    if (nowMs >= this.#farDueMs) this.#takeFar();
    else if (isTouched) this.#farDueMs = Math.min(this.#farDueMs, nowMs + FAR_EVERY_MS);
    return isTouched ? incrementOf(ADDED) : null;
  }

  /** As of the last look, or newer. */
  total(word: number): number {
    this.#refresh();
    if (word >= FIRST_FAR_WORD) this.#catchUp();
    return this.#totals[word] as number;
  }

  /** Of so many totals from this one on. */
  sum(first: number, words: number): number {
    let sum = this.total(first);
    for (let word = first + 1; word < first + words; word++) sum += this.#totals[word] as number;
    return sum;
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
    this.#refresh();
    this.#catchUp();
    return this.#latencies.lastMinuteMs(side, nowMs);
  }

  /**
   * Old's p99 in microseconds when a minute of it is complete, once; null otherwise. Until the next one the
   * limit for slow answers stays where it is.
   */
  completedBaselineUs(nowMs: number): number | null {
    if (!this.#latencies.isBaselineDue(nowMs)) return null;
    this.#catchUp();
    return this.#latencies.takeBaselineUs(nowMs);
  }

  /** A gauge: what the threads have of it at this moment. */
  #now(word: number): number {
    let sum = 0;
    for (const slice of this.#slices) sum += (slice[word] as number) | 0;
    return Math.max(0, sum);
  }

  #takeNear(slice: Uint32Array, seen: Uint32Array): void {
    for (let word = FIRST_COUNTER; word < FIRST_FAR_WORD; word++) {
      const added = this.#take(slice, seen, word);
      if (added !== 0) ADDED[word] = (ADDED[word] as number) + added;
    }
  }

  #refresh(): void {
    if (!this.isJudged) this.read(this.#lookedMs);
  }

  #catchUp(): void {
    if (this.#farDueMs !== Number.POSITIVE_INFINITY) this.#takeFar();
  }

  #takeFar(): void {
    this.#farDueMs = Number.POSITIVE_INFINITY;
    for (let thread = 0; thread < this.#slices.length; thread++) {
      const seen = this.#seen[thread] as Uint32Array;
      const touched = seen[SLICE.touched] as number;
      if (touched === this.#farSeen[thread]) continue;
      this.#farSeen[thread] = touched;
      const slice = this.#slices[thread] as Uint32Array;
      for (let word = FIRST_FAR_WORD; word < SLICE_WORDS; word++) {
        const added = this.#take(slice, seen, word);
        if (added === 0 || word < SLICE.latencies || word >= LATENCIES_END) continue;
        this.#latencies.add(word - SLICE.latencies, added, this.#lookedMs);
      }
    }
  }

  /** How much a counter has risen; it wraps around. */
  #take(slice: Uint32Array, seen: Uint32Array, word: number): number {
    const now = slice[word] as number;
    const added = (now - (seen[word] as number)) >>> 0;
    if (added === 0) return 0;
    seen[word] = now;
    this.#totals[word] = (this.#totals[word] as number) + added;
    return added;
  }
}

function incrementOf(added: Float64Array): Increment {
  const at = (word: number): number => added[word] as number;
  const bySide = (word: number): Record<Side, number> => ({ old: at(word), new: at(word + 1) });
  return {
    answers: bySide(SLICE.answers),
    errors: bySide(SLICE.errors),
    clientErrors: bySide(SLICE.clientErrors),
    slow: bySide(SLICE.slow),
    matches: at(SLICE.comparisons),
    triples: at(SLICE.triples),
    reverseTriples: at(SLICE.reverseTriples),
    shadows: { answers: at(SLICE.shadowAnswers), failed: at(SLICE.shadowFailures) },
  };
}
