/** Ratios of two proxies, round by round: whatever else the machine did met both of them. */

import { median } from "../support/stats.ts";

/** Of the paired ratios; `ofLeast`: the least of one over the least of the other, which noise touches least. */
export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly ofLeast: number;
  readonly rounds: number;
}

/** Null: no round in which both were measured. */
export function ratioOf<T>(
  ours: readonly T[],
  theirs: readonly T[],
  of: (round: T) => number | null,
): Ratio | null {
  const pairs: [number, number][] = [];
  for (const [at, round] of ours.entries()) {
    const other = theirs[at];
    if (other === undefined) break;
    const [our, their] = [of(round), of(other)];
    if (our !== null && their !== null && Number.isFinite(our / their)) pairs.push([our, their]);
  }
  if (pairs.length === 0) return null;
  const ratios = pairs.map(([our, their]) => our / their);
  return {
    median: median(ratios),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    ofLeast: Math.min(...pairs.map(([our]) => our)) / Math.min(...pairs.map(([, their]) => their)),
    rounds: pairs.length,
  };
}
