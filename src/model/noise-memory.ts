/**
 * What was noise in an earlier run of the gateway. It is shown as noise until this run has seen enough to say so itself;
 * it never decides what counts against new, since old may be another one by now.
 */

import { isLinePattern } from "./folding.ts";
import { isNoisy, MANY_LINES, type Noise, type NoiseRate, noiseKey } from "./noise.ts";
import type { Place } from "./pair.ts";

/** Of one route: the most frequent ones. */
const MAX_PLACES = 500;
const MAX_FOLDED = 200;
/** So many times it would have been seen, had it been there still: chance hides it from one in 150. */
const MISSED = 5;

export interface NoiseMemory {
  /** By place, as noise names it. */
  readonly rates: ReadonlyMap<string, NoiseRate>;
  readonly areLinesOne: boolean;
}

/** As JSON. */
export interface NoiseRecord {
  readonly places: readonly (readonly [key: string, rate: number, triples: number])[];
  readonly folded: readonly string[];
  readonly areLinesOne: boolean;
}

/** Nothing is remembered. */
export const NO_MEMORY: NoiseMemory = { rates: new Map(), areLinesOne: false };

/** Part of a docket. */
interface Remembering {
  /** Null: noise is not measured. */
  readonly noise: Noise | null;
  memory: NoiseMemory;
}

/** What is known of noise, and what is remembered and was not disproved; null: it is not measured. */
export function recordOfNoise({ noise, memory }: Readonly<Remembering>): NoiseRecord | null {
  if (noise === null) return null;
  const triples = noise.window + noise.windowBefore;
  const places = new Map<string, NoiseRate>();
  for (const [key, known] of memory.rates) if (isCredible(noise, known)) places.set(key, known);
  for (const [key, { seen, seenBefore }] of noise.places) {
    places.set(key, { rate: Math.min(1, (seen + seenBefore) / Math.max(1, triples)), triples });
  }
  const sorted = [...places].sort(([, left], [, right]) => right.rate - left.rate);
  return {
    places: sorted.slice(0, MAX_PLACES).map(([key, { rate, triples: of }]) => [key, rate, of]),
    folded: [...noise.folds.parents].slice(0, MAX_FOLDED),
    areLinesOne: noise.linePatterns >= MANY_LINES || memory.areLinesOne,
  };
}

/**
 * Takes back what an earlier run has recorded under the same rules of comparison; anything else is nothing. Which names
 * are data is known from then on.
 */
export function recallRecord(docket: Remembering, record: unknown): void {
  const { noise } = docket;
  if (noise === null || !isRecord(record)) return;
  for (const parent of record.folded.slice(0, MAX_FOLDED)) noise.folds.parents.add(parent);
  const places = record.places.slice(0, MAX_PLACES);
  const rates = new Map(places.map(([key, rate, triples]) => [key, { rate, triples }] as const));
  docket.memory = { rates, areLinesOne: record.areLinesOne };
}

/** How often old differed from itself at a place in an earlier run; null: it did not, or this run disproves it. */
export function rememberedRate(noise: Noise, memory: NoiseMemory, place: Place): NoiseRate | null {
  if (memory.rates.size === 0) return null;
  const isLine = memory.areLinesOne && isLinePattern(place.template);
  const key = noiseKey(noise, isLine ? { ...place, template: "line[*]" } : place);
  const known = memory.rates.get(key);
  return known !== undefined && !isNoisy(noise, key) && isCredible(noise, known) ? known : null;
}

function isCredible(noise: Noise, { rate }: NoiseRate): boolean {
  return noise.triples * rate < MISSED;
}

function isRecord(value: unknown): value is NoiseRecord {
  if (typeof value !== "object" || value === null) return false;
  const { places, folded, areLinesOne } = value as Record<string, unknown>;
  if (!Array.isArray(places) || !Array.isArray(folded) || typeof areLinesOne !== "boolean") return false;
  const isPlace = (place: unknown): boolean =>
    Array.isArray(place) && typeof place[0] === "string" && place.slice(1).every(Number.isFinite);
  return places.every(isPlace) && folded.every((parent) => typeof parent === "string");
}
