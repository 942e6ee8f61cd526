/** A simulation as text for people: each route with its steps, how often it errs, how soon a fault is found. */

import { counted, formatCount, formatMeasured, formatShare } from "../model/figures.ts";
import type {
  RouteSimulation,
  SimulatedDetection,
  SimulatedStep,
  SimulationReport,
} from "../simulate/report.ts";
import type { Spread } from "../simulate/tally.ts";
import { formatUptime, type Paint, printable, type Style } from "./output.ts";
import { type TableColumn, tableLines } from "./table.ts";
import { textWidth, wrapText } from "./width.ts";

/** All of it; the last line has no line end. */
export function describeSimulation(report: SimulationReport, width: number, paint: Paint): string {
  const { log, notes, routes, seed } = report;
  const seconds = (Date.parse(log.to) - Date.parse(log.from)) / 1000 + 1;
  const lines = [
    `${counted(log.requests, "request")} in ${formatUptime(seconds)}, ${shortTime(log.from)} to ${shortTime(log.to)} (all times are UTC); seed ${seed}`,
  ];
  if (log.unreadable > 0) {
    const examples = log.examples.map(printable).join("; ");
    lines.push(paint("yellow", `${counted(log.unreadable, "line")} could not be read: ${examples}`));
  }
  lines.push(...bulleted(notes, width, ""));
  for (const route of routes) lines.push("", ...routeLines(route, width, paint));
  return lines.join("\n");
}

const OUTCOME_STYLES: Readonly<Record<RouteSimulation["outcome"], Style>> = {
  completed: "green",
  waiting: "yellow",
  "rolled-back": "red",
};

function routeLines(route: RouteSimulation, width: number, paint: Paint): string[] {
  const { name, requests, errorRate, outcome, steps, falseRollbacks, detection, notes } = route;
  const heading = `${counted(requests, "request")}, ${formatMeasured(errorRate)} errors`;
  const lines = [`${paint("bold", printable(name))}: ${heading}: ${paint(OUTCOME_STYLES[outcome], outcome)}`];
  for (const step of steps) lines.push(...stepLines(step, width));
  lines.push(...falseLines(falseRollbacks, width, paint));
  // Nothing was run for a factor of no errors; a note says so.
  const run = detection.filter(({ factor }) => typeof factor !== "number" || errorRate > 0);
  if (run.length > 0) lines.push(...detectionLines(run));
  return [...lines, ...bulleted(notes, width, "  ")];
}

function stepLines({ step, canary, shadow, from, to, why }: SimulatedStep, width: number): string[] {
  const lasted = to === null ? "" : ` (${formatUptime((Date.parse(to) - Date.parse(from)) / 1000)})`;
  const until = to === null ? "the log's end" : shortTime(to);
  const head = `  step ${step}  canary ${formatShare(canary)}, shadow ${formatShare(shadow)}  ${shortTime(from)} to ${until}${lasted}`;
  return [head, ...wrapText(printable(why), Math.max(30, width - 10)).map((line) => `          ${line}`)];
}

function falseLines(
  { runs, count, atMost, causes, completed }: RouteSimulation["falseRollbacks"],
  width: number,
  paint: Paint,
): string[] {
  if (runs === 0) return [];
  const by = Object.entries(causes).map(([cause, times]) => `${cause} ${formatCount(times)}`);
  const causeWords = by.length === 0 ? "" : ` (${by.join(", ")})`;
  const words = `${formatCount(count)} of ${formatCount(runs)} with a healthy new${causeWords}: at most ${formatMeasured(atMost ?? 1)} in truth, 95 to 5; ${formatCount(completed)} completed`;
  const [first = "", ...more] = wrapText(words, Math.max(30, width - 19));
  return [
    `  ${paint("bold", "false rollbacks")}  ${first}`,
    ...more.map((line) => `${" ".repeat(19)}${line}`),
  ];
}

const DETECTION_HEADS = [
  "new fails",
  "found",
  "answers of new",
  "failed",
  "seen by clients",
  "seconds",
  "mostly by",
];

/** Of the spreads: the median, and what 95 of 100 stay below. */
function detectionLines(detection: readonly SimulatedDetection[]): string[] {
  const rows = detection.map((each) => [
    typeof each.factor === "number" ? `${each.factor} times as often` : printable(each.factor),
    each.runs === 0 ? "–" : `${formatCount(each.detected)} of ${formatCount(each.runs)}`,
    spread(each.requests),
    spread(each.failedRequests),
    spread(each.reachedClients),
    spread(each.seconds),
    printable(Object.entries(each.causes).sort(([, a], [, b]) => b - a)[0]?.[0] ?? "–"),
  ]);
  const columns = DETECTION_HEADS.map((head, i): TableColumn => {
    const width = Math.max(textWidth(head), ...rows.map((row) => textWidth(row[i] ?? "")));
    return { head, align: i === 0 || i === DETECTION_HEADS.length - 1 ? "left" : "right", width };
  });
  const lines = tableLines(columns, rows).map((line) => `  ${line}`);
  return [...lines, "  (half of the runs / 95 of 100 stay at or below; –: so many did not find it)"];
}

function spread({ p50, p95 }: Spread): string {
  return `${number(p50)} / ${number(p95)}`;
}

function number(value: number | null): string {
  if (value === null) return "–";
  return value < 100 && !Number.isInteger(value) ? value.toFixed(1) : formatCount(value);
}

function bulleted(notes: readonly string[], width: number, indent: string): string[] {
  return notes.flatMap((note) => {
    const lines = wrapText(printable(note), Math.max(30, width - indent.length - 2));
    return lines.map((line, i) => `${indent}${i === 0 ? "- " : "  "}${line}`);
  });
}

/** "2026-01-05 10:00:00", in UTC. */
function shortTime(iso: string): string {
  return iso.slice(0, 19).replace("T", " ");
}
