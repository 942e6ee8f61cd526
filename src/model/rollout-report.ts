/** The report of a rollout, in Markdown: what came of it, each step with what was known, and what is open. */

import { cellText, inlineText, tableLines } from "./markdown.ts";
import { longDuration, thousands, utcWords } from "./report-words.ts";
import type { AuditEntry, RollbackEvidence, RouteStatus } from "./reports.ts";
import { openQuestions } from "./rollout-questions.ts";
import { type Move, type Pause, type Rollback, readTrail, type Trail } from "./rollout-trail.ts";

export interface ReportFacts {
  readonly route: string;
  readonly status: RouteStatus;
  /** Of this route, in any order. */
  readonly entries: readonly AuditEntry[];
  /** There are older entries than these. */
  readonly isCut?: boolean;
  /** ISO 8601, UTC. */
  readonly generatedAt: string;
}

/** The whole report; nothing in it that came from traffic or was typed as a reason becomes markup. */
export function rolloutReport(facts: ReportFacts): string {
  const trail = readTrail(facts.entries);
  const blocks = [
    heading(facts),
    outcome(facts, trail),
    numbers(facts.status),
    section("Steps", steps(trail)),
    section("Rollbacks", rollbacks(facts, trail)),
    section("Pauses", pauses(trail.pauses)),
    section("Open questions", openQuestions(facts.status, trail)),
    section("Who did what", everything(trail, facts.isCut === true)),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, "", ...lines];
}

function heading({ route, generatedAt }: ReportFacts): string[] {
  return [`# Rollout of ${inlineText(route)}`, "", `As of ${inlineText(utcWords(generatedAt))}.`];
}

function outcome({ status }: ReportFacts, trail: Trail): string[] {
  const { state, step, steps: count, waitingFor } = status;
  const place = step === null ? "" : ` at step ${step}${count === null ? "" : ` (the last is ${count - 1})`}`;
  const waits = waitingFor === "" ? "" : ` It waits for: ${inlineText(waitingFor)}.`;
  switch (state) {
    case "completed":
      return [`**Completed**${completedWords(trail)}: new serves ${share(status.canary)}.`];
    case "rolled-back":
      return [`**Rolled back**${rolledBackWords(status)}. New serves nobody but pinned and staying keys.`];
    case "paused":
      return [`**Paused**${place}: new serves ${share(status.canary)}.${waits}`];
    case "baking":
      return [`**Under way**${place}: new serves ${share(status.canary)}.${waits}`];
    case "serving":
      return [`**No rollout**: the shares are set in the rules, new serves ${share(status.canary)}.`];
  }
}

function completedWords({ moves }: Trail): string {
  const end = moves.findLast(({ entry }) => entry.action === "completed");
  if (end === undefined) return "";
  // Each time in a place since the last beginning: time under a latch is not among it.
  const ran = moves.slice(moves.findLastIndex(({ spentMs }) => spentMs === null));
  const tookMs = ran.reduce((sum, { spentMs }) => sum + (spentMs ?? 0), 0);
  return ` on ${inlineText(utcWords(end.entry.at))}${tookMs > 0 ? ` after ${longDuration(tookMs)}` : ""}`;
}

function rolledBackWords({ rollback: report }: RouteStatus): string {
  if (report === null) return "";
  return ` on ${inlineText(utcWords(report.at))} by ${inlineText(report.by)}, cause ${inlineText(report.cause)}`;
}

function numbers(status: RouteStatus): string[] {
  const { requests, errors, latencyMs, comparisons } = status;
  const { match, mismatch, noise, transient } = comparisons;
  const p99 = (side: "old" | "new") => {
    const value = latencyMs[side]?.p99;
    return value === undefined ? "–" : `${Number(value.toFixed(1))} ms`;
  };
  const compared = match + mismatch + noise + transient;
  return [
    ...tableLines(
      ["", "old", "new"],
      [
        ["answers", thousands(requests.old), thousands(requests.new)],
        ["errors", thousands(errors.old), thousands(errors.new)],
        ["p99 of the last minute", p99("old"), p99("new")],
      ],
    ),
    "",
    `Since the gateway was started. Compared pairs: ${thousands(compared)}, ${thousands(mismatch)} of them differ.`,
  ];
}

function steps({ moves }: Trail): string[] {
  if (moves.length === 0) return ["It has not moved yet."];
  const head = ["at", "from", "to", "time in “from”", "by", "why", "known then"];
  return tableLines(head, moves.map(moveCells));
}

function moveCells({ entry, spentMs, pausedMs }: Move): string[] {
  const { at, from, to, by, reason, evidence } = entry;
  const paused = pausedMs > 0 ? `, ${longDuration(pausedMs)} of it paused` : "";
  return [
    cellText(utcWords(at)),
    cellText(from ?? ""),
    cellText(to ?? ""),
    spentMs === null ? "–" : `${longDuration(spentMs)}${paused}`,
    cellText(by),
    cellText(reason),
    evidence === null ? "–" : knownThen(evidence, reason),
  ];
}

/** What was known at a decision, but for what the reason says already. */
function knownThen(evidence: RollbackEvidence, reason: string): string {
  return knownBesides(evidence, reason).map(cellText).join("; ");
}

/**
 * What was known at a decision, in parts: its sentence and its counts where neither is in what was `said` already,
 * then the evidence on the scale where 1 rolls back, and the rules.
 */
export function knownBesides(known: RollbackEvidence, said: string): readonly string[] {
  const { summary, samples, errors, evidence, rulesVersion } = known;
  const sentence = summary === "" || said.includes(summary) ? [] : [summary];
  const ofNew = `${thousands(errors.new)}/${thousands(samples.new)} new`;
  // Where new served nobody there is nothing to count.
  const hasCounts = samples.new === 0 || `${said} ${summary}`.includes(`errors ${ofNew}`);
  const counts = `errors ${ofNew} vs ${thousands(errors.old)}/${thousands(samples.old)} old`;
  const scale = Object.entries(evidence).map(([metric, value]) => `${metric} ${value.toFixed(2)}`);
  return [
    ...sentence,
    ...(hasCounts ? [] : [counts]),
    ...(scale.length === 0 ? [] : [`evidence ${scale.join(", ")} of 1`]),
    `rules ${rulesVersion}`,
  ];
}

/** Those of the rollout; of a route that has none, all. */
function rollbacks({ status, isCut = false }: ReportFacts, trail: Trail): string[] {
  // Where older entries are left out, nobody knows whether there was one.
  const isEach = status.step === null || isCut;
  const shown = trail.rollbacks.filter(({ isOfRollout }) => isEach || isOfRollout);
  return shown.flatMap(rollback).slice(0, -1);
}

function rollback({ entry, reset }: Rollback): string[] {
  const { at, by, reason, evidence, from } = entry;
  const known = evidence === null ? [] : knownBesides(evidence, reason).map(inlineText);
  const ended =
    reset === null
      ? "- still latched"
      : `- reset on ${inlineText(utcWords(reset.at))} by ${inlineText(reset.by)}: ${inlineText(reset.reason)}`;
  return [
    `### ${inlineText(utcWords(at))}`,
    "",
    `- by ${inlineText(by)}: ${inlineText(reason)}`,
    `- came from: ${inlineText(from ?? "")}`,
    ...(known.length === 0 ? [] : [`- known then: ${known.join("; ")}`]),
    ended,
    "",
  ];
}

function pauses(list: readonly Pause[]): string[] {
  if (list.length === 0) return [];
  const head = ["at", "place", "for", "by", "why", "ended by"];
  return tableLines(
    head,
    list.map(({ entry, end, durationMs }) => [
      cellText(utcWords(entry.at)),
      cellText(entry.to ?? entry.from ?? ""),
      durationMs === null ? "–" : longDuration(durationMs),
      cellText(entry.by),
      cellText(entry.reason),
      end === null ? "nothing yet" : cellText(`${end.action} by ${end.by}: ${end.reason}`),
    ]),
  );
}

function everything({ entries }: Trail, isCut: boolean): string[] {
  if (entries.length === 0) return ["Nothing is in the audit trail."];
  const rows = entries.map(({ at, by, action, from, to, reason }) => [
    cellText(utcWords(at)),
    cellText(by),
    cellText(action),
    action === "pin" || action === "unpin"
      ? pinned(from, to)
      : `${cellText(from ?? "")} → ${cellText(to ?? "")}`,
    cellText(reason),
  ]);
  const cut = isCut ? ["", "Older entries are left out: the audit trail has them."] : [];
  return [...tableLines(["at", "who", "what", "from → to", "why"], rows), ...cut];
}

/** A key says who somebody is, and a report is passed on: only its fingerprint may be in it. */
function pinned(from: string | null, to: string | null): string {
  const [before, after] = [from, to].map((text) => PINNED.exec(text ?? ""));
  if (before?.[1] === undefined || before[1] !== after?.[1]) return "a key";
  const until = after[3] === undefined ? "" : ` until ${utcWords(after[3])}`;
  return `key ${before[1]}: ${before[2]} → ${after[2]}${until}`;
}

/** "key 2b3d4664c975a0d6: new until 2026-05-01T10:00:00.000Z" */
const PINNED = /^key ([0-9a-f]{12,64}): (\w+)(?: until (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z))?$/;

function share(ratio: number): string {
  return `${Number((ratio * 100).toFixed(4))}%`;
}
