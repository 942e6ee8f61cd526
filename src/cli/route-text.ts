/** `cutover status ROUTE` as text: everything that is known of one route. */

import { formatCount, formatShare, STATE_WORDS } from "../model/figures.ts";
import type { RouteStatus, Verdict } from "../model/reports.ts";
import { UNCOMPARED_REASONS } from "../model/uncompared.ts";
import { formatMs, type Paint, printable, type Style } from "./output.ts";
import { bakeWords } from "./status-cells.ts";
import { wrapText } from "./width.ts";

const NAME_WIDTH = 10;
/** Of the indentation and the name. */
export const FACT_INDENT = NAME_WIDTH + 3;

const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  pass: "pass: this step has shown enough to go on",
  hold: "hold: not enough is known to go on, and nothing to go back for",
  fail: "fail: the guard took the traffic back",
};

/** A hold has different reasons where there is nothing to go on to. */
function verdictWords({ verdict, step, state, latched }: RouteStatus): string {
  if (verdict !== "hold") return VERDICT_WORDS[verdict] ?? verdict;
  if (latched) return "hold: nothing moves until a reset";
  if (state === "paused") return "hold: nothing moves until a resume";
  if (state === "completed") return "hold: there is no further step";
  return step === null ? "hold: nothing to go back for" : VERDICT_WORDS.hold;
}

/** A name and what is said of it; a name that is "" goes on with the one above. */
export type Fact = readonly [name: string, value: string];

/** A line a fact, in the width of the terminal; `columns` null: nothing is wrapped. */
export function describeRoute(route: RouteStatus, columns: number | null, paint: Paint): string {
  const facts: readonly Fact[] = [
    ["state", stateWords(route)],
    ...rolloutFacts(route),
    ["canary", formatShare(route.canary)],
    ["shadow", formatShare(route.shadow)],
    ...countFacts(route),
    ...judgementFacts(route),
  ];
  return [
    paint("bold", printable(route.name)),
    ...facts.flatMap((fact) => factLines(fact, route, columns, paint)),
    ...withGap(rollbackLines(route, columns, paint)),
    ...withGap(nextLines(route, columns, paint)),
  ].join("\n");
}

export function stateWords({ state }: RouteStatus): string {
  return STATE_WORDS[state] ?? printable(state);
}

function withGap(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", ...lines];
}

/** What was counted since the start. */
export function countFacts(route: RouteStatus): readonly Fact[] {
  const { match, mismatch, noise, transient, uncompared } = route.comparisons;
  const { sent, shed, too_large, timeout, failed } = route.shadows;
  const unable = reasonWords([route.uncompared]);
  return [
    ["requests", `old ${formatCount(route.requests.old)}, new ${formatCount(route.requests.new)}`],
    ["errors", `old ${formatCount(route.errors.old)}, new ${formatCount(route.errors.new)}`],
    ["latency", `old ${latency(route.latencyMs.old)}, new ${latency(route.latencyMs.new)} (last minute)`],
    ["fallbacks", formatCount(route.fallbacks)],
    ["compared", counts({ match, mismatch, noise, transient, uncompared })],
    ...(unable === "" ? [] : [["uncompared", unable] as const]),
    ["shadows", counts({ sent, shed, "too large": too_large, timeout, failed }) + lastFailure(route)],
    ...(route.unhealthy ?? []).map(
      (url, index) => [index === 0 ? "health" : "", `${url} fails its health check`] as const,
    ),
    ...(route.pins > 0 ? [["pins", pinWords(route)] as const] : []),
  ];
}

/** " (the last one: new, connection refused)"; "" where none has failed. */
function lastFailure({ shadowFailure }: RouteStatus): string {
  if (shadowFailure === undefined) return "";
  return ` (the last one: ${shadowFailure.side}, ${shadowFailure.failure.replaceAll("_", " ")})`;
}

/** What is thought of new, and what comes next. */
export function judgementFacts(route: RouteStatus): readonly Fact[] {
  return [
    ["evidence", evidenceWords(route.evidence)],
    ["verdict", verdictWords(route)],
    ["waits for", waitWords(route)],
  ];
}

/** Where its rollout is, and what that needs. */
export function rolloutFacts({ state, step, steps, bake, gates }: RouteStatus): readonly Fact[] {
  const isUnderWay = state === "baking" || state === "paused";
  return [
    ...(step === null ? [] : [["step", stepWords(step, steps)] as const]),
    ...(bake === null || !isUnderWay ? [] : [["baked", bakeWords(bake)] as const]),
    ...gates.map(
      ({ name, answer, why }, index) =>
        [index === 0 ? "gates" : "", `${name}: ${answer}${why === "" ? "" : ` (${why})`}`] as const,
    ),
  ];
}

/** The cause of a rollback is below, with its numbers. */
function waitWords({ waitingFor, rollback }: RouteStatus): string {
  const shown = rollback === null ? waitingFor : waitingFor.replace(/ \(.*\)$/s, "");
  return shown === "" ? "nothing" : shown;
}

/** Counted from 0, as in the audit trail. */
function stepWords(step: number, steps: number | null): string {
  if (steps === null) return String(step);
  return step >= steps - 1 ? `${step}, the last` : `${step} (the last is ${steps - 1})`;
}

function pinWords({ name, pins }: RouteStatus): string {
  return `${formatCount(pins)} ${pins === 1 ? "key" : "keys"}, whatever the shares say: cutover pin ${name} lists them`;
}

/** A fact's lines, its name before the first. */
export function factLines(
  [name, value]: Fact,
  route: RouteStatus,
  columns: number | null,
  paint: Paint,
): string[] {
  const shown = printable(value);
  const lines = columns === null ? [shown] : wrapText(shown, columns - FACT_INDENT);
  return lines.map((line, index) => {
    const text = name === "state" && route.latched ? paint("alarm", line) : line;
    return `  ${(index === 0 ? name : "").padEnd(NAME_WIDTH)} ${text}`;
  });
}

/** What a person may do where the rollout waits for nothing else. */
export function nextLines(
  { name, state, waitingFor }: RouteStatus,
  columns: number | null,
  paint: Paint,
): string[] {
  const reason = `${name} --reason '…'`;
  const command =
    state === "paused"
      ? `cutover resume ${reason}`
      : state === "baking" && /\bneeds approval$/.test(waitingFor)
        ? `cutover promote ${reason}`
        : null;
  return command === null ? [] : indented(`to go on: ${command}`, columns, "yellow", paint);
}

/** When, why and by whom it was rolled back, what was known, and how to go on. */
export function rollbackLines(route: RouteStatus, columns: number | null, paint: Paint): string[] {
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
  return lines.filter((line) => line !== "").flatMap((line) => indented(line, columns, "red", paint));
}

function indented(text: string, columns: number | null, style: Style, paint: Paint): string[] {
  const shown = printable(text);
  const lines = columns === null ? [shown] : wrapText(shown, columns - 2);
  return lines.map((line) => paint(style, `  ${line}`));
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
