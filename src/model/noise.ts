/**
 * Where old differs from itself. Some shadows ask old a second time; a place at which its two answers differ is noise,
 * and a pair that differs only there says nothing against new. Noise is remembered for as long as it was seen within
 * the last 10,000 to 20,000 triples (two windows): noise of one in a thousand or more is never forgotten, and what
 * was noise once, or before a deploy of old, is not noise for ever.
 */

import { createFolds, type Folds, foldTemplate, isLinePattern, learnTemplate } from "./folding.ts";
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

/** So many sorts of lines at which old differs from itself: its lines are noise, whatever they say. */
export const MANY_LINES = 16;
/** More are not told apart: all lines are noise by then. */
const MAX_LINES = 64;
const ANY_LINE = "line[*]";

export interface Noise {
  readonly places: Map<string, NoisyPlace>;
  /** Of them, those that are some lines of a text. */
  linePatterns: number;
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
    linePatterns: 0,
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
export function noiseKey(noise: Noise, place: Place): string {
  const areAllOne = noise.linePatterns >= MANY_LINES && isLinePattern(place.template);
  return areAllOne ? `${sortOf(place)} ${ANY_LINE}` : ownKey(noise, place);
}

function ownKey(noise: Noise, place: Place): string {
  const { template } = place;
  return `${sortOf(place)} ${isLinePattern(template) ? template : foldTemplate(noise.folds, template)}`;
}

function sortOf({ kind }: Place): string {
  return kind === "added" ? "missing" : kind;
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
  const fields = oldDiffers.filter(({ template }) => !isLinePattern(template));
  for (const { template } of fields) learnTemplate(noise.folds, template, () => refold(noise));
  const discovery: Discovery = { isOpen: true, window: noise.turns };
  let isDiscovery = learnLines(noise, oldDiffers, discovery, discovered);
  for (const key of noiseKeys(noise, fields)) {
    if (learnPlace(noise, key, discovery)) continue;
    isDiscovery = true;
    discovered(key);
  }
  if (isDiscovery) noise.open += 1;
  learnQuiet(noise, 1);
}

/** False: it was not known. */
function learnPlace(noise: Noise, key: string, discovery: Discovery): boolean {
  const known = noise.places.get(key);
  if (known !== undefined) {
    known.seen += 1;
    close(noise, known.discovery);
    return true;
  }
  if (noise.places.size < MAX_NOISY_PLACES) noise.places.set(key, { seen: 1, seenBefore: 0, discovery });
  return false;
}

/**
 * Lines have patterns, as members have names; but where patterns are many nobody knows whether the next one is of a
 * noisy line, so that lines as a whole are noise, for as long as many are remembered. True: something was discovered.
 */
function learnLines(
  noise: Noise,
  oldDiffers: readonly Place[],
  discovery: Discovery,
  discovered: (key: string) => void,
): boolean {
  const lines = oldDiffers.filter(({ template }) => isLinePattern(template));
  const sorts = new Set(lines.map(sortOf));
  const keys = new Set(lines.map((place) => ownKey(noise, place)));
  let isDiscovery = false;
  for (const key of keys) {
    const areMany = noise.linePatterns >= MANY_LINES;
    if (areMany && noise.linePatterns >= MAX_LINES && !noise.places.has(key)) continue;
    const before = noise.places.size;
    if (learnPlace(noise, key, areMany ? KNOWN : discovery)) continue;
    noise.linePatterns += noise.places.size - before;
    if (areMany) continue;
    isDiscovery = true;
    discovered(key);
    if (noise.linePatterns === MANY_LINES) closeLines(noise);
  }
  // Counted from the first one on, so that the rate is known when it is asked for.
  for (const sort of sorts) learnPlace(noise, `${sort} ${ANY_LINE}`, KNOWN);
  return isDiscovery;
}

/** Lines are one place now, and that was seen many times. */
function closeLines(noise: Noise): void {
  for (const [key, place] of noise.places) if (isLineKey(key)) close(noise, place.discovery);
}

function isLineKey(key: string): boolean {
  return isLinePattern(key.slice(key.indexOf(" ") + 1));
}

/** A place that was no discovery. */
const KNOWN: Discovery = { isOpen: false, window: 0 };

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
  noise.linePatterns = 0;
  for (const key of noise.places.keys()) if (isLineKey(key)) noise.linePatterns += 1;
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
