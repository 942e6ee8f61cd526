/** What comparison has found of a route besides the results themselves: counts for status and metrics. */

import { UNCOMPARED_REASONS, type UncomparedReason } from "../model/uncompared.ts";
import type { Book } from "./books.ts";

/** Upper bounds of cutover_transient_delay_seconds. */
export const DELAY_BOUNDS_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export interface Delays {
  /** Not cumulative; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly sumSeconds: number;
}

interface Tally {
  /** Of pairs that the comparison thread could not read, or died over; data threads count theirs on the board. */
  readonly uncompared: Record<UncomparedReason, number>;
  readonly delayCounts: number[];
  delaySumSeconds: number;
}

const tallies = new WeakMap<Book, Tally>();

export function countUncompared(book: Book, why: UncomparedReason, pairs: number = 1): void {
  tallyOf(book).uncompared[why] += pairs;
}

export function uncomparedOf(book: Book): Readonly<Record<UncomparedReason, number>> {
  return tallyOf(book).uncompared;
}

/** A pair that differed was equal when it was asked again so long after old's first answer. */
export function countDelay(book: Book, afterMs: number): void {
  const tally = tallyOf(book);
  const seconds = afterMs / 1_000;
  const found = DELAY_BOUNDS_S.findIndex((bound) => seconds <= bound);
  const bucket = found === -1 ? DELAY_BOUNDS_S.length : found;
  tally.delayCounts[bucket] = (tally.delayCounts[bucket] ?? 0) + 1;
  tally.delaySumSeconds += seconds;
}

export function delaysOf(book: Book): Delays {
  const { delayCounts, delaySumSeconds } = tallyOf(book);
  return { counts: delayCounts, sumSeconds: delaySumSeconds };
}

function tallyOf(book: Book): Tally {
  const known = tallies.get(book);
  if (known !== undefined) return known;
  const tally: Tally = {
    uncompared: Object.fromEntries(UNCOMPARED_REASONS.map((why) => [why, 0])) as Tally["uncompared"],
    delayCounts: new Array<number>(DELAY_BOUNDS_S.length + 1).fill(0),
    delaySumSeconds: 0,
  };
  tallies.set(book, tally);
  return tally;
}
