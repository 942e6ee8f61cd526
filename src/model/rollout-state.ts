/** How a rollout stands: its states, those that it begins with, and the words for its places. */

import type { Actor } from "./reports.ts";
import { type Rollout, type RolloutStep, type SharePpm, WHOLE_PPM } from "./ruleset.ts";

const NOT_BEGUN = "not begun: resume begins it";

export interface Shares {
  readonly canaryPpm: SharePpm;
  readonly shadowPpm: SharePpm;
}

export type Phase = "paused" | "baking" | "rolled-back" | "completed";

export interface RolloutState {
  readonly phase: Phase;
  /** Number of the current step, from 0. */
  readonly step: number;
  /** False: step 0 waits for a person, and until then new serves nobody. */
  readonly begun: boolean;
  /** Time that this step has baked. */
  readonly bakedMs: number;
  /** What acts while the route is not latched. */
  readonly shares: Shares;
  /** Why it stands still; "" while it bakes. */
  readonly why: string;
  /** Those that it goes by: an edited rollout is matched against them. */
  readonly steps: readonly RolloutStep[];
}

/** What a gate last said. An error is never a yes. */
export interface GateAnswer {
  readonly name: string;
  readonly answer: "yes" | "no" | "error";
  /** What was seen: "lagSeconds is 31, needs below 5". */
  readonly why: string;
}

/** What is known of new in this step; `fail` is said by the latch. */
export interface Judgement {
  readonly verdict: "pass" | "hold" | "fail";
  readonly why: string;
}

export interface Known {
  readonly judgement: Judgement;
  /** Of the current step's gates, in its order. */
  readonly gates: readonly GateAnswer[];
}

/** One line of the audit trail. */
export interface Moved {
  readonly action: "promote" | "pause" | "resume" | "completed";
  readonly by: Actor;
  readonly reason: string;
  readonly from: string;
  readonly to: string;
}

/** How a rollout stands at its beginning, as where nothing has to be stored for that. */
export function beginRollout({ start, steps }: Rollout): RolloutState {
  return start === "running" ? entering(steps, 0, steps[0] as RolloutStep) : waiting(steps, NOT_BEGUN);
}

/** How a rollout stands before its beginning: with `start: running` the next tick begins it. New serves nobody yet. */
export function beforeBeginning({ start, steps }: Rollout): RolloutState {
  return start === "running" ? { ...waiting(steps, ""), phase: "baking" } : waiting(steps, NOT_BEGUN);
}

/** Whether it begins by itself. */
export function beginsByItself({ phase, begun }: RolloutState): boolean {
  return phase === "baking" && !begun;
}

/** At the beginning of a step, with these shares. */
export function entering(
  steps: readonly RolloutStep[],
  at: number,
  { canaryPpm, shadowPpm }: Shares,
): RolloutState {
  return {
    phase: "baking",
    step: at,
    begun: true,
    bakedMs: 0,
    shares: { canaryPpm, shadowPpm },
    why: "",
    steps,
  };
}

/** Before step 0: what only shows new something may act, what lets it serve may not. */
export function waiting(steps: readonly RolloutStep[], why: string): RolloutState {
  const { shadowPpm } = steps[0] as RolloutStep;
  const shares = { canaryPpm: 0, shadowPpm };
  return { phase: "paused", step: 0, begun: false, bakedMs: 0, shares, why, steps };
}

export function currentStep({ steps, step }: RolloutState): RolloutStep {
  return steps[Math.min(step, steps.length - 1)] as RolloutStep;
}

/** The last step that serves no more than so much; the first where all serve more. */
export function greatestStepUpTo(steps: readonly RolloutStep[], canaryPpm: SharePpm): number {
  let found = 0;
  for (const [at, step] of steps.entries()) {
    const best = (steps[found] as RolloutStep).canaryPpm;
    if (step.canaryPpm <= canaryPpm && (step.canaryPpm >= best || best > canaryPpm)) found = at;
  }
  return found;
}

/** "step 2 (canary 5%, shadow 100%)" */
export function describePlace({ step, begun, shares }: RolloutState): string {
  const words = `canary ${percent(shares.canaryPpm)}, shadow ${percent(shares.shadowPpm)}`;
  return begun ? `step ${step} (${words})` : `before step 0 (${words})`;
}

export function percent(ppm: SharePpm): string {
  return `${ppm / (WHOLE_PPM / 100)}%`;
}

/** "26 min", "1 h 30 min", "45 s": up to what is left, never "0 s" while something is. */
export function shortDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}
