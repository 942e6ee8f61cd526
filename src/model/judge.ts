/**
 * The three verdicts on a step of a rollout. Each guarded metric must have shown that new is no worse than allowed
 * (pass.ts), on enough answers; where it has not, the step is held, and the words say what is missing. Too little
 * evidence neither passes nor fails. A fail is said by the evidence that trips, which does not wait for a judge.
 */

import { type Detector, evidenceOf } from "./detector.ts";
import { heldWords, passedWords, type Seen } from "./judge-words.ts";
import type { Metric } from "./metric.ts";
import { needsOf } from "./needs.ts";
import type { Judgement } from "./rollout-state.ts";
import type { StepFacts } from "./step-facts.ts";

/** A judgement in parts: `why` is "seen; needs …". */
export interface StepJudgement extends Judgement {
  /** "errors 3/18,204 new vs 61/345,871 old, evidence 0.02 of 1" */
  readonly seen: string;
  /** What is missing, one phrase each: "about 1,840 more answers, 26 min at this rate"; empty unless it holds. */
  readonly needs: readonly string[];
}

/** Judges what a step has shown. Null: no guard, so that bake and gates alone decide. */
export function judge(detector: Detector | null, facts: StepFacts, nowMs: number): StepJudgement {
  if (detector === null) return { verdict: "pass", why: NO_GUARD, seen: NO_GUARD, needs: [] };
  const seen: Seen = { detector, evidence: evidenceOf(detector), metrics: metricsOf(detector, facts), facts };
  const held = heldWords(seen);
  if (Object.values(seen.evidence).some((value) => value >= 1))
    return { verdict: "fail", why: held, seen: held, needs: [] };
  const needs = needsOf(seen, nowMs);
  if (needs.length > 0)
    return { verdict: "hold", why: `${held}; needs ${needs.join(", ")}`, seen: held, needs };
  const passed = passedWords(seen);
  return { verdict: "pass", why: passed, seen: passed, needs: [] };
}

const NO_GUARD = "no guard: bake and gates alone decide";

/** The guarded metrics that a step with these shares can show anything of. */
function metricsOf({ guard }: Detector, { canaryPpm, comparesPairs }: StepFacts): readonly Metric[] {
  const metrics: Metric[] = [];
  if (canaryPpm > 0 && guard.errors !== null) metrics.push("errors");
  if (canaryPpm > 0 && guard.errors !== null && guard.clientErrors !== "off") metrics.push("client-errors");
  if (canaryPpm > 0 && guard.latency !== null) metrics.push("latency");
  if (comparesPairs && guard.mismatches !== null) metrics.push("mismatches");
  return metrics;
}
