/** What is said of the gateway itself, above the table of its routes. */

import { counted } from "../model/figures.ts";
import type { RouteStatus, StatusReport } from "../model/reports.ts";
import { formatUptime, type Paint, printable, type Style } from "./output.ts";
import { textWidth, wrapText } from "./width.ts";

type Line = readonly [style: Style | null, text: string];

/** Its lines, the worst news after the facts; none is longer than `columns` (null: as long as it takes). */
export function gatewayLines(report: StatusReport, columns: number | null, paint: Paint): string[] {
  return linesOf(report).flatMap(([style, text]) => {
    // What fits stays as it is: the mark below an error stands under what is wrong.
    const lines = columns === null || textWidth(text) <= columns ? [text] : wrapText(text, columns);
    return lines.map((line) => (style === null ? line : paint(style, line)));
  });
}

function linesOf(report: StatusReport): Line[] {
  const { rules, routes, threads, uptimeSeconds, draining, store } = report;
  const latched = routes.filter((route) => route.latched);
  const facts = [
    `rules ${printable(rules.version)}`,
    counted(routes.length, "route"),
    counted(threads, "thread"),
    `up ${formatUptime(uptimeSeconds)}`,
  ];
  const lines: Line[] = [[null, facts.join(" · ")]];
  if (latched.length > 0)
    lines.push(["alarm", `${counted(latched.length, "route")} ROLLED BACK ${latchWords(latched)}`]);
  if (draining) lines.push(["yellow", "DRAINING: the gateway ends when its last request has"]);
  if (rules.error !== null) lines.push(...brokenRules(rules.error));
  if (store !== "ok") lines.push(["red", `STORE: ${printable(store)}`]);
  for (const { name, endpoints } of report.backends) {
    for (const { url } of endpoints.filter(({ healthy }) => healthy === false))
      lines.push(["red", `backend ${printable(name)}: ${printable(url)} fails its health check`]);
  }
  return lines;
}

/** An error in the rules brings several lines; a watched screen counts each. */
function brokenRules(error: string): Line[] {
  const [first = "", ...more] = error.trimEnd().split(/\r?\n/).map(printable);
  const lead: Line = ["red", `RULES BROKEN, the last good ones serve: ${first}`];
  return [lead, ...more.map((line): Line => ["red", line])];
}

/** Short: it must fit the narrowest terminals. */
function latchWords(latched: readonly RouteStatus[]): string {
  // A damaged store closes without exceptions.
  const closed = latched.every((route) => route.rollback?.cause === "store-damaged");
  return closed ? "to old until a reset" : "to old until a reset (except onRollback: stay keys)";
}
