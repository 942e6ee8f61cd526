/** `cutover pin` as text: one line a pinned key, and below it why. */

import { unitOf } from "../model/bucket.ts";
import { formatAgo } from "../model/figures.ts";
import type { PinReport } from "../model/reports.ts";
import { type Paint, printable } from "./output.ts";
import { COLUMN_GAP, tableLines } from "./table.ts";
import { cutMiddle, textWidth, wrapText } from "./width.ts";

export interface PinView {
  /** Pins of several routes: each says whose it is. */
  readonly withRoute: boolean;
  /** Cells of the terminal; null: nothing is cut or wrapped. */
  readonly columns: number | null;
  readonly nowMs: number;
}

interface Column {
  readonly head: string;
  readonly text: (pin: PinReport, nowMs: number) => string;
  /** Cells below which it is not cut; null: it is never cut. */
  readonly least: number | null;
}

const ROUTE: Column = { head: "route", text: ({ route }) => route, least: 8 };
const KEY: Column = { head: "key", text: ({ key }) => key, least: 12 };
const SIDE: Column = { head: "side", text: ({ side }) => side, least: null };
const SINCE: Column = { head: "since", text: ({ at }, nowMs) => formatAgo(at, nowMs), least: null };
const UNTIL: Column = {
  head: "until (UTC)",
  text: ({ expiresAt }) => (expiresAt === null ? "unpin" : shortTime(expiresAt)),
  least: null,
};
const FINGERPRINT: Column = {
  head: "fingerprint",
  text: ({ route, key }) => unitOf(route, key),
  least: null,
};
/** In this order, where the terminal is too narrow for all. */
const EXPENDABLE: readonly Column[] = [FINGERPRINT, SINCE];
const INDENT = "    ";

/** The text for a list that is not empty, in its order. */
export function describePins(pins: readonly PinReport[], view: PinView, paint: Paint): string {
  const all = [...(view.withRoute ? [ROUTE] : []), KEY, SIDE, SINCE, UNTIL, FINGERPRINT];
  const shown = fit(all, pins, view);
  const [head = "", ...lines] = tableLines(
    shown.map(({ column, width }) => ({ head: paint("bold", column.head), align: "left", width })),
    pins.map((pin) =>
      shown.map(({ column, width }) => cutMiddle(printable(column.text(pin, view.nowMs)), width)),
    ),
  );
  const reasons = (pin: PinReport) => reasonLines(pin, view).map((line) => paint("dim", line));
  return [head, ...pins.flatMap((pin, index) => [lines[index] ?? "", ...reasons(pin)])].join("\n");
}

interface Fitted {
  readonly column: Column;
  readonly width: number;
}

/** Leaves out and cuts until a line fits. */
function fit(columns: readonly Column[], pins: readonly PinReport[], view: PinView): Fitted[] {
  const widthOf = ({ head, text }: Column): number =>
    pins.reduce(
      (widest, pin) => Math.max(widest, textWidth(printable(text(pin, view.nowMs)))),
      textWidth(head),
    );
  let shown = columns.map((column) => ({ column, width: widthOf(column) }));
  const room = view.columns;
  if (room === null) return shown;
  const least = ({ column, width }: Fitted): number => Math.min(width, column.least ?? width);
  const needed = (): number => shown.reduce((sum, each) => sum + COLUMN_GAP + least(each), 0);
  for (const each of EXPENDABLE) {
    if (needed() > room) shown = shown.filter(({ column }) => column !== each);
  }
  let spare = Math.max(0, room - needed());
  return shown.map((each) => {
    const more = Math.min(spare, each.width - least(each));
    spare -= more;
    return { ...each, width: least(each) + more };
  });
}

function reasonLines({ reason }: PinReport, { columns }: PinView): string[] {
  const shown = printable(reason);
  const lines = columns === null ? [shown] : wrapText(shown, columns - INDENT.length);
  return lines.map((line) => `${INDENT}${line}`);
}

/** "2026-01-02 03:04:05" */
function shortTime(at: string): string {
  return at.slice(0, 19).replace("T", " ");
}
