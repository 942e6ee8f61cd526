/** `cutover status` as text: the whole gateway. (route-text.ts: one route in full.) */

import type { RouteStatus, StatusReport } from "../model/reports.ts";
import { counted, formatUptime, type Paint, printable, printableLines } from "./output.ts";
import { MAX_STORY_LINES, routeTable, TABLE_HEAD_LINES } from "./status-table.ts";

/** The room that a watched table has; null: as much as it takes. */
export interface Room {
  readonly columns: number | null;
  readonly rows: number | null;
}

/** The gateway's own lines, then its routes. With few rows, the routes that are in trouble come first. */
export function describeStatus(report: StatusReport, room: Room, paint: Paint): string {
  const head = gatewayLines(report, paint);
  if (report.routes.length === 0) return [...head, "", "no routes"].join("\n");
  // Head, blank line, table head of two lines, the line that says how many more, and the cursor's own.
  const fitting = room.rows === null ? Number.POSITIVE_INFINITY : Math.max(1, room.rows - head.length - 5);
  const routes =
    report.routes.length > fitting ? troubleFirst(report.routes).slice(0, fitting) : report.routes;
  const table = fittingTable(routes, room, fitting, paint);
  const hidden = report.routes.length - routes.length;
  const more =
    hidden === 0
      ? []
      : [paint("dim", `… and ${counted(hidden, "more route")}: cutover status ROUTE shows one`)];
  return [...head, "", ...table, ...more].join("\n");
}

/** With its sentences as long as the rows allow. */
function fittingTable(routes: readonly RouteStatus[], room: Room, rows: number, paint: Paint): string[] {
  for (let storyLines = MAX_STORY_LINES; storyLines > 1; storyLines--) {
    const table = routeTable(routes, room.columns, storyLines, paint);
    if (table.length - TABLE_HEAD_LINES <= rows) return table;
  }
  return routeTable(routes, room.columns, 1, paint);
}

function troubleFirst(routes: readonly RouteStatus[]): RouteStatus[] {
  return routes.toSorted((a, b) => trouble(b) - trouble(a));
}

/** Latched before everything, then by how near a trip is. */
function trouble(route: RouteStatus): number {
  return route.latched ? 1_000 : Math.max(0, ...Object.values(route.evidence));
}

function gatewayLines(report: StatusReport, paint: Paint): string[] {
  const latched = report.routes.filter((route) => route.latched);
  const facts = [
    `rules ${printable(report.rules.version)}`,
    counted(report.routes.length, "route"),
    counted(report.threads, "thread"),
    `up ${formatUptime(report.uptimeSeconds)}`,
  ];
  const lines = [facts.join(" · ")];
  if (latched.length > 0)
    lines.push(paint("alarm", `${counted(latched.length, "route")} ROLLED BACK ${latchWords(latched)}`));
  if (report.draining) lines.push(paint("yellow", "DRAINING: the gateway ends when its last request has"));
  if (report.rules.error !== null) {
    lines.push(
      paint("red", `RULES BROKEN, the last good ones serve: ${printableLines(report.rules.error.trimEnd())}`),
    );
  }
  if (report.store !== "ok") lines.push(paint("red", `STORE: ${printable(report.store)}`));
  for (const { name, endpoints } of report.backends) {
    for (const { url } of endpoints.filter(({ healthy }) => healthy === false)) {
      lines.push(paint("red", `backend ${printable(name)}: ${printable(url)} fails its health check`));
    }
  }
  // An error in the rules brings several lines; a watched screen counts each.
  return lines.flatMap((line) => line.split("\n"));
}

/** Short: it must fit the narrowest terminals. */
function latchWords(latched: readonly RouteStatus[]): string {
  // A damaged store closes without exceptions.
  const closed = latched.every((route) => route.rollback?.cause === "store-damaged");
  return closed ? "to old until a reset" : "to old until a reset (except onRollback: stay keys)";
}
