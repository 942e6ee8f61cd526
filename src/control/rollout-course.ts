/** One route's rollout as the controller holds it, and the plain questions about it. */

import { advance } from "../model/rollout.ts";
import {
  beforeBeginning,
  currentStep,
  type Judgement,
  type Known,
  type Moved,
  type RolloutState,
} from "../model/rollout-state.ts";
import type { Gate, Rollout } from "../model/ruleset.ts";
import type { Book } from "./books.ts";
import type { NewAuditEntry } from "./store-types.ts";

/** The longest that a failed promotion is left alone. */
const LONGEST_RETRY_MS = 30_000;
const FIRST_RETRY_MS = 1_000;

export interface Course {
  readonly route: string;
  readonly book: Book;
  rollout: Rollout;
  state: RolloutState;
  /** Events are decided one after another: a write that is under way comes first. */
  queue: Promise<unknown>;
  /** Turns that wait or run. */
  turns: number;
  /** Counts reloads: what was decided under other rules is looked at again. */
  rulesSeen: number;
  tickedMs: number;
  /** What is in the store is older than `state`. */
  isDirty: boolean;
  /** Since when a move waits to be stored; null: none does. */
  writingSinceMs: number | null;
  /** Somebody said stop while a move was being stored, which is not to act any more; null: nobody. */
  stopped: Moved | null;
  failures: number;
  retryAtMs: number;
  /** Why it cannot go on although nothing is missing; null: nothing is in the way. */
  trouble: string | null;
}

export function createCourse(book: Book, route: string, rollout: Rollout, nowMs: number): Course {
  return {
    route,
    book,
    rollout,
    state: beforeBeginning(rollout),
    queue: Promise.resolve(),
    turns: 0,
    rulesSeen: 0,
    tickedMs: nowMs,
    isDirty: true,
    writingSinceMs: null,
    stopped: null,
    failures: 0,
    retryAtMs: 0,
    trouble: null,
  };
}

/** Runs after all that was asked of this route before. */
export function inTurn<T>(course: Course, work: () => Promise<T> | T): Promise<T> {
  course.turns += 1;
  const result = course.queue.then(work).finally(() => {
    course.turns -= 1;
  });
  course.queue = result.catch(() => {}); // whoever asked hears of it
  return result;
}

/** The state after an edit of the rules. */
export function followed(state: RolloutState, rollout: Rollout): RolloutState {
  return stateAfter(state, { kind: "rules", rollout });
}

/** The state behind a latch that has closed. */
export function rolledBack(state: RolloutState): RolloutState {
  return stateAfter(state, { kind: "rolled-back" });
}

/** The state once that latch is open again: waits, and new serves nobody. Also where the rollback was not noted. */
export function startedOver(state: RolloutState): RolloutState {
  return stateAfter(rolledBack(state), { kind: "reset" });
}

/** What was kept, beside the latch, which knows better: a crash may have come between the two. */
export function reconciled(state: RolloutState, isLatched: boolean): RolloutState {
  if (isLatched) return rolledBack(state);
  return state.phase === "rolled-back" ? startedOver(state) : state;
}

function stateAfter(state: RolloutState, event: Parameters<typeof advance>[1]): RolloutState {
  const answer = advance(state, event);
  return answer.kind === "done" ? answer.state : state;
}

/** Whether what was seen before says nothing of what acts now. */
export function isNewStep(before: RolloutState, after: RolloutState): boolean {
  if (before.begun !== after.begun || before.shares.canaryPpm !== after.shares.canaryPpm) return true;
  return before.steps === after.steps ? before.step !== after.step : after.bakedMs < before.bakedMs;
}

/** The gates that it waits for at present. */
export function wantedGates({ state, rollout }: Course): Readonly<Record<string, Gate>> {
  if (state.phase === "rolled-back" || state.phase === "completed") return {};
  const wanted: Record<string, Gate> = {};
  for (const name of currentStep(state).gates) {
    const gate = rollout.gates[name];
    if (gate !== undefined) wanted[name] = gate;
  }
  return wanted;
}

/** It is tried again, ever more seldom. */
export function noteFailure(course: Course, why: string, nowMs: number): void {
  course.trouble = `${cannotMove(course.state)}: ${why}`;
  course.retryAtMs = nowMs + Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** course.failures);
  course.failures += 1;
}

/** What a disk that does not write keeps from happening. */
export function cannotMove({ begun }: RolloutState): string {
  return begun ? "cannot promote" : "cannot begin";
}

export function noteSuccess(course: Course): void {
  course.trouble = null;
  course.failures = 0;
  course.retryAtMs = 0;
}

/** The audit line of a move; evidence goes with what gives new more, or the last word. */
export function auditOf(
  route: string,
  { action, by, reason, from, to }: Moved,
  at: string,
  evidence: NewAuditEntry["evidence"],
): NewAuditEntry {
  const hasEvidence = action === "promote" || action === "completed";
  return { at, route, action, by, reason, from, to, evidence: hasEvidence ? evidence : null };
}

/** Nothing is known: it waits, and the words say why. */
export function unknown(error: unknown, gates: Known["gates"]): Known {
  const why = `it cannot be judged (${error instanceof Error ? error.message : String(error)})`;
  const judgement: Judgement = { verdict: "hold", why };
  return { judgement, gates };
}
