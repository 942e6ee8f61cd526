/**
 * Where old differs from itself. Some shadows ask old a second time; a place at which its two answers differ is noise,
 * and a pair that differs only there says nothing against new. Noise is remembered for as long as it was seen within
 * the last 10,000 to 20,000 triples (two windows): noise of one in a thousand or more is never forgotten, and what
 * was noise once, or before a deploy of old, is not noise for ever.
 */

import { createFolds, type Folds, foldTemplate, learnTemplate } from "./folding.ts";
import type { Place } from "./pair.ts";

/** Two answers of old and one of new to the same request. */
export const WINDOW_TRIPLES = 10_000;
/** Of one route. What is found beyond them is not known as noise: it counts against new. */
export const MAX_NOISY_PLACES = 2_000;

/** Places that one triple showed first. While none of them was seen again they stand for what nobody has seen yet. */
interface Discovery {
  isOpen: boolean;
  /** Number of the window that it was made in. */
  readonly window: number;
}

interface NoisyPlace {
  /** Triples in which old differed from itself here, in this window and in the one before. */
  seen: number;
  seenBefore: number;
  readonly discovery: Discovery;
}

export interface Noise {
  readonly places: Map<string, NoisyPlace>;
  readonly folds: Folds;
  /** Since the beginning. */
  triples: number;
  /** Of this window, and of the one before. */
  window: number;
  windowBefore: number;
  turns: number;
  /** Discoveries of this window, and of the one before, that are still open. */
  open: number;
  openBefore: number;
}

export interface NoiseRate {
  /** In what share of the triples old differed from itself at the place, 0 to 1. */
  readonly rate: number;
  readonly triples: number;
}

/** Knows nothing. */
export function createNoise(): Noise {
  return {
    places: new Map(),
    folds: createFolds(200),
    triples: 0,
    window: 0,
    windowBefore: 0,
    turns: 0,
    open: 0,
    openBefore: 0,
  };
}

/**
 * The name of a place where noise is counted. A value that old sometimes leaves out is missing from new's answer as
 * often as it is missing from old's, so that "missing" and "added" are one sort of noise.
 */
export function noiseKey(noise: Noise, { template, kind }: Place): string {
  return `${kind === "added" ? "missing" : kind} ${foldTemplate(noise.folds, template)}`;
}

/** The names of several places, each once. */
export function noiseKeys(noise: Noise, places: readonly Place[]): Set<string> {
  const keys = new Set<string>();
  for (const place of places) keys.add(noiseKey(noise, place));
  return keys;
}

export function isNoisy(noise: Noise, key: string): boolean {
  return noise.places.has(key);
}

/** How often old differs from itself at a place, of the triples that are remembered; null: not seen to. */
export function noiseRate(noise: Noise, place: Place): NoiseRate | null {
  const known = noise.places.get(noiseKey(noise, place));
  if (known === undefined) return null;
  const triples = noise.window + noise.windowBefore;
  return { rate: Math.min(1, (known.seen + known.seenBefore) / Math.max(1, triples)), triples };
}

/** Takes in triples in which old twice answered the same. */
export function learnQuiet(noise: Noise, triples: number): void {
  noise.triples += triples;
  noise.window += triples;
  if (noise.window >= WINDOW_TRIPLES) turnWindow(noise);
}

/**
 * Takes in one triple: the places where old's two answers differ. `discovered` is called for each place that becomes
 * noise by it, or would if there were room for it.
 */
export function learnNoise(
  noise: Noise,
  oldDiffers: readonly Place[],
  discovered: (key: string) => void,
): void {
  for (const { template } of oldDiffers) {
    learnTemplate(noise.folds, template, () => refold(noise));
  }
  const discovery: Discovery = { isOpen: true, window: noise.turns };
  let isDiscovery = false;
  for (const key of noiseKeys(noise, oldDiffers)) {
    const known = noise.places.get(key);
    if (known !== undefined) {
      known.seen += 1;
      close(noise, known.discovery);
      continue;
    }
    isDiscovery = true;
    discovered(key);
    if (noise.places.size < MAX_NOISY_PLACES) {
      noise.places.set(key, { seen: 1, seenBefore: 0, discovery });
    }
  }
  if (isDiscovery) noise.open += 1;
  learnQuiet(noise, 1);
}

/**
 * How many of the remembered triples showed noise that no other triple has shown: the more there are, the more noise
 * there must be that was not seen at all (Good–Turing).
 */
export function singularTriples(noise: Noise): number {
  return noise.open + noise.openBefore;
}

function close(noise: Noise, discovery: Discovery): void {
  if (!discovery.isOpen) return;
  discovery.isOpen = false;
  if (discovery.window === noise.turns) noise.open -= 1;
  else if (discovery.window === noise.turns - 1) noise.openBefore -= 1;
}

function turnWindow(noise: Noise): void {
  noise.turns += 1;
  noise.windowBefore = noise.window;
  noise.window = 0;
  noise.openBefore = noise.open;
  noise.open = 0;
  for (const [key, place] of noise.places) {
    if (place.seen === 0) noise.places.delete(key);
    place.seenBefore = place.seen;
    place.seen = 0;
  }
}

/** After a parent's members were folded: what was known of each is known of all. */
function refold(noise: Noise): void {
  for (const [key, place] of [...noise.places]) {
    const space = key.indexOf(" ");
    const folded = `${key.slice(0, space)} ${foldTemplate(noise.folds, key.slice(space + 1))}`;
    if (folded === key) continue;
    noise.places.delete(key);
    const into = noise.places.get(folded);
    if (into === undefined) {
      noise.places.set(folded, place);
      continue;
    }
    into.seen += place.seen;
    into.seenBefore += place.seenBefore;
    close(noise, into.discovery);
    close(noise, place.discovery);
  }
}
