/**
 * Places where new differs and old was never seen to. Whether old would differ there too is known only once enough
 * triples have looked at it *since the differences began*: what was quiet for a month may be noisy since a deploy of
 * old a minute ago. Until then a place is fresh, and what differs there is judged in triples alone.
 */

import { upperBound } from "./confidence.ts";

/** Triples without noise that show a place to be quiet. Noise of 3.4% would have shown in them at 99.9%. */
const PROVEN_TRIPLES = 200;
/** After so many triples without a difference the next one is a new beginning. */
const GAP_TRIPLES = 200;
/** The chance that a rate of noise beyond the bound goes unseen. */
const DOUBT = 1e-3;
const MAX_PLACES = 2_000;

interface QuietPlace {
  /** Of all triples of the route: so many had been seen when the differences began. */
  sinceTriples: number;
  lastTriples: number;
  /** It has been evidence against new. */
  isProven: boolean;
}

export interface QuietPlaces {
  /** The one that differed longest ago first. */
  readonly places: Map<string, QuietPlace>;
  /** When the differences at the proven place that is proven least began. */
  newestProven: number;
}

export function createQuietPlaces(): QuietPlaces {
  return { places: new Map(), newestProven: 0 };
}

/**
 * New differs at a place that is not known as noise, when so many triples have been seen; `fromStart` while noise is
 * being learned, when all that was seen before counts. True: old was shown not to differ there.
 */
export function isShownQuiet(quiet: QuietPlaces, key: string, triples: number, fromStart: boolean): boolean {
  let place = quiet.places.get(key);
  quiet.places.delete(key);
  if (place === undefined || triples - place.lastTriples > GAP_TRIPLES) {
    place = { sinceTriples: fromStart ? 0 : triples, lastTriples: triples, isProven: false };
  }
  place.lastTriples = triples;
  quiet.places.set(key, place);
  if (quiet.places.size > MAX_PLACES) forgetOldest(quiet.places);
  if (triples - place.sinceTriples < PROVEN_TRIPLES) return false;
  place.isProven = true;
  quiet.newestProven = Math.max(quiet.newestProven, place.sinceTriples);
  return true;
}

/** Old does differ there. True: it had been evidence against new. */
export function forgetQuiet(quiet: QuietPlaces, key: string): boolean {
  const wasProven = quiet.places.get(key)?.isProven ?? false;
  quiet.places.delete(key);
  return wasProven;
}

/**
 * The share of pairs that may differ by noise that nobody has seen yet, at places that were shown to be quiet.
 * `singular` of the remembered `triples` showed noise that no other one has.
 */
export function unseenNoiseBound(
  quiet: QuietPlaces,
  allTriples: number,
  singular: number,
  triples: number,
): number {
  const since = upperBound(0, allTriples - quiet.newestProven, DOUBT);
  return singular === 0 ? since : Math.max(since, upperBound(singular, triples, DOUBT));
}

function forgetOldest(places: Map<string, QuietPlace>): void {
  for (const key of places.keys()) {
    places.delete(key);
    return;
  }
}
