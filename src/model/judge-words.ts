/** What a step has shown, in the words of status, verdicts and the audit trail. */

import { busyKeysWords } from "./busy-keys.ts";
import type { Detector } from "./detector.ts";
import type { Counts, Metric } from "./metric.ts";
import type { StepFacts } from "./step-facts.ts";

/** What a judge looks at. */
export interface Seen {
  readonly detector: Detector;
  /** Against new, per metric, on the scale where 1 trips. */
  readonly evidence: Readonly<Record<string, number>>;
  /** Those that this step can show anything of. */
  readonly metrics: readonly Metric[];
  readonly facts: StepFacts;
}

/** "errors 3/18,204 new vs 61/345,871 old, evidence 0.02 of 1; …" */
export function heldWords(seen: Seen): string {
  return words(seen, (metric) => {
    const value = seen.evidence[metric];
    return value === undefined ? "" : `, evidence ${value.toFixed(2)} of 1`;
  });
}

/** "errors 0/812 new vs 13/81,234 old" */
export function passedWords(seen: Seen): string {
  return words(seen, () => "");
}

function words(seen: Seen, behind: (metric: Metric) => string): string {
  const { detector, metrics, facts } = seen;
  const parts: string[] = [];
  for (const metric of metrics) {
    const counts = detector.step[metric];
    // Without any there is nothing to say of them.
    if (metric === "client-errors" && counts.failed.new === 0) continue;
    parts.push(`${ratioWords(metric, counts)}${behind(metric)}`);
    const keys = busyKeysWords(detector.busyKeys[metric], counts.failed.new, NOUN[metric]);
    if (keys !== null) parts.push(keys);
  }
  if (parts.length === 0) parts.push(samplesWords(detector, facts));
  if (judgesShadows(seen)) {
    const { answers, failed } = detector.shadows;
    parts.push(`shadows failed ${countWords(failed)}/${countWords(answers)} new`);
  }
  if (facts.uncompared != null) parts.push(facts.uncompared);
  return parts.join("; ");
}

/** Where new serves nobody there are no answers to judge: shadows that fail are held against it then. */
export function judgesShadows({ detector, facts }: Seen): boolean {
  return facts.canaryPpm === 0 && facts.comparesPairs && detector.guard.errors !== null;
}

/** Where nothing is guarded that this step shows. */
function samplesWords({ step }: Detector, { canaryPpm, comparesPairs }: StepFacts): string {
  if (canaryPpm > 0)
    return `${countWords(step.errors.answers.new)} answers of new, of which nothing is guarded`;
  if (!comparesPairs) return "new is shown nothing that is compared";
  const { answers, failed } = step.mismatches;
  return `${countWords(answers.new)} compared pairs, ${countWords(failed.new)} differ`;
}

function ratioWords(metric: Metric, { answers, failed }: Counts): string {
  const ofNew = `${metric} ${countWords(failed.new)}/${countWords(answers.new)}`;
  return metric === "mismatches"
    ? `${ofNew} pairs`
    : `${ofNew} new vs ${countWords(failed.old)}/${countWords(answers.old)} old`;
}

const NOUN: Record<Metric, string> = {
  errors: "errors",
  "client-errors": "4xx",
  latency: "slow answers",
  mismatches: "mismatches",
};

/** 1,840 */
export function countWords(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}
