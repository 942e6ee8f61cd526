/** The routes as a table: what an operator asks first, in the width that the terminal has. */

import type { RouteStatus } from "../model/reports.ts";
import { shortDuration } from "../model/rollout.ts";
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
import { cutEnd, textWidth, wrapText } from "./width.ts";

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
  { head: "p99 ms\nold / new", align: "right", text: p99, expendable: 3 },
  { head: "mismatches", align: "right", text: mismatches, expendable: 4 },
  { head: "evidence", align: "right", text: evidence, expendable: 1 },
  { head: "waits for\nor cause", align: "left", text: story, expendable: 0 },
];

const STORY = COLUMNS.length - 1;
/** A sentence cut shorter than this says nothing. */
const MIN_STORY_WIDTH = 24;
/** A sentence may go on below itself, for so many lines in all. */
export const MAX_STORY_LINES = 3;
export const TABLE_HEAD_LINES = 2;
/** Take room only where a route has a rollout. */
const ROLLOUT_HEADS: readonly string[] = ["step\nnow / last", "baked"];

/** Counted from 0, as everywhere. */
function stepOfLast({ step, steps }: RouteStatus): string {
  return step === null || steps === null ? "–" : `${step} / ${steps - 1}`;
}

function bakedShare({ state, bake }: RouteStatus): string {
  if (bake === null || state === "completed" || state === "rolled-back") return "–";
  return `${Math.floor(bakeRatio(bake) * 100)}%`;
}

function bakeRatio({ doneSeconds, ofSeconds }: NonNullable<RouteStatus["bake"]>): number {
  return ofSeconds > 0 ? Math.min(doneSeconds / ofSeconds, 1) : 1;
}

/** "12 min of 30 min (40%)" */
export function bakeWords(bake: NonNullable<RouteStatus["bake"]>): string {
  const { doneSeconds, ofSeconds } = bake;
  if (ofSeconds <= 0) return "no time asked for";
  const done = Math.min(doneSeconds, ofSeconds);
  // Rounded down: nothing has baked longer than it has.
  const whole = done < 120 ? Math.floor(done) : Math.floor(done / 60) * 60;
  return `${shortDuration(whole * 1000)} of ${shortDuration(ofSeconds * 1000)} (${Math.floor(bakeRatio(bake) * 100)}%)`;
}

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
 * The table's lines: a head of two lines, then each route. `width` null never cuts or wraps (for pipes); else columns
 * are left out until a line fits, and the last one goes on below itself for `storyLines` lines at most, and is cut
 * there. Rolled-back rows are unmistakable with and without colour.
 */
export function routeTable(
  routes: readonly RouteStatus[],
  width: number | null,
  storyLines: number,
  paint: Paint,
): string[] {
  const texts = routes.map((route) => COLUMNS.map((column) => printable(column.text(route))));
  const shown = chooseColumns(routes, texts, width);
  const columns = shown.map(({ index, width: cellWidth }) => ({
    head: headLines(index)
      .map((line) => paint("bold", line))
      .join("\n"),
    align: COLUMNS[index]?.align ?? "left",
    width: cellWidth,
  }));
  const rows = routes.flatMap((route, row) => routeRows(route, texts[row] ?? [], shown, storyLines, paint));
  return tableLines(columns, rows);
}

/** A route's row, and those in which its last cell goes on. */
function routeRows(
  route: RouteStatus,
  texts: readonly string[],
  shown: readonly ShownColumn[],
  storyLines: number,
  paint: Paint,
): string[][] {
  const style = rowStyle(route);
  const cell = (index: number, text: string) =>
    style === null || text === "" ? text : paint(index === 1 && route.latched ? "alarm" : style, text);
  const lines = shown.map(({ index, width }) => {
    const text = texts[index] ?? "";
    return index === STORY ? wrapText(text, width, storyLines) : [cutEnd(text, width)];
  });
  const height = Math.max(...lines.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    shown.map(({ index }, column) => cell(index, lines[column]?.[line] ?? "")),
  );
}

function headLines(index: number): string[] {
  return (COLUMNS[index]?.head ?? "").split("\n");
}

function rowStyle(route: RouteStatus): Style | null {
  if (route.latched || route.state === "rolled-back") return "red";
  return route.state === "paused" ? "yellow" : null;
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
      ? { ...column, width: Math.max(Math.min(column.width, rest), MIN_STORY_WIDTH) }
      : column,
  );
}
