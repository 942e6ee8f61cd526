/** Holds back samples of answers, which are dear to send: so many a second of each route, and first the rare ones. */

import type { Place } from "../model/pair.ts";

interface Second {
  startMs: number;
  count: number;
  rare: number;
  /** Samples of each place in this second. */
  readonly places: Map<string, number>;
}

/** `admit` says whether a pair of that route, with these places, may be sent with its answers now. */
export interface Throttle {
  admit(route: string, places: readonly Place[], nowMs: number): boolean;
}

/** A place of which fewer were sent in this second is rare. */
const RARE = 2;
/** Of one route, in one second. */
const MAX_PLACES = 1_000;

/**
 * Admits `perSecond` pairs of each route as they come, and as many more that show a place which is rare among those:
 * in a flood of noise the one real difference still comes with its answers. Routes come from the rules: there are few.
 */
export function createThrottle(perSecond: number): Throttle {
  const seconds = new Map<string, Second>();
  return {
    admit(route, places, nowMs) {
      let second = seconds.get(route);
      if (second === undefined || nowMs - second.startMs >= 1000) {
        second = { startMs: nowMs, count: 0, rare: 0, places: new Map() };
        seconds.set(route, second);
      }
      const names = new Set(places.map(({ template, kind }) => `${kind} ${template}`));
      if (second.count < perSecond) second.count++;
      else if (second.rare < perSecond && isRare(second, names)) second.rare++;
      else return false;
      note(second, names);
      return true;
    },
  };
}

function isRare({ places }: Second, names: ReadonlySet<string>): boolean {
  for (const name of names) {
    const sent = places.get(name);
    if (sent === undefined ? places.size < MAX_PLACES : sent < RARE) return true;
  }
  return false;
}

function note({ places }: Second, names: ReadonlySet<string>): void {
  for (const name of names) {
    const sent = places.get(name) ?? 0;
    if (sent > 0 || places.size < MAX_PLACES) places.set(name, sent + 1);
  }
}
