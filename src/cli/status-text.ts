/** `cutover status` as text: the whole gateway, or one route in full. */

import { UNCOMPARED_REASONS } from "../model/pair.ts";
import type { RouteStatus, StatusReport } from "../model/reports.ts";
import {
  counted,
  formatCount,
  formatMs,
  formatShare,
  formatUptime,
  type Paint,
  printable,
  printableLines,
  STATE_WORDS,
} from "./output.ts";
import { routeTable } from "./status-table.ts";

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
  const hidden = report.routes.length - routes.length;
  const more =
    hidden === 0
      ? []
      : [paint("dim", `… and ${counted(hidden, "more route")}: cutover status ROUTE shows one`)];
  return [...head, "", ...routeTable(routes, room.columns, paint), ...more].join("\n");
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

/** Everything that is known of one route, a line a fact. */
export function describeRoute(route: RouteStatus, paint: Paint): string {
  const state = STATE_WORDS[route.state] ?? printable(route.state);
  const { match, mismatch, noise, transient, uncompared } = route.comparisons;
  const { sent, shed, too_large, timeout, failed } = route.shadows;
  const unable = reasonWords([route.uncompared]);
  const facts: readonly (readonly [string, string])[] = [
    ["state", route.latched ? paint("alarm", state) : state],
    ...(route.step === null ? [] : [["step", String(route.step)] as const]),
    ["canary", formatShare(route.canary)],
    ["shadow", formatShare(route.shadow)],
    ["requests", `old ${formatCount(route.requests.old)}, new ${formatCount(route.requests.new)}`],
    ["errors", `old ${formatCount(route.errors.old)}, new ${formatCount(route.errors.new)}`],
    ["latency", `old ${latency(route.latencyMs.old)}, new ${latency(route.latencyMs.new)} (last minute)`],
    ["fallbacks", formatCount(route.fallbacks)],
    ["compared", counts({ match, mismatch, noise, transient, uncompared })],
    ...(unable === "" ? [] : [["uncompared", unable] as const]),
    ["shadows", counts({ sent, shed, "too large": too_large, timeout, failed })],
    ["evidence", evidenceWords(route.evidence)],
    ["verdict", printable(route.verdict)],
    ["waits for", printable(route.waitingFor) || "nothing"],
  ];
  return [
    paint("bold", printable(route.name)),
    ...facts.map(([name, value]) => `  ${name.padEnd(10)} ${value}`),
    ...rollbackLines(route, paint),
  ].join("\n");
}

function rollbackLines(route: RouteStatus, paint: Paint): string[] {
  const { rollback } = route;
  if (rollback === null) return [];
  const { evidence } = rollback;
  const lines = [
    `rolled back at ${rollback.at} by ${rollback.by}, cause ${rollback.cause}`,
    evidence.summary,
    rollback.reason === evidence.summary ? "" : rollback.reason,
    `samples old ${formatCount(evidence.samples.old)}, new ${formatCount(evidence.samples.new)}; ` +
      `errors old ${formatCount(evidence.errors.old)}, new ${formatCount(evidence.errors.new)}; rules ${evidence.rulesVersion}`,
    `to go on, once new is mended: cutover reset ${route.name} --reason '…'`,
  ];
  return ["", ...lines.filter((line) => line !== "").map((line) => paint("red", `  ${printable(line)}`))];
}

function latency(value: { readonly p50: number; readonly p99: number } | null): string {
  return value === null ? "no traffic" : `p50 ${formatMs(value.p50)} ms p99 ${formatMs(value.p99)} ms`;
}

function counts(named: Readonly<Record<string, number>>): string {
  return Object.entries(named)
    .map(([name, count]) => `${formatCount(count)} ${name}`)
    .join(", ");
}

/** Why pairs could not be compared, the most frequent first: "4 too large, 2 decode failed"; "" when all could. */
export function reasonWords(uncompared: readonly RouteStatus["uncompared"][]): string {
  return UNCOMPARED_REASONS.map((reason) => ({
    name: reason.replaceAll("_", " "),
    count: uncompared.reduce((sum, counts) => sum + (counts[reason] ?? 0), 0),
  }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
    .map(({ name, count }) => `${formatCount(count)} ${name}`)
    .join(", ");
}

function evidenceWords(evidence: Readonly<Record<string, number>>): string {
  const words = Object.entries(evidence).map(([metric, value]) => `${printable(metric)} ${value.toFixed(2)}`);
  return words.length === 0 ? "none" : `${words.join(", ")} (rolls back at 1)`;
}
