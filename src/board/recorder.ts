/** A data thread's pen: writes one route's counters into the thread's own slice of the tile. */

import type { Side } from "../model/ruleset.ts";
import { UNCOMPARED_REASONS, type UncomparedReason } from "../model/uncompared.ts";
import { ExemplarPen } from "./exemplars.ts";
import {
  durationPlace,
  LATENCY_BUCKETS,
  LOCAL_COMPARISONS,
  type LocalComparison,
  latencyBucket,
  requestsWord,
  SHADOW_RESULTS,
  type ShadowResult,
  SIDE_INDEX,
  SLICE,
} from "./layout.ts";
import type { Tile } from "./tile.ts";

/** What one leg tells about its side. */
export type Evidence = "well" | "error" | "client-error";

export class Recorder {
  readonly #slice: Uint32Array;
  /** Where sampled requests are noted, so that a bucket of durations leads to a trace. */
  readonly exemplars: ExemplarPen;

  constructor(tile: Tile, thread: number) {
    this.#slice = tile.slice(thread);
    this.exemplars = new ExemplarPen(tile, thread);
  }

  /** A thread that takes over the slice of one that died has nothing in flight yet. */
  clearInFlight(): void {
    this.#slice[SLICE.inFlight] = 0;
    this.#slice[SLICE.inFlight + 1] = 0;
    this.#slice[SLICE.tunnels] = 0;
    this.#slice[SLICE.tunnels + 1] = 0;
  }

  began(side: Side): void {
    this.#add(SLICE.inFlight + SIDE_INDEX[side], 1);
  }

  ended(side: Side): void {
    this.#add(SLICE.inFlight + SIDE_INDEX[side], -1);
  }

  tunnelOpened(side: Side): void {
    this.#add(SLICE.tunnels + SIDE_INDEX[side], 1);
  }

  tunnelClosed(side: Side): void {
    this.#add(SLICE.tunnels + SIDE_INDEX[side], -1);
  }

  /**
   * What the client was answered, once a request. `reason` and `code` are indexes (REASONS, CODES). Returns the place
   * of its duration, by side and bucket, for `exemplars`.
   */
  request(side: Side, reason: number, code: number, durationUs: number): number {
    const sideIndex = SIDE_INDEX[side];
    const place = durationPlace(sideIndex, durationUs);
    this.#add(requestsWord(sideIndex, reason, code), 1);
    this.#add(SLICE.durations + place, 1);
    this.#addDuration(sideIndex, durationUs);
    this.#touch();
    return place;
  }

  /** One leg that is evidence about its side. `latencyUs`: dispatch to answer head; null: none came. */
  leg(side: Side, evidence: Evidence, slow: boolean, latencyUs: number | null): void {
    const sideIndex = SIDE_INDEX[side];
    this.#add(SLICE.answers + sideIndex, 1);
    if (evidence === "error") this.#add(SLICE.errors + sideIndex, 1);
    else if (evidence === "client-error") this.#add(SLICE.clientErrors + sideIndex, 1);
    if (slow) this.#add(SLICE.slow + sideIndex, 1);
    if (latencyUs !== null) {
      this.#add(SLICE.latencies + sideIndex * LATENCY_BUCKETS + latencyBucket(latencyUs), 1);
    }
    this.#touch();
  }

  fallback(): void {
    this.#add(SLICE.fallbacks, 1);
    this.#touch();
  }

  shadow(result: ShadowResult): void {
    this.#add(SLICE.shadows + SHADOW_RESULTS.indexOf(result), 1);
    this.#touch();
  }

  /** A shadow that says something of new; `failed`: new gave a 5xx or no answer where old answered well. */
  shadowAnswer(failed: boolean): void {
    this.#add(SLICE.shadowAnswers, 1);
    if (failed) this.#add(SLICE.shadowFailures, 1);
    this.#touch();
  }

  comparison(result: LocalComparison): void {
    this.#add(SLICE.comparisons + LOCAL_COMPARISONS.indexOf(result), 1);
    this.#touch();
  }

  /** A pair that was lost, and why. */
  uncompared(why: UncomparedReason): void {
    this.#add(SLICE.uncompared + UNCOMPARED_REASONS.indexOf(why), 1);
    this.comparison("uncompared");
  }

  /** Old, new and old again were all the same: a match. */
  triple(isReverse = false): void {
    this.#add(isReverse ? SLICE.reverseTriples : SLICE.triples, 1);
    this.comparison("match");
  }

  #addDuration(sideIndex: number, durationUs: number): void {
    const rest = SLICE.durationRestNs + sideIndex;
    const ns = (this.#slice[rest] as number) + durationUs * 1000;
    const wholeMs = Math.floor(ns / 1e6);
    this.#slice[rest] = ns - wholeMs * 1e6;
    this.#add(SLICE.durationSumMs + sideIndex, wholeMs);
  }

  #add(word: number, amount: number): void {
    this.#slice[word] = (this.#slice[word] as number) + amount;
  }

  #touch(): void {
    // The store is the release that lets control see what was written before it.
    Atomics.store(this.#slice, SLICE.touched, ((this.#slice[SLICE.touched] as number) + 1) >>> 0);
  }
}
