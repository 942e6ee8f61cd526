/** One route's tile, as control and every data thread see it. */

import { FAILURES, type Failure } from "../model/failures.ts";
import { type SharePpm, type Side, WHOLE_PPM } from "../model/ruleset.ts";
import {
  LATCH,
  SIDE_INDEX,
  SIDES,
  SLICE_WORDS,
  SWITCH,
  SWITCH_WORDS,
  THREAD_WORDS,
  tileBytes,
} from "./layout.ts";

const NO_OVERRIDE = -1;

/**
 * So many requests that failed on both sides, and so many streaks of new alone, with a good answer of new after each,
 * make a common fault: requests that fail everywhere are none, nor is a new that fails now and then. What an older span
 * counted fades by half.
 */
const COMMON_FAULT = { shared: 3, streaks: 2 } as const;
const SPAN_MS = 30_000;
/**
 * In a common fault a run needs so many times its limit. Where both sides fail at random and new is no worse, the next
 * answer that counts is no more likely to lengthen a run than to end it: one of 25 comes once in 30 million.
 */
const COMMON_FAULT_FACTOR = 5;

/** The switches. Reads are atomic loads: what another thread has written holds for the next request here. */
export class Tile {
  readonly buffer: SharedArrayBuffer;
  readonly #switches: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#switches = new Int32Array(buffer, 0, SWITCH_WORDS);
  }

  static create(threads: number): Tile {
    const tile = new Tile(new SharedArrayBuffer(tileBytes(threads)));
    tile.overrideShares(null);
    return tile;
  }

  get threads(): number {
    return (this.buffer.byteLength / 4 - SWITCH_WORDS) / THREAD_WORDS;
  }

  /** A thread's counters. */
  slice(thread: number): Uint32Array {
    return new Uint32Array(this.buffer, (SWITCH_WORDS + thread * THREAD_WORDS) * 4, SLICE_WORDS);
  }

  exemplars(thread: number): Uint32Array {
    const from = SWITCH_WORDS + thread * THREAD_WORDS + SLICE_WORDS;
    return new Uint32Array(this.buffer, from * 4, THREAD_WORDS - SLICE_WORDS);
  }

  get latched(): boolean {
    return Atomics.load(this.#switches, SWITCH.latch) !== LATCH.open;
  }

  /** A data thread's kill switch has latched the route, and control has not recorded it yet. */
  get killed(): boolean {
    return Atomics.load(this.#switches, SWITCH.latch) === LATCH.killed;
  }

  /** Latched without exceptions, because the store is damaged. */
  get closed(): boolean {
    return Atomics.load(this.#switches, SWITCH.latch) === LATCH.closed;
  }

  latch(): void {
    Atomics.store(this.#switches, SWITCH.latch, LATCH.latched);
  }

  close(): void {
    Atomics.store(this.#switches, SWITCH.latch, LATCH.closed);
  }

  unlatch(): void {
    Atomics.store(this.#switches, SWITCH.killStreak, 0);
    Atomics.store(this.#switches, SWITCH.sharedFailure, 0);
    Atomics.store(this.#switches, SWITCH.sharedCount, 0);
    Atomics.store(this.#switches, SWITCH.brokenStreaks, 0);
    Atomics.store(this.#switches, SWITCH.latch, LATCH.open);
  }

  /** The share that acts now. */
  canaryPpm(byRules: SharePpm): SharePpm {
    return this.#share(SWITCH.canaryOverride, byRules);
  }

  shadowPpm(byRules: SharePpm): SharePpm {
    return this.#share(SWITCH.shadowOverride, byRules);
  }

  /** Shares that act instead of the rules' own (a rollout's step); null: the rules' own. */
  overrideShares(shares: { readonly canaryPpm: SharePpm; readonly shadowPpm: SharePpm } | null): void {
    Atomics.store(this.#switches, SWITCH.canaryOverride, shares?.canaryPpm ?? NO_OVERRIDE);
    Atomics.store(this.#switches, SWITCH.shadowOverride, shares?.shadowPpm ?? NO_OVERRIDE);
  }

  /** The running number of the next request that could be shadowed, over all threads. */
  nextShadowSequence(): number {
    return Atomics.add(this.#switches, SWITCH.shadowSequence, 1) >>> 0;
  }

  /** Takes one of this second's shadows; false: they are used up. */
  takeRate(perSecond: number, nowSecond: number): boolean {
    const second = nowSecond | 0;
    const counted = Atomics.load(this.#switches, SWITCH.rateSecond);
    const aheadSeconds = (second - counted) | 0;
    // One second back is a thread that is late; further back, the clock was set.
    const isAnother = aheadSeconds > 0 || aheadSeconds < -1;
    if (
      isAnother &&
      Atomics.compareExchange(this.#switches, SWITCH.rateSecond, counted, second) === counted
    ) {
      Atomics.store(this.#switches, SWITCH.rateCount, 0);
    }
    return Atomics.add(this.#switches, SWITCH.rateCount, 1) < perSecond;
  }

  /** A pair goes to the comparison thread. */
  sendPair(): void {
    Atomics.add(this.#switches, SWITCH.pairsWaiting, 1);
  }

  /** Control has heard of one: nobody else takes from what waits. One sent before the route was made anew is not there. */
  receivePair(): void {
    if (Atomics.load(this.#switches, SWITCH.pairsWaiting) > 0) {
      Atomics.sub(this.#switches, SWITCH.pairsWaiting, 1);
    }
  }

  /** So many will never be heard of: their comparison thread has ended. */
  takeLostPairs(): number {
    return Atomics.exchange(this.#switches, SWITCH.pairsWaiting, 0);
  }

  /** The next so many shadows are asked of old a second time without a draw. */
  learnNoise(shadows: number): void {
    Atomics.store(this.#switches, SWITCH.noiseLearning, shadows);
  }

  /** Takes one of those; false: they are used up. All threads together take exactly so many. */
  takeNoiseLesson(): boolean {
    // The load keeps the usual case from writing to a line that all threads read.
    if (Atomics.load(this.#switches, SWITCH.noiseLearning) <= 0) return false;
    // Threads that meet here may go below zero: what was there before decides.
    return Atomics.sub(this.#switches, SWITCH.noiseLearning, 1) > 0;
  }

  get killStreak(): number {
    return Atomics.load(this.#switches, SWITCH.killStreak);
  }

  /** Zero: off. */
  setKillLimit(limit: number): void {
    Atomics.store(this.#switches, SWITCH.killLimit, limit);
  }

  /** New answered well: the streak is broken. `wallMs` is asked for where something failed before it. */
  breakKillStreak(wallMs: () => number): void {
    const breaks = this.#clear(SWITCH.killStreak);
    const endsShared = this.#clear(SWITCH.sharedFailure);
    if (!breaks && !endsShared) return;
    this.#fadeFaults(wallMs());
    if (breaks) Atomics.add(this.#switches, SWITCH.brokenStreaks, 1);
    if (endsShared) Atomics.add(this.#switches, SWITCH.sharedCount, 1);
  }

  /**
   * A request failed on both sides: it neither lengthens the streak nor breaks it. It counts towards a common fault once
   * new answers well again, and then once, however many there were: a new that is dead has no fault in common with old,
   * whatever is asked of it.
   */
  noteSharedFailure(): void {
    if (Atomics.load(this.#switches, SWITCH.sharedFailure) === 0) {
      Atomics.store(this.#switches, SWITCH.sharedFailure, 1);
    }
  }

  /** So many times running rolls back now; 0: off. More than the rules' limit while both sides share a fault. */
  killLimit(wallMs: number): number {
    const limit = Atomics.load(this.#switches, SWITCH.killLimit);
    if (Atomics.load(this.#switches, SWITCH.sharedCount) === 0) return limit;
    this.#fadeFaults(wallMs);
    const isCommon =
      Atomics.load(this.#switches, SWITCH.sharedCount) >= COMMON_FAULT.shared &&
      Atomics.load(this.#switches, SWITCH.brokenStreaks) >= COMMON_FAULT.streaks;
    return isCommon ? limit * COMMON_FAULT_FACTOR : limit;
  }

  /**
   * New failed where old answered well. At the limit the route is latched here and now, by whichever thread
   * sees it, so that no message and no busy control thread stands between the failure and the rollback.
   * Returns true for the one call that latched.
   */
  addToKillStreak(wallMs: number): boolean {
    const limit = this.killLimit(wallMs);
    if (limit === 0) return false;
    const streak = Atomics.add(this.#switches, SWITCH.killStreak, 1) + 1;
    if (streak < limit) return false;
    return Atomics.compareExchange(this.#switches, SWITCH.latch, LATCH.open, LATCH.killed) === LATCH.open;
  }

  /** Microseconds; 0: latency is not guarded. */
  get slowUs(): number {
    return Atomics.load(this.#switches, SWITCH.slowUs);
  }

  setSlowUs(slowUs: number): void {
    Atomics.store(this.#switches, SWITCH.slowUs, slowUs);
  }

  /** Of a shadow that failed: why, and which side had been asked. */
  noteShadowFailure(side: Side, failure: Failure): void {
    const word = 1 + FAILURES.indexOf(failure) * SIDES.length + SIDE_INDEX[side];
    // The load keeps a new that is down from writing to a line that all threads read.
    if (Atomics.load(this.#switches, SWITCH.shadowFailure) === word) return;
    Atomics.store(this.#switches, SWITCH.shadowFailure, word);
  }

  /** How the last shadow that failed did; null: none has. */
  get shadowFailure(): { readonly side: Side; readonly failure: Failure } | null {
    const at = Atomics.load(this.#switches, SWITCH.shadowFailure) - 1;
    const [side, failure] = [SIDES[at % SIDES.length], FAILURES[Math.floor(at / SIDES.length)]];
    return side === undefined || failure === undefined ? null : { side, failure };
  }

  /** True: it was not 0. The load keeps the usual case from writing to a line that all threads read. */
  #clear(word: number): boolean {
    return Atomics.load(this.#switches, word) !== 0 && Atomics.exchange(this.#switches, word, 0) !== 0;
  }

  /** Threads that meet here may fade once too often, or count one too few: it is no more than a measure. */
  #fadeFaults(wallMs: number): void {
    const span = Math.floor(wallMs / SPAN_MS) | 0;
    const before = Atomics.exchange(this.#switches, SWITCH.faultSpan, span);
    if (before === span) return;
    for (const word of [SWITCH.sharedCount, SWITCH.brokenStreaks]) {
      const count = Atomics.load(this.#switches, word);
      Atomics.store(this.#switches, word, before + 1 === span ? count >> 1 : 0);
    }
  }

  #share(word: number, byRules: SharePpm): SharePpm {
    const override = Atomics.load(this.#switches, word);
    return override === NO_OVERRIDE ? byRules : Math.min(override, WHOLE_PPM);
  }
}
