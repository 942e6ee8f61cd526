/** What the pictures of `cutover status -w` are drawn with. */

import type { Paint } from "./output.ts";
import type { Glyphs } from "./spark.ts";

export interface Drawing {
  readonly nowMs: number;
  /** How far back the charts go. */
  readonly spanMs: number;
  /** Of the terminal; the last row stays free for the cursor. */
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
  readonly glyphs: Glyphs;
}

/** "5 min" */
export function spanWords({ spanMs }: Drawing): string {
  return `${Math.round(spanMs / 60_000)} min`;
}

/** Lines that belong together; where there is no room, those with the greatest rank go first. 0 stays. */
export interface Part {
  readonly rank: number;
  readonly lines: readonly string[];
}

/** Without what is least asked for, until the rest fits into so many lines. */
export function fitted(parts: readonly Part[], room: number): string[] {
  let kept = parts;
  const greatest = Math.max(0, ...parts.map(({ rank }) => rank));
  for (let rank = greatest; rank > 0 && heightOf(kept) > room; rank--)
    kept = kept.filter((part) => part.rank !== rank);
  return kept.flatMap(({ lines }) => lines).slice(0, room);
}

export function heightOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { lines }) => sum + lines.length, 0);
}
