/** What a rollout waits for, in one sentence. */

import type { StepJudgement } from "../model/judge.ts";
import { missing } from "../model/rollout.ts";
import {
  beginsByItself,
  type GateAnswer,
  percent,
  type RolloutState,
  shortDuration,
} from "../model/rollout-state.ts";

/** What the controller knows of a route's rollout. */
export interface RolloutView {
  readonly state: RolloutState;
  readonly gates: readonly GateAnswer[];
  /** Why what is due cannot be done ("cannot promote: the state folder …"); null: nothing is in the way. */
  readonly trouble: string | null;
}

/**
 * E.g. "5% for 12 min: errors 3/18,204 new vs 61/345,871 old, evidence 0.02 of 1; needs 18 min of baking and approval".
 * `learning` is said behind it.
 */
export function waitingForStep(standing: RolloutView, judgement: StepJudgement, learning: string): string {
  const { state, trouble } = standing;
  const place = placeWords(state);
  if (state.phase === "rolled-back") return "cutover reset, or a higher revision (rolled back)";
  if (state.phase === "completed") return `nothing: completed, ${place}: ${judgement.seen}`;
  if (beginsByItself(state)) return trouble ?? "the state folder: it begins once that is stored";
  if (!state.begun) return `resume: ${state.why}${learning}`;
  const needs = needsWords(standing, judgement);
  const seen = `${place}: ${judgement.seen}`;
  if (state.phase === "paused") return `resume (${state.why}); ${seen}; then ${needs}`;
  return trouble === null ? `${seen}; ${needs}` : `${trouble}; ${seen}`;
}

function needsWords({ state, gates }: RolloutView, { verdict, needs, why }: StepJudgement): string {
  const judged = { verdict, why: needs.length > 0 ? needs.join(", ") : why };
  const left = missing(state, { judgement: judged, gates });
  const next = state.steps[state.step + 1];
  if (left.length === 0) {
    return next === undefined
      ? "nothing is missing: it completes"
      : `nothing is missing: goes on to step ${state.step + 1}`;
  }
  return `needs ${[left.slice(0, -1).join(", "), left.at(-1)].filter((part) => part !== "").join(" and ")}`;
}

/** "5% for 12 min"; where new serves nobody, by what is shadowed: "shadow 100% for 12 min". */
function placeWords(state: RolloutState): string {
  const { canaryPpm, shadowPpm } = state.shares;
  const share = canaryPpm > 0 ? percent(canaryPpm) : `shadow ${percent(shadowPpm)}`;
  return `${share} for ${shortDuration(Math.floor(state.bakedMs / 1000) * 1000)}`;
}
