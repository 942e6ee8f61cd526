/** What rollouts ask of the rest of the gateway. */

import type { AuditEntry, RollbackEvidence } from "../model/reports.ts";
import type { GateAnswer, Judgement, Moved, RolloutState } from "../model/rollout-state.ts";
import type { Gate } from "../model/ruleset.ts";
import type { Book } from "./books.ts";
import type { LateWrites } from "./late-writes.ts";
import type { Course } from "./rollout-course.ts";
import type { Store } from "./store-types.ts";

/** What gates say; see gates/keeper.ts. */
export interface Gates {
  want(route: string, gates: Readonly<Record<string, Gate>>): void;
  answers(route: string, names: readonly string[]): readonly GateAnswer[];
  refresh(route: string): Promise<void>;
  stop(): void;
}

/** What is known of a route's current step; see steps.ts. */
export interface Statistics {
  judge(book: Book, state: RolloutState, nowMs: number): Judgement;
  stepChanged(book: Book, nowMs: number): void;
  shownOf(book: Book, nowMs: number): unknown;
  restoreShown(book: Book, shown: unknown, nowMs: number): void;
  evidence(book: Book, summary: string): RollbackEvidence;
}

export interface MoveTools {
  readonly store: Pick<Store, "append" | "moveRollout">;
  readonly late: LateWrites;
  readonly gates: Gates;
  readonly statistics: Statistics;
  /** A clock that does not jump. */
  readonly nowMs: () => number;
  readonly nowIso: () => string;
  /** To those who listen: the entry is in the store. */
  readonly announce: (entry: AuditEntry) => void;
  /** To the event log: it has happened. */
  readonly log: (msg: Moved["action"], fields: Readonly<Record<string, unknown>>) => void;
  readonly storeFailed: (error: unknown) => void;
}

/** What becomes of a course that the rules have dropped while a move of it was being stored. */
export interface Present {
  /** Whether the rules still name it. */
  has(course: Course): boolean;
  /** The store has it again, and is to forget it. */
  forget(course: Course): void;
}
