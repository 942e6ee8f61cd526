/**
 * New against old in the same moment, by triples: old is asked twice and new once, and while new is no worse its
 * answer and old's second one could be exchanged. So at each place new alone differs from old's first answer as often
 * as old alone does, whatever the noise; D = 1, -1 or 0 says which. "No worse by more than p₀" is E[D] ≤ p₀.
 *
 * One wealth for each noisy place, and one for all other places together. That one needs no knowledge of noise, so it
 * judges from the first triple on, and what begins to differ before anybody knows whether it is noise.
 *
 * A key counts once a step for the other places, as for mismatches. Inside noise it counts every time: no key was
 * drawn to a side here, a fair coin is fair however often one key throws it, and a few tenants that make all the
 * traffic would silence the test.
 */

import { type CountedKeys, countOnce, createCountedKeys, forgetKeys } from "./counted-keys.ts";
import type { NoiseEvidence, Trip } from "./observation.ts";
import { pairedSummary } from "./trip-words.ts";

/** Stakes on "new differs alone"; equal parts of the wealth are on each. */
export const STAKES: readonly number[] = [0.02, 0.05, 0.1, 0.2, 0.4, 0.8];
/** The name of all places that are not known as noise. No place is called so. */
const ELSEWHERE = "";

interface Stake {
  readonly lnUp: number;
  readonly lnZero: number;
  readonly lnDown: number;
}

interface PlaceWealth {
  /** ln, one for each stake. */
  readonly logWealth: Float64Array;
  /** Triples of this second that it was bet on. */
  bet: number;
  /** Since its wealth was last 1. */
  triples: number;
  ups: number;
  downs: number;
  readonly sinceMs: number;
}

export interface PairedTest {
  /** p₀. */
  readonly limit: number;
  readonly stakes: readonly Stake[];
  /** Only of places whose wealth is not 1. */
  readonly places: Map<string, PlaceWealth>;
  /** Of this second. */
  triples: number;
  readonly keys: CountedKeys;
  noisyPlaces: number;
}

export function createPairedTest(limit: number): PairedTest {
  const usable = STAKES.filter((stake) => stake * (1 + limit) < 1);
  return {
    limit,
    stakes: usable.map((stake) => ({
      lnUp: Math.log1p(stake * (1 - limit)),
      lnZero: Math.log1p(-stake * limit),
      lnDown: Math.log1p(-stake * (1 + limit)),
    })),
    places: new Map(),
    triples: 0,
    keys: createCountedKeys(),
    noisyPlaces: 0,
  };
}

/** Lets keys count again. */
export function startPairedStep(test: PairedTest): void {
  forgetKeys(test.keys);
}

/** Forgets losses, once a second. */
export function floorPaired(test: PairedTest): void {
  for (const [name, place] of test.places) {
    betZeros(test, place, test.triples);
    place.bet = 0;
    let isPoor = true;
    for (const [i, value] of place.logWealth.entries()) {
      if (value > 0) isPoor = false;
      else place.logWealth[i] = 0;
    }
    if (isPoor) test.places.delete(name);
  }
  test.triples = 0;
}

/** Bets on what a batch holds and looks after each triple in which new differs alone; the trip, or null. */
export function feedPaired(
  test: PairedTest,
  evidence: NoiseEvidence,
  lnThreshold: number,
  nowMs: number,
): Trip | null {
  test.noisyPlaces = evidence.noisyPlaces;
  // The order within a batch is not known: triples without a sign first is the order that trips last.
  test.triples += evidence.equalTriples;
  let trip: Trip | null = null;
  for (const { unit, signs, elsewhere } of evidence.triples) {
    test.triples += 1;
    for (const { place, sign } of signs) trip = bet(test, place, sign, lnThreshold, nowMs) ?? trip;
    if (elsewhere === 0 || !countOnce(test.keys, unit)) continue;
    trip = bet(test, ELSEWHERE, elsewhere, lnThreshold, nowMs) ?? trip;
  }
  return trip;
}

/** ln E / ln c of the place that has gained most, never below 0: 1 trips. */
export function pairedEvidence(test: PairedTest, lnThreshold: number): number {
  let most = 0;
  for (const [name, { logWealth }] of test.places)
    most = Math.max(most, lnMean(logWealth) / thresholdAt(test, name, lnThreshold));
  return most;
}

/** ln E after `ups` times 1, `downs` times -1 and `zeros` times 0 from a fresh start. */
export function lnPairedWealth(limit: number, ups: number, downs: number, zeros: number): number {
  const gains = createPairedTest(limit).stakes.map(
    ({ lnUp, lnDown, lnZero }) => ups * lnUp + downs * lnDown + zeros * lnZero,
  );
  return lnMean(Float64Array.from(gains));
}

/** All noisy places share one part of the budget of false alarms. */
function thresholdAt(test: PairedTest, name: string, lnThreshold: number): number {
  return name === ELSEWHERE ? lnThreshold : lnThreshold + Math.log(Math.max(1, test.noisyPlaces));
}

function bet(test: PairedTest, name: string, sign: -1 | 1, lnThreshold: number, nowMs: number): Trip | null {
  if (test.stakes.length === 0) return null;
  const place = placeOf(test, name, nowMs);
  betZeros(test, place, test.triples - 1);
  place.bet += 1;
  place.triples += 1;
  if (sign > 0) place.ups += 1;
  else place.downs += 1;
  for (const [i, { lnUp, lnDown }] of test.stakes.entries())
    place.logWealth[i] = (place.logWealth[i] ?? 0) + (sign > 0 ? lnUp : lnDown);
  const evidence = lnMean(place.logWealth) / thresholdAt(test, name, lnThreshold);
  return sign > 0 && evidence >= 1 ? tripOf(test, name, place, evidence, nowMs) : null;
}

/** In the triples up to `triples` of this second that it was not bet on yet, neither side differed alone. */
function betZeros(test: PairedTest, place: PlaceWealth, triples: number): void {
  const zeros = triples - place.bet;
  if (zeros <= 0) return;
  place.bet += zeros;
  place.triples += zeros;
  for (const [i, { lnZero }] of test.stakes.entries())
    place.logWealth[i] = (place.logWealth[i] ?? 0) + zeros * lnZero;
}

function placeOf(test: PairedTest, name: string, nowMs: number): PlaceWealth {
  const found = test.places.get(name);
  if (found !== undefined) return found;
  const logWealth = new Float64Array(test.stakes.length);
  const place = { logWealth, bet: 0, triples: 0, ups: 0, downs: 0, sinceMs: nowMs };
  test.places.set(name, place);
  return place;
}

function tripOf(
  test: PairedTest,
  name: string,
  { triples, ups, downs, sinceMs }: PlaceWealth,
  evidence: number,
  nowMs: number,
): Trip {
  const place = name === ELSEWHERE ? null : name;
  return {
    metric: "mismatches",
    answers: { old: triples, new: triples },
    failed: { old: downs, new: ups },
    summary: pairedSummary({
      place,
      triples,
      ups,
      downs,
      durationMs: nowMs - sinceMs,
      evidence,
      limit: test.limit,
    }),
  };
}

function lnMean(logWealth: Float64Array): number {
  if (logWealth.length === 0) return Number.NEGATIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const value of logWealth) if (value > greatest) greatest = value;
  let sum = 0;
  for (const value of logWealth) sum += Math.exp(value - greatest);
  return greatest + Math.log(sum / logWealth.length);
}
