/**
 * What comparison has found of one route, prepared for its guard: which pairs count against new, which are noise, and
 * which cannot be judged yet. Plain data that is changed in place.
 *
 * - The first 200 triples teach. Pairs are held back from the absolute test meanwhile and handed over together when
 *   they have come in, with what is known by then; 400 pairs end the lesson too, so that answers of old that get lost
 *   hold nothing up.
 * - Later, a pair that differs at a place that is not noise counts once 200 triples have shown the place to be quiet
 *   since it began to differ (`quiet.ts`). Until then it is fresh: only triples speak (`paired-test.ts`), which need no
 *   knowledge of noise at all, and more of them are asked for (`triple-credit.ts`).
 * - Of a request that new served, old is asked twice after new: where data changes meanwhile new differs alone, and not
 *   by its fault. Such a reverse triple teaches noise and quiet places, and is no evidence by itself.
 * - Where none come any more the judge is blind. What was learned before has to do then; where nothing was, pairs go to
 *   a test of their own with a limit of 50%, so that a new that is all wrong is still found.
 */

import {
  createNoise,
  isNoisy,
  learnNoise,
  learnQuiet,
  type Noise,
  type NoiseRate,
  noiseKey,
  noiseKeys,
  noiseRate,
  singularTriples,
} from "./noise.ts";
import { NO_MEMORY, type NoiseMemory, rememberedRate } from "./noise-memory.ts";
import type { Comparisons, NoiseEvidence, TripleSigns } from "./observation.ts";
import type { Place } from "./pair.ts";
import { createQuietPlaces, forgetQuiet, isShownQuiet, type QuietPlaces, unseenNoiseBound } from "./quiet.ts";
import { type SharePpm, WHOLE_PPM } from "./ruleset.ts";
import { createTripleCredit, refillCredit, type TripleCredit, takeCredit } from "./triple-credit.ts";
import { signsOf } from "./triple-signs.ts";

/** Triples that are seen before a pair is judged. */
export const LESSONS = 200;
/** Pairs after which learning ends, however many second answers of old were lost. */
const MOST_LEARNING_PAIRS = 2 * LESSONS;
/** In all pairs that are held back. */
const MAX_HELD_PLACES = 20_000;
/** Without a triple for so many times the pairs that usually hold one, old's second answers do not come. */
const BLIND_AFTER_TRIPLES = 10;

/** One compared pair. */
export interface Finding {
  /** Where new differs from old; empty: nowhere. */
  readonly differences: readonly Place[];
  /** Where old's second answer differs from its first; null: it was not asked twice. */
  readonly again: readonly Place[] | null;
  /** New served the client, and old was asked after it. Absent: old served. */
  readonly isReverse?: boolean;
  readonly unit: string | null;
}

export type PairKind = "match" | "mismatch" | "noise";

interface Held {
  readonly places: readonly Place[];
  readonly unit: string | null;
}

export interface Docket {
  /** Null: noise is not measured, and every pair that differs counts. */
  readonly noise: Noise | null;
  /** Shown, never judged by. */
  memory: NoiseMemory;
  readonly quiet: QuietPlaces;
  noisePpm: SharePpm;
  isLearning: boolean;
  pairs: number;
  pairsSinceTriple: number;
  held: Held[];
  heldPlaces: number;
  /** Since the last hand-over. */
  clean: number;
  units: (string | null)[];
  freshUnits: (string | null)[];
  equalTriples: number;
  triples: TripleSigns[];
  /** Old was seen to differ where it had been held against new. */
  wasWrong: boolean;
  readonly credit: TripleCredit;
}

/** Knows nothing; `noisePpm` 0: noise is not measured. */
export function createDocket(noisePpm: SharePpm): Docket {
  return {
    noise: noisePpm > 0 ? createNoise() : null,
    memory: NO_MEMORY,
    quiet: createQuietPlaces(),
    noisePpm,
    isLearning: noisePpm > 0,
    pairs: 0,
    pairsSinceTriple: 0,
    held: [],
    heldPlaces: 0,
    ...NOTHING_TAKEN(),
    wasWrong: false,
    credit: createTripleCredit(),
  };
}

const NOTHING_TAKEN = () => ({
  clean: 0,
  units: [] as (string | null)[],
  freshUnits: [] as (string | null)[],
  equalTriples: 0,
  triples: [] as TripleSigns[],
});

/** Takes one pair in and says what it is. */
export function takePair(docket: Docket, finding: Finding): PairKind {
  countPairs(docket, 1);
  const { noise } = docket;
  const { differences, again, unit } = finding;
  if (noise === null) {
    if (differences.length > 0) docket.units.push(unit);
    else docket.clean += 1;
    return differences.length > 0 ? "mismatch" : "match";
  }
  if (again !== null) takeTriple(docket, noise, finding, again);
  const keys = noiseKeys(noise, differences);
  const kind = kindOf(noise, keys);
  if (kind !== "mismatch") docket.clean += 1;
  else judge(docket, noise, finding, keys);
  return kind;
}

/**
 * Takes in a pair that differed and was equal when it was asked again: it counts as equal, but what its triple says
 * of noise counts too, or noise would look one-sided.
 */
export function takeTransient(docket: Docket, finding: Finding): void {
  countPairs(docket, 1);
  docket.clean += 1;
  const { noise } = docket;
  if (noise === null || finding.again === null) return;
  const differences = finding.differences.filter((place) => isNoisy(noise, noiseKey(noise, place)));
  takeTriple(docket, noise, { ...finding, differences }, finding.again);
}

/**
 * Takes in pairs that were found equal without parsing; `triples` of them were asked of old twice, all the same, and
 * besides so many `reverseTriples`.
 */
export function takeEqual(docket: Docket, pairs: number, triples: number, reverseTriples = 0): void {
  countPairs(docket, pairs);
  docket.clean += pairs;
  if (docket.noise === null || triples + reverseTriples === 0) return;
  learnQuiet(docket.noise, triples + reverseTriples);
  docket.equalTriples += triples;
  docket.pairsSinceTriple = 0;
}

/** What the guard has not seen yet; with it the docket is empty. */
export function handOver(docket: Docket): Comparisons {
  endLearning(docket);
  const { noise, clean, units, isLearning } = docket;
  const evidence = noise === null ? {} : { noise: evidenceOf(docket, noise) };
  const comparisons = { match: isLearning ? 0 : clean, mismatchUnits: units, ...evidence };
  Object.assign(docket, NOTHING_TAKEN());
  docket.wasWrong = false;
  // What is equal is held back too: to count it now and what differs later would be unfair to new.
  if (isLearning) docket.clean = clean;
  return comparisons;
}

function evidenceOf(docket: Docket, noise: Noise): NoiseEvidence {
  const { freshUnits, equalTriples, triples, wasWrong, quiet } = docket;
  const remembered = noise.window + noise.windowBefore;
  return {
    freshUnits,
    equalTriples,
    triples,
    noisyPlaces: noise.places.size,
    bound: unseenNoiseBound(quiet, noise.triples, singularTriples(noise), remembered),
    isBlind: isBlind(docket),
    wasWrong,
  };
}

/** True where nothing new was taken in since the last hand-over. */
export function isDocketEmpty(docket: Docket): boolean {
  const { clean, held, units, freshUnits, equalTriples, triples, isLearning } = docket;
  const waits = isLearning && !isLearningOver(docket) ? 0 : clean + held.length;
  return waits + units.length + freshUnits.length + equalTriples + triples.length === 0;
}

/** So many of the next shadows are to be asked of old twice, to tell a fault of new from noise; 0: none. */
export function triplesWanted({ credit }: Docket): number {
  return takeCredit(credit);
}

/** How far learning is; null: it is over, or noise is not measured. */
export function learningProgress(docket: Docket): { readonly done: number; readonly of: number } | null {
  if (docket.noise === null || !docket.isLearning || isLearningOver(docket)) return null;
  return { done: Math.min(docket.noise.triples, LESSONS), of: LESSONS };
}

/**
 * How often old differs from itself at a place; null: not seen to. After a restart that is what was known before, until
 * this run knows better.
 */
export function noiseAt({ noise, memory }: Docket, place: Place): NoiseRate | null {
  return noise === null ? null : (noiseRate(noise, place) ?? rememberedRate(noise, memory, place));
}

/** Drops what was not handed over; what is known of noise stays. */
export function clearDocket(docket: Docket): void {
  Object.assign(docket, NOTHING_TAKEN());
  docket.held = [];
  docket.heldPlaces = 0;
}

function countPairs(docket: Docket, pairs: number): void {
  docket.pairs += pairs;
  docket.pairsSinceTriple += pairs;
  refillCredit(docket.credit, pairs, docket.noisePpm);
}

function kindOf(noise: Noise, keys: ReadonlySet<string>): PairKind {
  if (keys.size === 0) return "match";
  for (const key of keys) if (!isNoisy(noise, key)) return "mismatch";
  return "noise";
}

function judge(docket: Docket, noise: Noise, finding: Finding, keys: ReadonlySet<string>): void {
  const isQuiet = lookAtPlaces(docket, noise, keys);
  const { differences, unit } = finding;
  if (docket.isLearning) {
    if (docket.heldPlaces + differences.length > MAX_HELD_PLACES) return;
    docket.heldPlaces += differences.length;
    docket.held.push({ places: differences.map(({ template, kind }) => ({ template, kind })), unit });
    return;
  }
  (isQuiet || isTaughtAndBlind(docket) ? docket.units : docket.freshUnits).push(unit);
  docket.credit.isWanted = true;
}

/** Where nothing is learned any more, as at 100% canary, what was learned before has to do: new changes more often. */
function isTaughtAndBlind(docket: Docket): boolean {
  return (docket.noise?.triples ?? 0) >= LESSONS && isBlind(docket);
}

/** Notes each place that is not noise; true: old was shown not to differ at one of them. */
function lookAtPlaces(docket: Docket, noise: Noise, keys: ReadonlySet<string>): boolean {
  let isQuiet = false;
  for (const key of keys) {
    if (isNoisy(noise, key)) continue;
    if (isShownQuiet(docket.quiet, key, noise.triples, docket.isLearning)) isQuiet = true;
  }
  return isQuiet;
}

function takeTriple(docket: Docket, noise: Noise, finding: Finding, again: readonly Place[]): void {
  docket.pairsSinceTriple = 0;
  if (finding.isReverse !== true) {
    const signs = signsOf(noise, finding.differences, again, finding.unit);
    if (signs === null) docket.equalTriples += 1;
    else docket.triples.push(signs);
  }
  learnNoise(noise, again, (key) => {
    if (forgetQuiet(docket.quiet, key)) docket.wasWrong = true;
  });
}

function isLearningOver({ noise, pairs }: Docket): boolean {
  return noise === null || noise.triples >= LESSONS || pairs >= MOST_LEARNING_PAIRS;
}

function endLearning(docket: Docket): void {
  const { noise, held } = docket;
  if (noise === null || !docket.isLearning || !isLearningOver(docket)) return;
  for (const { places, unit } of held) {
    const keys = noiseKeys(noise, places);
    if (kindOf(noise, keys) === "noise") docket.clean += 1;
    else (lookAtPlaces(docket, noise, keys) ? docket.units : docket.freshUnits).push(unit);
  }
  docket.isLearning = false;
  docket.held = [];
  docket.heldPlaces = 0;
}

function isBlind({ noise, pairsSinceTriple, noisePpm }: Docket): boolean {
  if (noise !== null && noise.triples === 0) return pairsSinceTriple >= MOST_LEARNING_PAIRS;
  const usual = (BLIND_AFTER_TRIPLES * WHOLE_PPM) / Math.max(1, noisePpm);
  return pairsSinceTriple >= Math.max(MOST_LEARNING_PAIRS, usual);
}
