/** The routes as a table: what an operator asks first, in the width that the terminal has. */

import type { RouteStatus } from "../model/reports.ts";
import { withoutCause } from "../model/trip-words.ts";
import {
  formatCount,
  formatMs,
  formatShare,
  type Paint,
  printable,
  STATE_WORDS,
  type Style,
} from "./output.ts";
import { COLUMN_GAP as GAP, tableLines } from "./table.ts";

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
  { head: "canary", align: "right", text: (route) => formatShare(route.canary), expendable: 0 },
  { head: "shadow", align: "right", text: (route) => formatShare(route.shadow), expendable: 6 },
  { head: "requests\nold / new", align: "right", text: (route) => pair(route.requests), expendable: 5 },
  { head: "errors\nold / new", align: "right", text: (route) => pair(route.errors), expendable: 2 },
  { head: "p99 ms\nold / new", align: "right", text: p99, expendable: 3 },
  { head: "mismatches", align: "right", text: mismatches, expendable: 4 },
  { head: "evidence", align: "right", text: evidence, expendable: 1 },
  { head: "waits for\nor cause", align: "left", text: story, expendable: 0 },
];

const STORY = COLUMNS.length - 1;
/** A sentence cut shorter than this says nothing. */
const MIN_STORY_WIDTH = 24;

function pair(counts: { readonly old: number; readonly new: number }): string {
  return `${formatCount(counts.old)} / ${formatCount(counts.new)}`;
}

function p99(route: RouteStatus): string {
  const { old, new: fresh } = route.latencyMs;
  if (old === null && fresh === null) return "–";
  return `${old === null ? "–" : formatMs(old.p99)} / ${fresh === null ? "–" : formatMs(fresh.p99)}`;
}

function mismatches(route: RouteStatus): string {
  const { match, mismatch, noise, transient } = route.comparisons;
  const compared = match + mismatch + noise + transient;
  return compared === 0 ? "–" : `${formatCount(mismatch)} of ${formatCount(compared)}`;
}

/** The strongest evidence against new, on the scale where 1 trips. */
function evidence(route: RouteStatus): string {
  const values = Object.values(route.evidence);
  return values.length === 0 ? "–" : Math.max(...values).toFixed(2);
}

function story(route: RouteStatus): string {
  // That the shares are static and how the evidence stands is no news here: `status ROUTE` says it in full.
  if (route.rollback === null) return route.waitingFor.startsWith("nothing") ? "–" : route.waitingFor;
  const { cause, by, evidence: then, reason } = route.rollback;
  return `${cause} (by ${by}): ${withoutCause(cause, then.summary || reason)}`;
}

/**
 * The table's lines: a head of two lines, then one line a route. `width` null never cuts (for pipes); else columns are left
 * out and the last one is cut until a line fits. Rolled-back rows are unmistakable with and without colour.
 */
export function routeTable(routes: readonly RouteStatus[], width: number | null, paint: Paint): string[] {
  const texts = routes.map((route) => COLUMNS.map((column) => printable(column.text(route))));
  const shown = chooseColumns(texts, width);
  const columns = shown.map(({ index, width: cellWidth }) => ({
    head: headLines(index)
      .map((line) => paint("bold", line))
      .join("\n"),
    align: COLUMNS[index]?.align ?? "left",
    width: cellWidth,
  }));
  const rows = routes.map((route, row) => {
    const style = rowStyle(route);
    return shown.map(({ index, width: cellWidth }) => {
      const text = texts[row]?.[index] ?? "";
      const cut = text.length > cellWidth ? `${text.slice(0, Math.max(cellWidth - 1, 0))}…` : text;
      return style === null ? cut : paint(index === 1 && route.latched ? "alarm" : style, cut);
    });
  });
  return tableLines(columns, rows);
}

function headLines(index: number): string[] {
  return (COLUMNS[index]?.head ?? "").split("\n");
}

function rowStyle(route: RouteStatus): Style | null {
  if (route.latched || route.state === "rolled-back") return "red";
  return route.state === "paused" ? "yellow" : null;
}

/** Which columns fit, and how wide each is without its gap. */
function chooseColumns(
  texts: readonly (readonly string[])[],
  width: number | null,
): { index: number; width: number }[] {
  const all = COLUMNS.map((column, index) => ({
    index,
    expendable: column.expendable,
    width: Math.max(
      ...headLines(index).map((line) => line.length),
      texts.reduce((widest, row) => Math.max(widest, row[index]?.length ?? 0), 0),
    ),
  }));
  if (width === null) return all;
  const leastStory = Math.min(all[STORY]?.width ?? 0, MIN_STORY_WIDTH);
  const needed = (columns: typeof all) =>
    columns.reduce((sum, column) => sum + GAP + (column.index === STORY ? leastStory : column.width), 0);
  let shown = all;
  for (let rank = COLUMNS.length; rank > 0 && needed(shown) > width; rank--) {
    shown = shown.filter((column) => column.expendable !== rank);
  }
  const rest =
    width - shown.reduce((sum, column) => sum + GAP + (column.index === STORY ? 0 : column.width), 0);
  return shown.map((column) =>
    column.index === STORY
      ? { ...column, width: Math.max(Math.min(column.width, rest), MIN_STORY_WIDTH) }
      : column,
  );
}
