/** The judge's verdict on the step that a simulated rollout is at. */

import type { Detector } from "../model/detector.ts";
import { judge, type StepJudgement } from "../model/judge.ts";
import { currentStep, type RolloutState } from "../model/rollout-state.ts";
import type { Route } from "../model/ruleset.ts";

/** A log has no second answers of old: noise is taken to be known. */
export function verdictOf(
  detector: Detector | null,
  route: Route,
  state: RolloutState,
  nowMs: number,
): StepJudgement {
  const { canaryPpm, shadowPpm } = state.shares;
  const { minSamples } = currentStep(state);
  const comparesPairs = route.compare !== null && shadowPpm > 0;
  return judge(detector, { canaryPpm, minSamples, comparesPairs, learning: null }, nowMs);
}
