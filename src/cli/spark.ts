/** Numbers as a line of blocks, for terminals that have them and for those that have not. */

/** A cell a value; null: nothing is known. */
export type Values = readonly (number | null)[];

export interface Glyphs {
  /** Eight, from nothing to the most. */
  readonly levels: readonly string[];
  /** A bar's cells: those that are full, and the others. */
  readonly full: string;
  readonly empty: string;
}

export const BLOCKS: Glyphs = { levels: [..."▁▂▃▄▅▆▇█"], full: "█", empty: "░" };
export const ASCII: Glyphs = { levels: [..."_.-:=+*#"], full: "#", empty: "." };

const STEPS = BLOCKS.levels.length;

/** What a terminal with this environment can show: blocks only where the locale says UTF-8. */
export function glyphsFor(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): Glyphs {
  // POSIX: the first that is set and not empty. Windows has none of them, and terminals that show blocks.
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || (platform === "win32" ? "UTF-8" : "C");
  return /utf-?8/i.test(locale) ? BLOCKS : ASCII;
}

/**
 * Values as lines of one cell a value, the top one first: `rows` of them, so that there are eight levels a row. `top` is
 * what the highest cell stands for. Anything above nothing is seen to be, and what is not known stays empty.
 */
export function sparkLines(values: Values, top: number, rows: number, glyphs: Glyphs): string[] {
  const heights = values.map((value) => heightOf(value, top, rows * STEPS));
  return Array.from({ length: rows }, (_, line) => {
    const below = (rows - 1 - line) * STEPS;
    return heights.map((height) => levelOf(height - below, glyphs)).join("");
  });
}

/** The same in one line. */
export function spark(values: Values, top: number, glyphs: Glyphs): string {
  return sparkLines(values, top, 1, glyphs)[0] ?? "";
}

/** In eighths of a line; 0: nothing is shown. */
function heightOf(value: number | null, top: number, most: number): number {
  if (value === null || !Number.isFinite(value)) return 0;
  if (value <= 0 || !(top > 0)) return 1;
  return Math.min(most, Math.max(2, Math.ceil((value / top) * most)));
}

function levelOf(height: number, { levels }: Glyphs): string {
  return height <= 0 ? " " : (levels[Math.min(height, STEPS) - 1] ?? " ");
}

/** A share from 0 to 1 as a bar of so many cells; any share above nothing shows at least one. */
export function bar(ratio: number, cells: number, { full, empty }: Glyphs): string {
  const filled = ratio <= 0 ? 0 : Math.min(cells, Math.max(1, Math.round(ratio * cells)));
  return full.repeat(filled) + empty.repeat(cells - filled);
}
