/**
 * Triples asked for beyond the noise sample. When pairs begin to differ, the next 20 shadows are all asked of old
 * twice: whether that is noise is known within tens of pairs, where a sample of 2% would take thousands. In the long
 * run a route asks for no more in this way than its sample brings anyway, so that differences that stay do not double
 * the load of old.
 */

import { type SharePpm, WHOLE_PPM } from "./ruleset.ts";

/** Asked for at a time. */
const MORE_TRIPLES = 20;
const MAX_CREDIT = 1_000;

export interface TripleCredit {
  credit: number;
  pairs: number;
  askedAtPairs: number;
  isWanted: boolean;
}

export function createTripleCredit(): TripleCredit {
  return { credit: MAX_CREDIT, pairs: 0, askedAtPairs: -MORE_TRIPLES, isWanted: false };
}

/** Pairs bring back what their noise sample costs. */
export function refillCredit(credit: TripleCredit, pairs: number, noisePpm: SharePpm): void {
  credit.pairs += pairs;
  credit.credit = Math.min(MAX_CREDIT, credit.credit + (pairs * noisePpm) / WHOLE_PPM);
}

/** Takes what is wanted and can be had; 0: nothing. Those asked for before have been taken by then. */
export function takeCredit(credit: TripleCredit): number {
  if (!credit.isWanted) return 0;
  credit.isWanted = false;
  if (credit.credit < MORE_TRIPLES || credit.pairs - credit.askedAtPairs < MORE_TRIPLES) return 0;
  credit.askedAtPairs = credit.pairs;
  credit.credit -= MORE_TRIPLES;
  return MORE_TRIPLES;
}
