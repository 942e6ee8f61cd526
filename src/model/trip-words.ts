/** The sentences of the guard, for operators: metric, value, limit and samples. */

import type { Counts, Metric } from "./metric.ts";
import type { SharePpm } from "./ruleset.ts";
import { WHOLE_PPM } from "./ruleset.ts";
import type { TestSpec } from "./sequential-test.ts";

const FAILED: Record<Metric, string> = {
  errors: "failed",
  "client-errors": "were 4xx",
  latency: "were slower than old's p99",
  mismatches: "differed",
};

export interface TripFacts extends Counts {
  readonly spec: TestSpec;
  /** Since the evidence began to grow. */
  readonly durationMs: number;
  /** The tolerated ratio, or the rate that new was held to. */
  readonly limit: number;
  readonly sharePpm: SharePpm;
  readonly evidence: number;
  readonly repeats: number;
}

/** E.g. "errors: 7 of 61 answers of new failed against 4 of 1,150 of old in 12 s at 5% canary; evidence 1.03 of 1 (…)". */
export function tripSummary(facts: TripFacts): string {
  const { spec, answers, failed } = facts;
  const what = spec.metric === "mismatches" ? "compared pairs" : "answers of new";
  const parts = [
    `${spec.metric}: ${thousands(failed.new)} of ${thousands(answers.new)} ${what} ${FAILED[spec.metric]}`,
  ];
  if (answers.old > 0) parts.push(`against ${thousands(failed.old)} of ${thousands(answers.old)} of old`);
  parts.push(`in ${seconds(facts.durationMs)}`);
  if (spec.metric !== "mismatches" && facts.sharePpm > 0)
    parts.push(`at ${percent(facts.sharePpm / WHOLE_PPM)} canary`);
  return `${parts.join(" ")}; evidence ${facts.evidence.toFixed(2)} of 1 (${limitWords(facts)})`;
}

/** What a trip of the paired test is explained with. */
export interface PairedFacts {
  /** Kind and path, such as "value $.score"; null: places that are not noise. */
  readonly place: string | null;
  /** Since the evidence began to grow: in how many new differed alone, and in how many old's second answer did. */
  readonly triples: number;
  readonly ups: number;
  readonly downs: number;
  readonly durationMs: number;
  readonly evidence: number;
  readonly limit: number;
}

/** E.g. "mismatches: inside noisy $.score new differed alone in 412 of 5,000 shadows that asked old twice, old in 38 …". */
export function pairedSummary(facts: PairedFacts): string {
  const where = facts.place === null ? "" : `inside noisy ${placeWords(facts.place)} `;
  const shadows = `${thousands(facts.ups)} of ${thousands(facts.triples)} shadows that asked old twice`;
  const limit = `paired, new may differ in ${percent(facts.limit)} more than old from itself`;
  return (
    `mismatches: ${where}new differed alone in ${shadows}, old in ${thousands(facts.downs)}, ` +
    `in ${seconds(facts.durationMs)}; evidence ${facts.evidence.toFixed(2)} of 1 (${limit})`
  );
}

/** "value $.score" is "$.score"; what is not a value's difference says so. */
function placeWords(place: string): string {
  const space = place.indexOf(" ");
  const kind = place.slice(0, space);
  const template = place.slice(space + 1);
  return kind === "value" || kind === template || template.startsWith(`${kind}:`)
    ? template
    : `${template} (${kind})`;
}

/** The sentence of a rollback for where its cause is named already: "errors: 7 of 61 …" is "7 of 61 …". */
export function withoutCause(cause: string, summary: string): string {
  return summary.startsWith(`${cause}: `) ? summary.slice(cause.length + 2) : summary;
}

function limitWords({ spec, limit, repeats }: TripFacts): string {
  const words =
    spec.kind === "relative"
      ? [`relative, tolerates ${limit}× of old`]
      : [`absolute, limit ${percent(limit)}${limit > spec.limit ? raisedTo(spec) : ""}`];
  if (spec.kind === "blind") words.push("old's second answers are lost, so that noise is not known");
  if (repeats > 0) words.push("each key counted once");
  return words.join("; ");
}

function raisedTo({ metric }: TestSpec): string {
  if (metric === "client-errors") return ", raised by what is known of old's own";
  return metric === "mismatches"
    ? ", raised to what unseen noise of old may be"
    : ", raised to what old's own rate may be";
}

/** E.g. "errors 3/18,204 new vs 61/345,871 old, evidence 0.02 of 1; mismatches 2/940 pairs, evidence 0.10 of 1". */
export function statusWords(
  evidence: Readonly<Record<string, number>>,
  step: Readonly<Record<Metric, Counts>>,
): string {
  const parts: string[] = [];
  for (const metric of ["errors", "client-errors", "latency", "mismatches"] as const) {
    const value = evidence[metric];
    if (value === undefined) continue;
    const { answers, failed } = step[metric];
    const ofNew = `${metric} ${thousands(failed.new)}/${thousands(answers.new)}`;
    const counts =
      metric === "mismatches"
        ? `${ofNew} pairs`
        : `${ofNew} new vs ${thousands(failed.old)}/${thousands(answers.old)} old`;
    parts.push(`${counts}, evidence ${value.toFixed(2)} of 1`);
  }
  return parts.join("; ");
}

function thousands(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(3))}%`;
}

function seconds(durationMs: number): string {
  const total = Math.max(1, Math.round(durationMs / 1000));
  return total < 120 ? `${total} s` : `${Math.round(total / 60)} min`;
}
