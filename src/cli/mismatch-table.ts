/** `cutover mismatches` as text: the clusters, real ones first, an example below each. */

import { counted, formatAgo, formatCount, formatMeasured } from "../model/figures.ts";
import type { MismatchCluster } from "../model/reports.ts";
import { formatDelay, type Paint, printable } from "./output.ts";
import { COLUMN_GAP, tableLines } from "./table.ts";
import { cutEnd, cutMiddle, textWidth } from "./width.ts";

/** What did not differ for so long may be mended: when it last did is said. */
const QUIET_AFTER_MS = 60_000;

/** How the clusters are to be shown. */
export interface ClusterView {
  /** Clusters of several routes: each says whose it is. */
  readonly withRoute: boolean;
  /** Cells of the terminal; null: nothing is cut. */
  readonly columns: number | null;
  readonly nowMs: number;
}

interface Column {
  readonly head: string;
  readonly align: "left" | "right";
  readonly text: (cluster: MismatchCluster, nowMs: number) => string;
  /** Left out first when the terminal is narrow: the greatest goes first; 0 stays always. */
  readonly expendable: number;
  /** Cells below which it is not cut; null: it is never cut. */
  readonly least: number | null;
}

const ROUTE: Column = {
  head: "route",
  align: "left",
  text: ({ route }) => route,
  expendable: 0,
  least: 8,
};
const PLACE: Column = { head: "place", align: "left", text: ({ place }) => place, expendable: 0, least: 12 };
const KIND: Column = { head: "kind", align: "left", text: ({ kind }) => kind, expendable: 2, least: null };
const PAIRS: Column = { head: "pairs", align: "right", text: pairs, expendable: 1, least: null };
const NOISE: Column = { head: "old ≠ old", align: "right", text: noiseRate, expendable: 3, least: null };
const SINCE: Column = {
  head: "since",
  align: "left",
  text: ({ firstAt }, nowMs) => formatAgo(firstAt, nowMs),
  expendable: 4,
  least: null,
};
const ID: Column = { head: "id", align: "left", text: ({ id }) => id, expendable: 0, least: null };

/** The text for a list of clusters that is not empty. */
export function describeClusters(
  clusters: readonly MismatchCluster[],
  view: ClusterView,
  paint: Paint,
): string {
  const real = clusters.filter(({ noise }) => noise === null);
  const noisy = clusters.filter(({ noise }) => noise !== null);
  const route = view.withRoute ? [ROUTE] : [];
  const blocks: string[][] = [];
  if (real.length > 0) blocks.push(block(real, [...route, PLACE, KIND, PAIRS, SINCE, ID], view, paint));
  if (noisy.length > 0) {
    blocks.push([
      paint("bold", "noise: old differs from itself here"),
      ...block(noisy, [...route, PLACE, KIND, NOISE, PAIRS, SINCE, ID], view, paint),
    ]);
  }
  return blocks.map((lines) => lines.join("\n")).join("\n\n");
}

function block(
  clusters: readonly MismatchCluster[],
  columns: readonly Column[],
  view: ClusterView,
  paint: Paint,
): string[] {
  const texts = clusters.map((cluster) => columns.map(({ text }) => printable(text(cluster, view.nowMs))));
  const shown = fit(columns, texts, view.columns);
  const table = tableLines(
    shown.map(({ column, width }) => ({ head: paint("bold", column.head), align: column.align, width })),
    texts.map((row) =>
      shown.map(({ column, index, width }) => {
        const text = row[index] ?? "";
        return column.least === null ? text : cutMiddle(text, width);
      }),
    ),
  );
  const [head = "", ...rows] = table;
  return [head, ...clusters.flatMap((cluster, row) => [rows[row] ?? "", ...below(cluster, view, paint)])];
}

interface Fitted {
  readonly column: Column;
  readonly index: number;
  readonly width: number;
}

/** Chooses columns and their widths, so that a line fits. */
function fit(
  columns: readonly Column[],
  texts: readonly (readonly string[])[],
  width: number | null,
): Fitted[] {
  let shown: Fitted[] = columns.map((column, index) => ({
    column,
    index,
    width: Math.max(
      textWidth(column.head),
      texts.reduce((widest, row) => Math.max(widest, textWidth(row[index] ?? "")), 0),
    ),
  }));
  if (width === null) return shown;
  const least = (each: Fitted) => Math.min(each.width, each.column.least ?? each.width);
  const needed = () => shown.reduce((sum, each) => sum + COLUMN_GAP + least(each), 0);
  for (let rank = 4; rank > 0 && needed() > width; rank--) {
    shown = shown.filter(({ column }) => column.expendable !== rank);
  }
  // What is left over goes to the columns that are cut, the last of them (the place) first.
  let spare = Math.max(0, width - needed());
  const grown = shown.toReversed().map((each) => {
    const extra = Math.min(spare, each.width - least(each));
    spare -= extra;
    return { ...each, width: least(each) + extra };
  });
  return grown.reverse();
}

function pairs({ count, overcount, share }: MismatchCluster): string {
  // "~": a bounded list of clusters counts rare ones a little too high.
  return `${overcount > 0 ? "~" : ""}${formatCount(count)} (${formatMeasured(share)})`;
}

function noiseRate({ noise }: MismatchCluster): string {
  return noise === null ? "–" : `${formatMeasured(noise.rate)} of ${formatCount(noise.triples)}`;
}

/** An example, and what is known of the differences here besides. */
function below(cluster: MismatchCluster, { columns, nowMs }: ClusterView, paint: Paint): string[] {
  const room = columns === null ? null : Math.max(columns - 4, 8);
  const notes = noteWords(cluster, nowMs);
  const { old, new: fresh } = cluster.example;
  // Redacted, or samples are off: two values that are not there say nothing.
  const example = old === null && fresh === null ? [] : [change(old, fresh, room, paint)];
  const note = printable(notes.join("; "));
  if (note !== "") example.push(paint("dim", room === null ? note : cutEnd(note, room)));
  return example.map((line) => `    ${line}`);
}

function noteWords({ relation, transient, overcount, lastAt }: MismatchCluster, nowMs: number): string[] {
  const isQuiet = nowMs - Date.parse(lastAt) >= QUIET_AFTER_MS;
  return [
    ...(isQuiet ? [`last seen ${formatAgo(lastAt, nowMs)}`] : []),
    ...(relation === null ? [] : [`${relation.name} in ${formatMeasured(relation.share)} of them`]),
    ...(transient === null ? [] : [transientWords(transient)]),
    ...(overcount === 0 ? [] : [`counted at most ${counted(overcount, "pair")} too high`]),
  ];
}

function transientWords({ count, medianMs, maxMs }: NonNullable<MismatchCluster["transient"]>): string {
  return (
    `${formatCount(count)} equal when asked again ` +
    `(median ${formatDelay(medianMs)} later, longest ${formatDelay(maxMs)})`
  );
}

/** Old's text and new's on one line of `room` cells; each gets half, and what the other leaves. */
export function change(old: string | null, fresh: string | null, room: number | null, paint: Paint): string {
  const [left, right] = [valueText(old), valueText(fresh)];
  if (room === null) return `${paint("red", left)} → ${paint("green", right)}`;
  const both = Math.max(room - 3, 2);
  const half = Math.floor(both / 2);
  const rightWidth = Math.min(textWidth(right), Math.max(half, both - textWidth(left)));
  return `${paint("red", cutEnd(left, both - rightWidth))} → ${paint("green", cutEnd(right, rightWidth))}`;
}

function valueText(text: string | null): string {
  return text === null ? "(nothing)" : printable(text);
}
