/**
 * What every route did, over two days: the last minutes in stretches of five seconds, hours in minutes, the rest in
 * five minutes. Counts add up from one resolution to the next, and the greatest stays the greatest. Time is looks that
 * have numbers, not the clock: no answer is counted twice when the clock is set.
 */

import { addMoment, type Moment } from "./history-moment.ts";
import {
  addRoute,
  bytesOf,
  createRing,
  isKnown,
  push,
  type Ring,
  type Stretch,
  withDepth,
} from "./history-ring.ts";

/** Seconds of a stretch, from the finest resolution to the coarsest. */
export const RESOLUTIONS = [5, 60, 300] as const;
/** The ledger's latencies are those of so long. */
const WINDOW_SECONDS = 60;

/** How many stretches of each resolution are held. */
export type Depths = readonly [number, number, number];

/** 15 minutes, 6 hours, 48 hours. */
const WHOLE: Depths = [180, 360, 576];
const WHOLE_ROUTES = 256;
/** For many routes: 5 minutes, 1 hour, 24 hours. */
const SHORT: Depths = [60, 60, 288];
/** Of more routes than this none but the first have a history. */
export const MAX_ROUTES = 1024;

/** A clock that goes so much faster or slower than time between two looks was set. */
const JUMP_MS = 2_000;

/** What was recorded in one stretch of one of the coarser resolutions, to be stored. */
export interface Row {
  /** One of RESOLUTIONS. */
  readonly resolution: number;
  readonly stretch: Stretch;
  readonly moments: ReadonlyMap<string, Moment>;
}

interface Open {
  stretch: Stretch;
  readonly moments: Map<string, Moment>;
}

interface Tier {
  readonly resolution: number;
  ring: Ring;
  /** The stretch that is not long enough yet; the finest resolution has none. */
  open: Open | null;
}

export interface History {
  readonly tiers: readonly Tier[];
}

/** How far back it goes for so many routes, and for how many at most. */
export function planFor(routes: number): { readonly depths: Depths; readonly maxRoutes: number } {
  return routes <= WHOLE_ROUTES
    ? { depths: WHOLE, maxRoutes: WHOLE_ROUTES }
    : { depths: SHORT, maxRoutes: MAX_ROUTES };
}

/** Bytes that the numbers of so many routes may take. */
export function memoryFor(routes: number): number {
  const { depths, maxRoutes } = planFor(routes);
  return Math.min(routes, maxRoutes) * depths.reduce((sum, depth) => sum + bytesOf(depth), 0);
}

/** An empty one with room for these routes. */
export function createHistory(routes: readonly string[]): History {
  const { depths, maxRoutes } = planFor(routes.length);
  const tiers = RESOLUTIONS.map((resolution, index): Tier => {
    const ring = createRing(depths[index] as number);
    for (const route of routes.slice(0, maxRoutes)) addRoute(ring, route);
    return { resolution, ring, open: null };
  });
  return { tiers };
}

/**
 * Takes what each route did in the stretch that follows the last one; answers the longer stretches that are complete
 * with it.
 */
export function record(history: History, stretch: Stretch, moments: ReadonlyMap<string, Moment>): Row[] {
  makeRoom(history, moments);
  // Not one stretch over a gap: what came after it would stand before it.
  const rows = isAfterJump(history, stretch) ? closeAll(history) : [];
  const [finest] = history.tiers;
  if (finest !== undefined) push(finest.ring, stretch, moments);
  rows.push(...feed(history, 1, stretch, moments));
  return rows;
}

/** Ends the stretches that are not complete: at the end, or before a gap. */
export function closeAll(history: History): Row[] {
  return history.tiers.flatMap((_, index) => close(history, index));
}

/** Puts back a row that was stored, each resolution's in the order of their looks; before anything is recorded. */
export function restore(history: History, { resolution, stretch, moments }: Row): void {
  const tier = history.tiers.find((each) => each.resolution === resolution);
  if (tier === undefined || (tier.ring.stretches.at(-1)?.to ?? 0) > stretch.from) return;
  const maxRoutes = planFor(tier.ring.routes.size).maxRoutes;
  for (const route of moments.keys())
    if (tier.ring.routes.size < maxRoutes) for (const { ring } of history.tiers) addRoute(ring, route);
  push(tier.ring, stretch, moments);
}

/**
 * After all rows are back: stretches that the last coarser one does not hold, as after a crash, become one. Answers
 * what of that is to be stored.
 */
export function finishRestore(history: History, minutes: readonly Row[]): Row[] {
  const [, minute, coarsest] = history.tiers;
  const known = coarsest?.ring.stretches.at(-1)?.to ?? 0;
  const left = minutes.filter(
    ({ resolution, stretch }) => resolution === minute?.resolution && stretch.from >= known,
  );
  const rows: Row[] = [];
  let endMs: number | null = null;
  for (const { stretch, moments } of left) {
    if (endMs !== null && Math.abs(stretch.atMs - endMs) > JUMP_MS) rows.push(...close(history, 2));
    rows.push(...feed(history, 2, stretch, moments));
    endMs = endOf(stretch);
  }
  return [...rows, ...close(history, 2)];
}

/** The number of the look after all that it holds. */
export function nextLook(history: History): number {
  return Math.max(0, ...history.tiers.map(({ ring }) => ring.stretches.at(-1)?.to ?? 0));
}

function feed(
  history: History,
  index: number,
  stretch: Stretch,
  moments: ReadonlyMap<string, Moment>,
): Row[] {
  const tier = history.tiers[index];
  if (tier === undefined) return [];
  if (tier.open === null) {
    tier.open = { stretch, moments: new Map([...moments].map(([route, moment]) => [route, moment.slice()])) };
  } else {
    const { from, atMs, seconds } = tier.open.stretch;
    tier.open.stretch = { from, to: stretch.to, atMs, seconds: seconds + stretch.seconds };
    addMoments(tier.open.moments, moments, tier.resolution <= WINDOW_SECONDS);
  }
  // Looks are never quite on time: what lacks less than half of one is whole.
  const slackSeconds = (RESOLUTIONS[index - 1] as number) / 2;
  return tier.open.stretch.seconds >= tier.resolution - slackSeconds ? close(history, index) : [];
}

function close(history: History, index: number): Row[] {
  const tier = history.tiers[index];
  if (tier === undefined || tier.open === null) return [];
  const { stretch, moments } = tier.open;
  tier.open = null;
  push(tier.ring, stretch, moments);
  return [{ resolution: tier.resolution, stretch, moments }, ...feed(history, index + 1, stretch, moments)];
}

function addMoments(
  into: Map<string, Moment>,
  moments: ReadonlyMap<string, Moment>,
  isWindow: boolean,
): void {
  for (const [route, moment] of moments) {
    const known = into.get(route);
    if (known === undefined) into.set(route, moment.slice());
    else addMoment(known, moment, isWindow);
  }
}

function isAfterJump({ tiers: [finest] }: History, { atMs }: Stretch): boolean {
  const last = finest?.ring.stretches.at(-1);
  return last !== undefined && Math.abs(atMs - endOf(last)) > JUMP_MS;
}

function endOf({ atMs, seconds }: Stretch): number {
  return atMs + seconds * 1000;
}

/** Room for the routes that are there now, before those that were. */
function makeRoom(history: History, moments: ReadonlyMap<string, Moment>): void {
  const routes = [...moments.keys()].slice(0, MAX_ROUTES);
  const { depths, maxRoutes } = planFor(routes.length);
  for (const [index, tier] of history.tiers.entries()) {
    const { ring } = tier;
    const missing = routes.filter((route) => !ring.routes.has(route));
    if (missing.length > 0 || ring.routes.size > maxRoutes) {
      for (const route of ring.routes.keys()) {
        if (ring.routes.size + missing.length <= maxRoutes) break;
        if (!moments.has(route)) ring.routes.delete(route);
      }
      for (const route of missing) if (ring.routes.size < maxRoutes) addRoute(ring, route);
    }
    const depth = depths[index] as number;
    if (depth !== ring.depth) tier.ring = withDepth(ring, depth);
  }
}

/** Forgets routes of which nothing is left: gone from the rules for longer than it goes back. */
export function forgetGone({ tiers }: History, isNamed: (route: string) => boolean): void {
  const [finest] = tiers;
  if (finest === undefined) return;
  for (const route of finest.ring.routes.keys()) {
    if (isNamed(route) || tiers.some(({ ring }) => isKnown(ring, route))) continue;
    for (const { ring } of tiers) ring.routes.delete(route);
  }
}
