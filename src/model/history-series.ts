/** The history of one route as one line of points, each stretch in the finest resolution that still has it. */

import type { History } from "./history.ts";
import type { Moment } from "./history-moment.ts";
import { momentAt, type Ring, type Stretch } from "./history-ring.ts";

/** A null moment: nothing is known of the route in this time. */
export interface SeriesPoint {
  readonly atMs: number;
  readonly seconds: number;
  readonly moment: Moment | null;
}

/** Shorter ones are the gateway's own doing: a look that was late, a restart that was quick. */
const LEAST_GAP_MS = 2_000;

interface Labelled {
  readonly atMs: number;
  readonly seconds: number;
  readonly moment: Moment | undefined;
}

/**
 * Oldest first and without overlap, also where the clock was set back; what ended before `sinceMs` is left out. Gaps
 * are points of their own, none before the first and after the last known one.
 */
export function seriesOf(history: History, route: string, sinceMs: number, nowMs: number): SeriesPoint[] {
  const labelled = inOrder(stitched(history), nowMs)
    .filter(({ stretch, atMs }) => atMs + stretch.seconds * 1000 > sinceMs)
    .map(({ stretch, atMs, ring, index }) => ({
      atMs,
      seconds: stretch.seconds,
      moment: momentAt(ring, route, index),
    }));
  return withGaps(labelled);
}

interface Chosen {
  readonly stretch: Stretch;
  readonly ring: Ring;
  readonly index: number;
}

/** Every look once, newest first: of two resolutions the finer, but whole stretches of the coarser. */
function stitched({ tiers }: History): Chosen[] {
  const chosen: Chosen[] = [];
  let before = Number.POSITIVE_INFINITY;
  for (const [tier, { ring }] of tiers.entries()) {
    const [oldest] = ring.stretches;
    if (oldest === undefined) continue;
    // A coarser stretch that began before the oldest one here, and ends after it, is taken instead.
    const cut = tiers[tier + 1]?.ring.stretches.find(
      ({ from, to }) => from < oldest.from && to > oldest.from,
    )?.to;
    const first = cut ?? oldest.from;
    for (let index = ring.stretches.length - 1; index >= 0; index--) {
      const stretch = ring.stretches[index] as Stretch;
      if (stretch.to <= before && stretch.from >= first) chosen.push({ stretch, ring, index });
    }
    before = Math.min(before, first);
  }
  return chosen;
}

/** Oldest first. A label that is later than the next stretch began was a clock's that has been set back since. */
function inOrder(newestFirst: readonly Chosen[], nowMs: number): (Chosen & { readonly atMs: number })[] {
  let endMs = nowMs;
  const ordered = newestFirst.map((chosen) => {
    endMs = Math.min(chosen.stretch.atMs, endMs - chosen.stretch.seconds * 1000);
    return { ...chosen, atMs: endMs };
  });
  return ordered.reverse();
}

function withGaps(labelled: readonly Labelled[]): SeriesPoint[] {
  const points: SeriesPoint[] = [];
  let endMs: number | null = null;
  for (const { atMs, seconds, moment } of labelled) {
    if (moment === undefined) continue;
    if (endMs !== null && atMs - endMs > LEAST_GAP_MS)
      points.push({ atMs: endMs, seconds: (atMs - endMs) / 1000, moment: null });
    points.push({ atMs, seconds, moment });
    endMs = atMs + seconds * 1000;
  }
  return points;
}
