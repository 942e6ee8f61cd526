/**
 * The newest stretches of one resolution, and what each route did in them: a fixed number of bytes a route, however
 * long the gateway runs.
 */

import { COLUMN, COLUMNS, COUNT_COLUMNS, createMoment, type Moment, rounded } from "./history-moment.ts";

/** A stretch of time, the same for all routes. */
export interface Stretch {
  /** Numbers of the looks that it is made of, from one up to and without the other: they order all stretches. */
  readonly from: number;
  readonly to: number;
  /** Wall clock at its beginning: a label, which a clock that is set may move. */
  readonly atMs: number;
  /** How long it was, by the monotonic clock. */
  readonly seconds: number;
}

const VALUE_COLUMNS = COLUMNS - COUNT_COLUMNS;
/** NaN there: the route was not there. */
const PRESENCE = COLUMN.canary - COUNT_COLUMNS;
const MOST_COUNT = 0xffff_ffff;

/** What a route's share of a ring of this depth weighs. */
export function bytesOf(depth: number): number {
  return depth * COLUMNS * 4;
}

interface Cells {
  readonly counts: Uint32Array;
  readonly values: Float32Array;
}

export interface Ring {
  /** Most stretches that it holds. */
  readonly depth: number;
  /** Oldest first. */
  readonly stretches: Stretch[];
  /** How many were ever put in: the place of the next one, going round. */
  count: number;
  readonly routes: Map<string, Cells>;
}

export function createRing(depth: number): Ring {
  return { depth, stretches: [], count: 0, routes: new Map() };
}

/** Makes room for a route that was not there so far. */
export function addRoute(ring: Ring, route: string): void {
  if (ring.routes.has(route)) return;
  const counts = new Uint32Array(ring.depth * COUNT_COLUMNS);
  const values = new Float32Array(ring.depth * VALUE_COLUMNS).fill(Number.NaN);
  ring.routes.set(route, { counts, values });
}

/** Puts a stretch in, in place of the oldest one when it is full. Routes without room are left out. */
export function push(ring: Ring, stretch: Stretch, moments: ReadonlyMap<string, Moment>): void {
  const place = ring.count % ring.depth;
  ring.count++;
  ring.stretches.push(stretch);
  if (ring.stretches.length > ring.depth) ring.stretches.shift();
  for (const [route, cells] of ring.routes) write(cells, place, moments.get(route));
}

function write({ counts, values }: Cells, place: number, moment: Moment | undefined): void {
  const value = place * VALUE_COLUMNS;
  if (moment === undefined) {
    values[value + PRESENCE] = Number.NaN;
    return;
  }
  const count = place * COUNT_COLUMNS;
  for (let column = 0; column < COUNT_COLUMNS; column++)
    counts[count + column] = Math.min(moment[column] as number, MOST_COUNT);
  for (let column = COUNT_COLUMNS; column < COLUMNS; column++)
    values[value + column - COUNT_COLUMNS] = moment[column] as number;
}

/** What a route did in the stretch of this index; undefined: it was not there. */
export function momentAt(ring: Ring, route: string, index: number): Moment | undefined {
  const cells = ring.routes.get(route);
  if (cells === undefined) return undefined;
  const place = (ring.count - ring.stretches.length + index) % ring.depth;
  const value = place * VALUE_COLUMNS;
  if (Number.isNaN(cells.values[value + PRESENCE])) return undefined;
  const moment = createMoment();
  for (let column = 0; column < COUNT_COLUMNS; column++)
    moment[column] = cells.counts[place * COUNT_COLUMNS + column] as number;
  for (let column = COUNT_COLUMNS; column < COLUMNS; column++)
    moment[column] = rounded(cells.values[value + column - COUNT_COLUMNS] as number);
  return moment;
}

/** Whether any of the stretches has something of the route. */
export function isKnown(ring: Ring, route: string): boolean {
  const values = ring.routes.get(route)?.values;
  if (values === undefined) return false;
  for (let at = PRESENCE; at < values.length; at += VALUE_COLUMNS) if (!Number.isNaN(values[at])) return true;
  return false;
}

/** The same with another depth: the newest stretches that fit. */
export function withDepth(ring: Ring, depth: number): Ring {
  const next = createRing(depth);
  for (const route of ring.routes.keys()) addRoute(next, route);
  const first = Math.max(0, ring.stretches.length - depth);
  for (let index = first; index < ring.stretches.length; index++) {
    const moments = new Map<string, Moment>();
    for (const route of ring.routes.keys()) {
      const moment = momentAt(ring, route, index);
      if (moment !== undefined) moments.set(route, moment);
    }
    push(next, ring.stretches[index] as Stretch, moments);
  }
  return next;
}
