/** Routes as a table whose sentences are below their rows: for narrow terminals, and where charts need the width. */

import type { RouteStatus } from "../model/reports.ts";
import { type Paint, printable } from "./output.ts";
import { rowStyle, story, storyWithMismatches } from "./status-cells.ts";
import { COLUMN_GAP as GAP, tableLines } from "./table.ts";
import { wrapText } from "./width.ts";

export interface StackedColumn {
  /** May have two lines. */
  readonly head: string;
  readonly align: "left" | "right";
  /** In cells: what it can do with, and what it has a use for. */
  readonly least: number;
  readonly most: number;
  /** Left out first when the terminal is narrow: the greatest goes first; 0 stays always. */
  readonly expendable: number;
  /** Without such a column the sentences tell of mismatches. */
  readonly showsMismatches?: boolean;
  /** Printable, at most as wide as it is told. */
  readonly cell: (route: RouteStatus, width: number) => string;
}

export interface StackedTable {
  readonly head: readonly string[];
  /** Of each route: its row, and its sentence in the lines that it was given. */
  readonly blocks: readonly (readonly string[])[];
}

const INDENT = "  ";

/** Whether the columns that fit leave it to the sentences to tell of mismatches. */
export function tellsMismatches(columns: readonly StackedColumn[], width: number): boolean {
  return !leaveOut(columns, width).some(({ showsMismatches }) => showsMismatches);
}

/** The lines of a route's sentence, at most so many; none where it has nothing to say. */
export function storyLinesOf(route: RouteStatus, tells: boolean, width: number, most: number): string[] {
  const text = printable(tells ? storyWithMismatches(route) : story(route));
  return most < 1 || text === "–" ? [] : wrapText(text, width - INDENT.length, most);
}

/** The table in so many columns; `storyLines` says how many lines each route's sentence may have. */
export function stackedTable(
  routes: readonly RouteStatus[],
  columns: readonly StackedColumn[],
  width: number,
  storyLines: (route: RouteStatus) => number,
  paint: Paint,
): StackedTable {
  const shown = shareOut(leaveOut(columns, width), width);
  const heads = shown.map(({ column, width: cells }) => ({
    head: column.head
      .split("\n")
      .map((line) => paint("bold", line))
      .join("\n"),
    align: column.align,
    width: cells,
  }));
  const rows = routes.map((route) => shown.map(({ column, width: cells }) => column.cell(route, cells)));
  const lines = tableLines(heads, rows);
  const tells = tellsMismatches(columns, width);
  const headHeight = lines.length - rows.length;
  return {
    head: lines.slice(0, headHeight),
    blocks: routes.map((route, index) => {
      const style = rowStyle(route) ?? "dim";
      const below = storyLinesOf(route, tells, width, storyLines(route)).map((line) => paint(style, line));
      return [lines[headHeight + index] ?? "", ...below.map((line) => `${INDENT}${line}`)];
    }),
  };
}

function leaveOut(columns: readonly StackedColumn[], width: number): readonly StackedColumn[] {
  let shown = columns;
  const greatest = Math.max(0, ...columns.map(({ expendable }) => expendable));
  for (let rank = greatest; rank > 0 && leastOf(shown) > width; rank--)
    shown = shown.filter(({ expendable }) => expendable !== rank);
  return shown;
}

function leastOf(columns: readonly StackedColumn[]): number {
  return columns.reduce((sum, { least }) => sum + GAP + least, -GAP);
}

/** What is left goes to all that have a use for it, a cell at a time. */
function shareOut(columns: readonly StackedColumn[], width: number) {
  const shown = columns.map((column) => ({ column, width: column.least }));
  let left = width - leastOf(columns);
  for (let growing = shown; left > 0 && growing.length > 0; ) {
    growing = growing.filter((each) => each.width < each.column.most);
    for (const each of growing.slice(0, left)) each.width += 1;
    left -= growing.length;
  }
  return shown;
}
