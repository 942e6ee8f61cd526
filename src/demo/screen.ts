/** Where the story appears: lines that stay, and on a terminal a panel below them that is redrawn. */

import type { Drawing } from "../cli/drawing.ts";
import type { Terminal } from "../cli/output.ts";
import { isLive, openRedraw } from "../cli/redraw.ts";
import { ASCII, glyphsFor } from "../cli/spark.ts";
import type { Trend } from "../cli/trend.ts";
import { watchRoute } from "../cli/watch-route.ts";
import { asciiOnly, cutEnd } from "../cli/width.ts";
import { formatCount } from "../model/figures.ts";
import type { RouteStatus } from "../model/reports.ts";
import type { Tally } from "./traffic.ts";

export interface Screen {
  /** Whether the panel shows. */
  readonly live: boolean;
  /** What the panel may be drawn with, right now. */
  room(): Pick<Drawing, "columns" | "rows" | "glyphs">;
  say(text: string): void;
  /** Redraws the panel; nothing where there is no terminal. */
  panel(lines: readonly string[]): void;
  close(): void;
}

/** Of the terminal's rows, so that the story is seen above it. */
const PANEL_SHARE = 0.6;
const LEAST_PANEL_ROWS = 8;
const MOST_PANEL_ROWS = 18;

/** A screen for this stream. */
export async function openScreen(
  out: Terminal,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Screen> {
  const glyphs = glyphsFor(env);
  const room = () => {
    const rows = Math.floor((out.rows || 24) * PANEL_SHARE);
    return {
      columns: out.columns || 80,
      rows: Math.min(MOST_PANEL_ROWS, Math.max(LEAST_PANEL_ROWS, rows)),
      glyphs,
    };
  };
  if (!isLive(out, env))
    return { live: false, room, say: (text) => void out.write(`${text}\n`), panel() {}, close() {} };
  const redraw = await openRedraw(out);
  return {
    live: true,
    room,
    say: redraw.say,
    panel: redraw.show,
    close() {
      redraw.clear();
      redraw.done();
    },
  };
}

/** The panel: the route as `cutover status ROUTE -w` draws it, and below it what clients see. */
export function panelLines(
  route: RouteStatus,
  trend: Trend,
  clients: Readonly<Tally>,
  drawing: Drawing,
): string[] {
  const { columns, rows, paint, glyphs } = drawing;
  const words = `  clients    ${formatCount(clients.answers)} answered, ${formatCount(clients.failed)} failed`;
  const lines = [
    "",
    ...watchRoute(route, trend, { ...drawing, rows: rows - 2 }),
    paint(clients.failed === 0 ? "green" : "alarm", cutEnd(words, columns)),
  ];
  return glyphs === ASCII ? lines.map(asciiOnly) : lines;
}
