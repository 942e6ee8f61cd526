/**
 * Of each bucket of the durations the last request whose trace can be looked up. Each data thread has places of its
 * own behind its counters, by side and bucket, and control reads them when it is asked for metrics. A place has one
 * writer; its first word is odd while it is being written, and another number after, so that nobody reads half of
 * two. At most one is written a second and place: on a busy thread a request pays for a look at a number.
 */

import type { Side } from "../model/ruleset.ts";
import { DURATION_BOUNDS_US, EXEMPLAR_WORDS, SIDE_INDEX } from "./layout.ts";
import type { Tile } from "./tile.ts";

export interface BoardExemplar {
  /** 32 hex digits. */
  readonly traceId: string;
  /** Whole, never rounded out of its bucket. */
  readonly durationUs: number;
  /** Of the wall clock. */
  readonly atMs: number;
}

const BUCKETS = DURATION_BOUNDS_US.length + 1;
const EVERY_MS = 1_000;
const TRACE_WORDS = 4;
/** Words of a place. */
const AT = { version: 0, trace: 1, duration: 1 + TRACE_WORDS, time: 3 + TRACE_WORDS } as const;
const TWO_WORDS = 2 ** 32;
/** A thread that writes is done at once; one that died within it never is. */
const TRIES = 3;

/** A data thread's pen for one route. */
export class ExemplarPen {
  readonly #words: Uint32Array;
  /** By place: from when on another may be written, on the clock of `nowMs`. */
  readonly #dueMs = new Float64Array(2 * BUCKETS);

  constructor(tile: Tile, thread: number) {
    this.#words = tile.exemplars(thread);
  }

  /** A request that has ended; `place` as `Recorder.request` says. Only of sampled traces: others nobody can look up. */
  note(place: number, durationUs: number, traceId: string, nowMs: number): void {
    if (nowMs < (this.#dueMs[place] as number)) return;
    this.#dueMs[place] = nowMs + EVERY_MS;
    this.#write(place * EXEMPLAR_WORDS, traceId, Math.ceil(durationUs), Date.now());
  }

  #write(at: number, traceId: string, durationUs: number, atMs: number): void {
    const words = this.#words;
    // One that a dead thread has left odd counts as not written.
    const version = Math.floor(Atomics.load(words, at + AT.version) / 2) * 2;
    Atomics.store(words, at + AT.version, version + 1);
    for (let i = 0; i < TRACE_WORDS; i++) {
      Atomics.store(words, at + AT.trace + i, Number.parseInt(traceId.slice(i * 8, i * 8 + 8), 16));
    }
    storeWide(words, at + AT.duration, durationUs);
    storeWide(words, at + AT.time, atMs);
    Atomics.store(words, at + AT.version, version + 2);
  }
}

/** The newest of all threads by bucket; null: none yet. */
export function readExemplars(tile: Tile, side: Side): (BoardExemplar | null)[] {
  const newest = new Array<BoardExemplar | null>(BUCKETS).fill(null);
  for (let thread = 0; thread < tile.threads; thread++) {
    const words = tile.exemplars(thread);
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const found = read(words, (SIDE_INDEX[side] * BUCKETS + bucket) * EXEMPLAR_WORDS);
      if (found !== null && found.atMs >= (newest[bucket]?.atMs ?? 0)) newest[bucket] = found;
    }
  }
  return newest;
}

function read(words: Uint32Array, at: number): BoardExemplar | null {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const version = Atomics.load(words, at + AT.version);
    if (version === 0) return null;
    if (version % 2 === 1) continue;
    let traceId = "";
    for (let i = 0; i < TRACE_WORDS; i++) {
      traceId += Atomics.load(words, at + AT.trace + i)
        .toString(16)
        .padStart(8, "0");
    }
    const durationUs = loadWide(words, at + AT.duration);
    const atMs = loadWide(words, at + AT.time);
    if (Atomics.load(words, at + AT.version) === version) return { traceId, durationUs, atMs };
  }
  return null;
}

/** Whole numbers beyond 32 bits, in two words. */
function storeWide(words: Uint32Array, at: number, value: number): void {
  Atomics.store(words, at, Math.floor(value / TWO_WORDS));
  Atomics.store(words, at + 1, value % TWO_WORDS);
}

function loadWide(words: Uint32Array, at: number): number {
  return Atomics.load(words, at) * TWO_WORDS + Atomics.load(words, at + 1);
}
