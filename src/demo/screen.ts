/** Where the story appears: lines that stay, and on a terminal a panel below them that is redrawn. */

import {
  formatCount,
  formatShare,
  type Paint,
  printable,
  STATE_WORDS,
  type Style,
  type Terminal,
} from "../cli/output.ts";
import type { RouteStatus } from "../model/reports.ts";
import type { Tally } from "./traffic.ts";

export interface Screen {
  /** Whether the panel shows. */
  readonly live: boolean;
  /** How wide the panel may be, right now. */
  columns(): number;
  say(text: string): void;
  /** Redraws the panel; nothing where there is no terminal. */
  panel(text: string): void;
  close(): void;
}

/** A screen for this stream. */
export async function openScreen(out: Terminal): Promise<Screen> {
  if (out.isTTY !== true) {
    return {
      live: false,
      columns: () => 80,
      say: (text) => void out.write(`${text}\n`),
      panel() {},
      close() {},
    };
  }
  const { default: logUpdate } = await import("log-update");
  let last = "";
  return {
    live: true,
    columns: () => out.columns ?? 80,
    say(text) {
      logUpdate.persist(text);
      logUpdate(last);
    },
    panel(text) {
      last = text;
      logUpdate(text);
    },
    close() {
      logUpdate.clear();
      logUpdate.done();
    },
  };
}

const BAR_CELLS = 40;

/** A share as a bar of 40 cells; any share above nothing shows at least one. */
export function bar(ratio: number): string {
  const cells = ratio <= 0 ? 0 : Math.max(1, Math.round(Math.min(ratio, 1) * BAR_CELLS));
  return "█".repeat(cells) + "░".repeat(BAR_CELLS - cells);
}

/** The panel: what the gateway does right now, and what clients see of it. No line is longer than `columns`. */
export function panelText(
  route: RouteStatus,
  clients: Readonly<Tally>,
  columns: number,
  paint: Paint,
): string {
  const state = STATE_WORDS[route.state] ?? route.state;
  const { match, mismatch } = route.comparisons;
  const evidence = Math.max(0, ...Object.values(route.evidence)).toFixed(2);
  const share = route.latched ? "0%, latched" : formatShare(route.canary);
  const lines: readonly (readonly [Style | null, string])[] = [
    [route.latched ? "alarm" : "green", `${route.name}: ${state}`],
    ["cyan", `canary   ${bar(route.latched ? 0 : route.canary)} ${share}`],
    [
      null,
      `answers  old ${formatCount(route.requests.old)}, new ${formatCount(route.requests.new)}; ` +
        `errors of new ${formatCount(route.errors.new)}, asked again of old ${formatCount(route.fallbacks)}`,
    ],
    [null, `shadows  ${formatCount(match)} match, ${formatCount(mismatch)} differ`],
    [null, `evidence ${evidence} of 1; ${route.waitingFor}`],
    [
      clients.failed === 0 ? "green" : "alarm",
      `clients  ${formatCount(clients.answers)} answered, ${formatCount(clients.failed)} failed`,
    ],
  ];
  // Cut before it is painted: a line that wraps would shift everything that is redrawn.
  return [
    "",
    ...lines.map(([style, line]) => paintLine(style, cut(printable(line), columns - 3), paint)),
    "",
  ].join("\n");
}

function paintLine(style: Style | null, line: string, paint: Paint): string {
  return `  ${style === null ? line : paint(style, line)}`;
}

function cut(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, Math.max(width - 1, 0))}…` : line;
}
