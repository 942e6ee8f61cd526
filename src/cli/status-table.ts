/** The routes as a table: what an operator asks first, in the width that the terminal has. */

import { formatShare, STATE_WORDS } from "../model/figures.ts";
import type { RouteStatus } from "../model/reports.ts";
import { type Paint, printable } from "./output.ts";
import { type StackedColumn, stackedTable } from "./stacked-table.ts";
import {
  bakedShare,
  evidence,
  mismatches,
  p99,
  pair,
  ROLLOUT_HEADS,
  rowStyle,
  stepOfLast,
  story,
  storyWithMismatches,
} from "./status-cells.ts";
import { COLUMN_GAP as GAP, tableLines } from "./table.ts";
import { cutEnd, cutMiddle, textWidth, wrapText } from "./width.ts";

interface Column {
  readonly head: string;
  readonly align: "left" | "right";
  readonly text: (route: RouteStatus) => string;
  /** Left out first when the terminal is narrow: the greatest goes first; 0 stays always. */
  readonly expendable: number;
}

const COLUMNS: readonly Column[] = [
  { head: "route", align: "left", text: (route) => route.name, expendable: 0 },
  { head: "state", align: "left", text: (route) => STATE_WORDS[route.state] ?? route.state, expendable: 0 },
  { head: "step\nnow / last", align: "right", text: stepOfLast, expendable: 0 },
  { head: "canary", align: "right", text: (route) => formatShare(route.canary), expendable: 0 },
  { head: "shadow", align: "right", text: (route) => formatShare(route.shadow), expendable: 7 },
  { head: "baked", align: "right", text: bakedShare, expendable: 6 },
  { head: "requests\nold / new", align: "right", text: (route) => pair(route.requests), expendable: 5 },
  { head: "errors\nold / new", align: "right", text: (route) => pair(route.errors), expendable: 2 },
  { head: "p99 ms\nold / new", align: "right", text: p99, expendable: 4 },
  { head: "mismatches", align: "right", text: mismatches, expendable: 3 },
  { head: "evidence", align: "right", text: evidence, expendable: 1 },
  { head: "waits for\nor cause", align: "left", text: story, expendable: 0 },
];

const STORY = COLUMNS.length - 1;
const MISMATCHES = COLUMNS.findIndex(({ text }) => text === mismatches);
/** A sentence cut shorter than this says nothing. */
const MIN_STORY_WIDTH = 24;
/** A sentence beside its row may have so many lines; where one needs more, all are below their rows. */
const MAX_STORY_LINES = 3;
/** Of a route's name, where the room is scarce. */
const LEAST_NAME_WIDTH = 8;

/**
 * The table's lines: a head of two lines, then each route. `width` null never cuts or wraps (for pipes); else columns
 * are left out until a line fits, and the last one goes on below itself. Where it has too little room for that, it is
 * below its row: it ends with what is missing, so it is never cut. Where the mismatches have no column, it tells of them.
 */
export function routeTable(routes: readonly RouteStatus[], width: number | null, paint: Paint): string[] {
  const plain = routes.map((route) => COLUMNS.map((column) => printable(column.text(route))));
  const fitting = chooseColumns(routes, plain, width);
  const tells = !fitting.some(({ index }) => index === MISMATCHES);
  const texts = tells ? plain.map((row, index) => withMismatches(row, routes[index])) : plain;
  const shown = tells ? chooseColumns(routes, texts, width) : fitting;
  if (width !== null && (widthOf(shown) > width || isCrowded(texts, shown))) {
    const columns = chooseColumns(routes, plain, null).slice(0, -1);
    const { head, blocks } = stackedTable(
      routes,
      columns.map(({ index, width: cells }) => stacked(index, cells, paint)),
      width,
      () => Number.POSITIVE_INFINITY,
      paint,
    );
    return [...head, ...blocks.flat()];
  }
  const columns = shown.map(({ index, width: cellWidth }) => ({
    head: headLines(index)
      .map((line) => paint("bold", line))
      .join("\n"),
    align: COLUMNS[index]?.align ?? "left",
    width: cellWidth,
  }));
  const rows = routes.flatMap((route, row) => routeRows(route, texts[row] ?? [], shown, paint));
  return tableLines(columns, rows);
}

function withMismatches(texts: readonly string[], route: RouteStatus | undefined): readonly string[] {
  return route === undefined ? texts : texts.with(STORY, printable(storyWithMismatches(route)));
}

function isCrowded(texts: readonly (readonly string[])[], shown: readonly ShownColumn[]): boolean {
  const width = shown.at(-1)?.width ?? 0;
  return texts.some((row) => wrapText(row[STORY] ?? "", width).length > MAX_STORY_LINES);
}

/** A route's row, and those in which its last cell goes on. */
function routeRows(
  route: RouteStatus,
  texts: readonly string[],
  shown: readonly ShownColumn[],
  paint: Paint,
): string[][] {
  const lines = shown.map(({ index, width }) => {
    const text = texts[index] ?? "";
    return index === STORY ? wrapText(text, width) : [cutEnd(text, width)];
  });
  const height = Math.max(...lines.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    shown.map(({ index }, column) => styled(route, index, lines[column]?.[line] ?? "", paint)),
  );
}

function styled(route: RouteStatus, index: number, text: string, paint: Paint): string {
  const style = rowStyle(route);
  return style === null || text === "" ? text : paint(index === 1 && route.latched ? "alarm" : style, text);
}

/** A column of this table for one whose sentences are below: the names alone can do with less. */
function stacked(index: number, width: number, paint: Paint): StackedColumn {
  return {
    head: COLUMNS[index]?.head ?? "",
    align: COLUMNS[index]?.align ?? "left",
    least: index === 0 ? Math.min(width, LEAST_NAME_WIDTH) : width,
    most: width,
    expendable: COLUMNS[index]?.expendable ?? 0,
    showsMismatches: index === MISMATCHES,
    cell: (route, cells) =>
      styled(route, index, cutMiddle(printable(COLUMNS[index]?.text(route) ?? ""), cells), paint),
  };
}

function widthOf(shown: readonly ShownColumn[]): number {
  return shown.reduce((sum, { width }) => sum + GAP + width, -GAP);
}

function headLines(index: number): string[] {
  return (COLUMNS[index]?.head ?? "").split("\n");
}

interface ShownColumn {
  readonly index: number;
  /** Without its gap. */
  readonly width: number;
}

/** Which columns fit, and how wide each is. */
function chooseColumns(
  routes: readonly RouteStatus[],
  texts: readonly (readonly string[])[],
  width: number | null,
): readonly ShownColumn[] {
  const hasRollout = routes.some(({ step }) => step !== null);
  const all = COLUMNS.map((column, index) => ({
    index,
    expendable: column.expendable,
    width: Math.max(
      ...headLines(index).map((line) => line.length),
      texts.reduce((widest, row) => Math.max(widest, textWidth(row[index] ?? "")), 0),
    ),
  })).filter(({ index }) => hasRollout || !ROLLOUT_HEADS.includes(COLUMNS[index]?.head ?? ""));
  if (width === null) return all;
  const leastStory = Math.min(all.at(-1)?.width ?? 0, MIN_STORY_WIDTH);
  const needed = (columns: typeof all) =>
    columns.reduce((sum, column) => sum + GAP + (column.index === STORY ? leastStory : column.width), 0);
  let shown = all;
  for (let rank = COLUMNS.length; rank > 0 && needed(shown) > width; rank--) {
    shown = shown.filter(({ expendable }) => expendable !== rank);
  }
  const rest =
    width - shown.reduce((sum, column) => sum + GAP + (column.index === STORY ? 0 : column.width), 0);
  return shown.map((column) =>
    column.index === STORY
      ? { ...column, width: Math.max(Math.min(column.width, rest), leastStory) }
      : column,
  );
}
