/**
 * A staged rollout as a state machine, pure and total: `advance` answers every event in every phase. Whoever
 * drives it stores the next state first and then acts on it, except where traffic is taken back.
 *
 * Time comes as what has passed on a clock that does not jump; of a tick that comes late only MAX_TICK_MS
 * count, so that neither a suspended machine nor a set clock can bake a step.
 */

import type { Actor } from "./reports.ts";
import { follow } from "./rollout-edit.ts";
import {
  currentStep,
  describePlace,
  entering,
  greatestStepUpTo,
  type Known,
  type Moved,
  percent,
  type RolloutState,
  shortDuration,
  waiting,
} from "./rollout-state.ts";
import type { Rollout, RolloutStep, SharePpm } from "./ruleset.ts";

/** The most that one tick bakes. */
export const MAX_TICK_MS = 5_000;

export type RolloutEvent =
  | { readonly kind: "tick"; readonly elapsedMs: number; readonly known: Known }
  | {
      readonly kind: "promote";
      readonly reason: string;
      /** Straight to this share, past all steps and gates; null: the next step. */
      readonly toPpm: SharePpm | null;
      /** The step that the operator saw; null: whichever it is. Makes a repeated call harmless. */
      readonly fromStep: number | null;
      readonly known: Known;
    }
  | { readonly kind: "pause" | "resume"; readonly reason: string }
  /** The latch has closed; traffic is back on old already. */
  | { readonly kind: "rolled-back" }
  /** The latch was cleared. */
  | { readonly kind: "reset" }
  | { readonly kind: "rules"; readonly rollout: Rollout };

/** Refused: the state is the one from before. `done` says what has happened, also where nothing had to. */
export type Advance =
  | {
      readonly kind: "done";
      readonly state: RolloutState;
      readonly moved: Moved | null;
      readonly message: string;
    }
  | { readonly kind: "refused"; readonly why: string };

/** Answers one event. Never throws. */
export function advance(state: RolloutState, event: RolloutEvent): Advance {
  switch (event.kind) {
    case "tick":
      return state.phase === "baking" ? tick(state, event.elapsedMs, event.known) : unchanged(state);
    case "promote":
      return event.toPpm === null ? promote(state, event) : promoteTo(state, event.toPpm, event.reason);
    case "pause":
      return pause(state, event.reason);
    case "resume":
      return resume(state, event.reason);
    case "rolled-back":
      return quiet({ ...state, phase: "rolled-back", why: "rolled back" });
    case "reset":
      // Only after a rollback: whoever cleared nothing must not send a rollout back to its start.
      if (state.phase !== "rolled-back") return unchanged(state);
      return quiet(waiting(state.steps, "reset after a rollback: resume begins it again"));
    case "rules":
      return quiet(follow(state, event.rollout));
  }
}

/** What the current step still needs, in the order in which it is asked; empty: nothing. */
export function missing(state: RolloutState, { judgement, gates }: Known): readonly string[] {
  const step = currentStep(state);
  const needs: string[] = [];
  if (state.bakedMs < step.bakeMs) needs.push(`${shortDuration(step.bakeMs - state.bakedMs)} of baking`);
  if (judgement.verdict !== "pass") needs.push(judgement.why);
  for (const name of step.gates) {
    const said = gates.find((gate) => gate.name === name);
    if (said?.answer !== "yes") needs.push(`gate ${name} (${said?.why ?? "not asked yet"})`);
  }
  if (step.approve) needs.push("approval");
  return needs;
}

function tick(state: RolloutState, elapsedMs: number, known: Known): Advance {
  if (!state.begun) return begin(state);
  // A clock that goes backwards bakes nothing, NaN neither.
  const countedMs = elapsedMs > 0 ? Math.min(elapsedMs, MAX_TICK_MS) : 0;
  const baked = { ...state, bakedMs: state.bakedMs + countedMs };
  if (missing(baked, known).length > 0) return quiet(baked);
  return leave(baked, "rollout", whyLeft(baked, known));
}

/** `start: running`: what the rules begin is in the audit trail too. */
function begin(state: RolloutState): Advance {
  const next = entering(state.steps, 0, currentStep(state));
  const to = describePlace(next);
  const moved: Moved = {
    action: "promote",
    by: "rollout",
    reason: "start: running",
    from: "not begun",
    to,
  };
  return { kind: "done", state: next, moved, message: `begun at ${to}` };
}

function promote(state: RolloutState, event: Extract<RolloutEvent, { readonly kind: "promote" }>): Advance {
  const { fromStep, reason, known } = event;
  if (state.phase === "rolled-back") return refused("it is rolled back: `cutover reset` first");
  if (fromStep !== null && fromStep < state.step) {
    return {
      kind: "done",
      state,
      moved: null,
      message: `it has left step ${fromStep}: it is at ${describePlace(state)}`,
    };
  }
  if (fromStep !== null && fromStep > state.step) {
    return refused(`it is at ${describePlace(state)}, not at step ${fromStep}`);
  }
  if (state.phase === "completed") return refused("it is completed: there is no further step");
  // Before step 0 and in it are the same number: asked again, it would leave the step that it has just begun.
  if (!state.begun && fromStep !== null) {
    return refused("it has not begun: resume begins it; to go past its first steps name a share (`--to`)");
  }
  if (!state.begun && currentStep(state).canaryPpm > state.shares.canaryPpm) {
    return moveTo(state, entering(state.steps, 0, currentStep(state)), "operator", reason, "promote");
  }
  // An operator may know more than the clock and the counts; what a gate guards, only `to` passes over.
  const closed = currentStep(state).gates.flatMap((name) => {
    const said = known.gates.find((gate) => gate.name === name);
    return said?.answer === "yes" ? [] : [`gate ${name} does not say yes (${said?.why ?? "not asked yet"})`];
  });
  if (closed.length > 0) {
    return refused(`${closed.join("; ")}: wait for it, or name a share (\`--to\`) to go past it`);
  }
  const left = leave(state, "operator", reason);
  return adding(left, state.begun ? endedPause(state) : "step 0 was passed over: resume would have begun it");
}

/** What a promotion ends besides the step; "": nothing. */
function endedPause({ phase, begun, why }: RolloutState): string {
  return phase === "paused" && begun ? `its pause (${why.replace(/^paused: /, "")}) is over` : "";
}

function adding(answer: Advance, words: string): Advance {
  if (answer.kind === "refused" || words === "") return answer;
  return { ...answer, message: `${answer.message}; ${words}` };
}

function promoteTo(state: RolloutState, toPpm: SharePpm, reason: string): Advance {
  if (state.phase === "rolled-back") return refused("it is rolled back: `cutover reset` first");
  const now = state.shares.canaryPpm;
  if (toPpm === now && state.begun) {
    return { kind: "done", state, moved: null, message: `new serves ${percent(now)} already` };
  }
  if (toPpm < now) {
    return refused(
      `new serves ${percent(now)}: promote only raises a share; \`cutover rollback\` takes everything back`,
    );
  }
  const at = greatestStepUpTo(state.steps, toPpm);
  const base = state.steps[at] as RolloutStep;
  const next = entering(state.steps, at, { ...base, canaryPpm: toPpm });
  return adding(moveTo(state, next, "operator", reason, "promote"), endedPause(state));
}

function pause(state: RolloutState, reason: string): Advance {
  if (state.phase === "paused") return { kind: "done", state, moved: null, message: "it is paused already" };
  if (state.phase !== "baking") return refused(`it is ${state.phase}: there is nothing to pause`);
  const next: RolloutState = { ...state, phase: "paused", why: `paused: ${reason}` };
  const place = describePlace(state);
  return {
    kind: "done",
    state: next,
    moved: { action: "pause", by: "operator", reason, from: place, to: place },
    message: `paused at ${place}: the shares stay as they are`,
  };
}

function resume(state: RolloutState, reason: string): Advance {
  if (state.phase === "baking" && state.begun)
    return { kind: "done", state, moved: null, message: "it is running already" };
  if (state.phase === "rolled-back") return refused("it is rolled back: `cutover reset` first");
  if (state.phase === "completed") return refused("it is completed: there is nothing to resume");
  if (!state.begun) {
    return moveTo(state, entering(state.steps, 0, currentStep(state)), "operator", reason, "resume");
  }
  const place = describePlace(state);
  return {
    kind: "done",
    state: { ...state, phase: "baking", why: "" },
    moved: { action: "resume", by: "operator", reason, from: place, to: place },
    message: `runs again at ${place}`,
  };
}

/** To the next step, or to the end; from a share below the step's own, to that one first. */
function leave(state: RolloutState, by: Actor, reason: string): Advance {
  const at = state.shares.canaryPpm < currentStep(state).canaryPpm ? state.step : state.step + 1;
  const step = state.steps[at];
  if (step === undefined) {
    const next: RolloutState = { ...state, phase: "completed", begun: true, why: "all steps have passed" };
    return moveTo(state, next, by, reason, "completed");
  }
  // After `promote --to` more may act than the next step names: a step never takes back what a person gave.
  const canaryPpm = Math.max(step.canaryPpm, state.shares.canaryPpm);
  return moveTo(state, entering(state.steps, at, { ...step, canaryPpm }), by, reason, "promote");
}

function moveTo(
  state: RolloutState,
  next: RolloutState,
  by: Actor,
  reason: string,
  action: Moved["action"],
): Advance {
  const from = describePlace(state);
  const to =
    action === "completed" ? `completed (canary ${percent(next.shares.canaryPpm)})` : describePlace(next);
  return { kind: "done", state: next, moved: { action, by, reason, from, to }, message: `${from} → ${to}` };
}

function whyLeft(state: RolloutState, { judgement, gates }: Known): string {
  const baked = `baked ${shortDuration(currentStep(state).bakeMs)}`;
  const opened = gates.map(({ name, why }) => `gate ${name} (${why})`);
  return [baked, judgement.why, ...opened].filter((part) => part !== "").join(", ");
}

function quiet(state: RolloutState): Advance {
  return { kind: "done", state, moved: null, message: "" };
}

function unchanged(state: RolloutState): Advance {
  return quiet(state);
}

function refused(why: string): Advance {
  return { kind: "refused", why };
}
