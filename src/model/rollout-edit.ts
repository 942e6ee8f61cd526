/** What an edit of the rules does to a rollout, and what it did, told from how it stood before and after. */

import {
  beforeBeginning,
  beginsByItself,
  currentStep,
  describePlace,
  entering,
  greatestStepUpTo,
  type Moved,
  percent,
  type RolloutState,
  waiting,
} from "./rollout-state.ts";
import type { Rollout, RolloutStep } from "./ruleset.ts";

/** What an edit said last. */
const STEP_IS_GONE = /(?:^|; )the step at [\d.]+% is gone from the rules: waits at [\d.]+%, resume goes on$/;

/**
 * Takes edited steps over. A step is known again by its shares; where the current one is gone, the rollout waits
 * at the greatest step that serves no more than now, so that an edit never raises a share by itself.
 */
export function follow(state: RolloutState, rollout: Rollout): RolloutState {
  const { steps } = rollout;
  // `start` acts once: it may call off what has not begun, and begins nothing that waits for a person.
  if (beginsByItself(state)) return beforeBeginning(rollout);
  if (!state.begun) return { ...waiting(steps, state.why), phase: state.phase };
  const same = nearestAlike(steps, state);
  if (same !== null) {
    const { shadowPpm } = steps[same] as RolloutStep;
    const kept = { ...state, step: same, steps, shares: { ...state.shares, shadowPpm } };
    // More steps behind the last one: completed is over with them.
    const isReopened = state.phase === "completed" && same < steps.length - 1;
    return isReopened
      ? { ...kept, phase: "paused", why: "the rules have further steps now: resume goes on" }
      : kept;
  }
  const was = percent(state.shares.canaryPpm);
  const at = greatestStepUpTo(steps, state.shares.canaryPpm);
  const step = steps[at] as RolloutStep;
  const canaryPpm = Math.min(step.canaryPpm, state.shares.canaryPpm);
  const next = entering(steps, at, { canaryPpm, shadowPpm: step.shadowPpm });
  const gone = `the step at ${was} is gone from the rules: waits at ${percent(canaryPpm)}, resume goes on`;
  // Whoever paused it has said why, and an edit does not answer that. What an earlier edit said is over.
  const own = state.phase === "paused" ? state.why.replace(STEP_IS_GONE, "") : "";
  const why = own === "" ? gone : `${own}; ${gone}`;
  return { ...next, phase: state.phase === "rolled-back" ? "rolled-back" : "paused", why };
}

/** The step with the canary share of the current one, and with its shadow share if there is one; the nearest of several. */
function nearestAlike(steps: readonly RolloutStep[], state: RolloutState): number | null {
  const { canaryPpm, shadowPpm } = currentStep(state);
  let best: number | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const [at, step] of steps.entries()) {
    if (step.canaryPpm !== canaryPpm) continue;
    const distance = Math.abs(at - state.step) + (step.shadowPpm === shadowPpm ? 0 : steps.length);
    if (distance >= bestDistance) continue;
    best = at;
    bestDistance = distance;
  }
  return best;
}

/**
 * What an edit of the rules did to a rollout that is under way, as a line of the audit trail; null: its place is the
 * same, and it is not stopped. `pause` where it stands now, `resume` where it goes on in its new place.
 */
export function movedByRules(before: RolloutState, after: RolloutState): Moved | null {
  const isStopped = before.phase !== "paused" && after.phase === "paused";
  const isUnderWay = after.phase === "paused" || after.phase === "baking";
  // What comes from behind a latch is the rollback's and the reset's to tell.
  if (before.phase === "rolled-back" || !isUnderWay) return null;
  // It has moved nowhere yet.
  if (beginsByItself(after)) return null;
  const [from, to] = [describePlace(before), describePlace(after)];
  if (!isStopped && from === to) return null;
  const action = after.phase === "paused" ? "pause" : "resume";
  return { action, by: "rules", reason: whyMoved(before, after), from, to };
}

function whyMoved(before: RolloutState, after: RolloutState): string {
  // Without an operator's words in front of it.
  if (before.why !== after.why) return STEP_IS_GONE.exec(after.why)?.[0].replace(/^; /, "") ?? after.why;
  return before.shares.shadowPpm === after.shares.shadowPpm
    ? "its step has another number in the rules now"
    : `its step has shadow ${percent(after.shares.shadowPpm)} in the rules now`;
}
