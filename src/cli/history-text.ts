/** `cutover history` as text: who did what and when, and below it from where to where, why, and what was known. */

import type { AuditEntry } from "../model/reports.ts";
import { knownBesides } from "../model/rollout-report.ts";
import { type Paint, printable, type Style } from "./output.ts";
import { tableLines } from "./table.ts";
import { cutMiddle, textWidth, wrapText } from "./width.ts";

export interface HistoryView {
  /** Entries of several routes: each says whose it is. */
  readonly withRoute: boolean;
  /** Cells of the terminal; null: nothing is cut or wrapped. */
  readonly columns: number | null;
}

const STYLES: Readonly<Record<string, Style>> = {
  promote: "cyan",
  completed: "green",
  pause: "yellow",
  rollback: "red",
};
const INDENT = "    ";
/** Of a route's name, so that the rest of the line fits the narrowest terminals. */
const MAX_ROUTE_WIDTH = 28;

/** The text for entries, in their order, that are not none. */
export function describeHistory(
  entries: readonly AuditEntry[],
  { withRoute, columns }: HistoryView,
  paint: Paint,
): string {
  const heads = ["when (UTC)", ...(withRoute ? ["route"] : []), "action", "by"];
  const rows = entries.map((entry) => cells(entry, withRoute, columns));
  const widths = heads.map((head, index) =>
    rows.reduce((widest, row) => Math.max(widest, textWidth(row[index] ?? "")), textWidth(head)),
  );
  const actionAt = heads.indexOf("action");
  const table = tableLines(
    heads.map((head, index) => ({ head: paint("bold", head), align: "left", width: widths[index] ?? 0 })),
    rows.map((row, at) =>
      row.map((text, index) => (index === actionAt ? styled(entries[at], text, paint) : text)),
    ),
  );
  const [head = "", ...lines] = table;
  return [
    head,
    ...entries.flatMap((entry, index) => [lines[index] ?? "", ...below(entry, columns, paint)]),
  ].join("\n");
}

function cells(entry: AuditEntry, withRoute: boolean, columns: number | null): string[] {
  const route = printable(entry.route ?? "(all)");
  return [
    printable(shortTime(entry.at)),
    ...(withRoute ? [columns === null ? route : cutMiddle(route, MAX_ROUTE_WIDTH)] : []),
    printable(entry.action),
    printable(entry.by),
  ];
}

function styled(entry: AuditEntry | undefined, text: string, paint: Paint): string {
  const style = STYLES[entry?.action ?? ""];
  return style === undefined ? text : paint(style, text);
}

/** "2026-01-02 03:04:05" */
function shortTime(at: string): string {
  return at.slice(0, 19).replace("T", " ");
}

function below(entry: AuditEntry, columns: number | null, paint: Paint): string[] {
  const { from, to, reason, evidence } = entry;
  // An older gateway's entries have no evidence.
  const known = evidence === null || evidence === undefined ? [] : knownBesides(evidence, reason);
  const place = from === to ? (from ?? "") : `${from ?? "nothing"} → ${to ?? "nothing"}`;
  return [
    ...wrapped(place, columns),
    ...wrapped(reason, columns),
    ...wrapped(known.join("; "), columns).map((line) => paint("dim", line)),
  ];
}

function wrapped(text: string, columns: number | null): string[] {
  const shown = printable(text);
  if (shown === "") return [];
  const lines = columns === null ? [shown] : wrapText(shown, columns - INDENT.length);
  return lines.map((line) => `${INDENT}${line}`);
}
