/**
 * What a rollout decides put into effect, one event of a route after another: what gives new more is stored first
 * and acts then; what stops it acts first.
 */

import type { AuditEntry, RollbackEvidence } from "../model/reports.ts";
import {
  type Advance,
  advance,
  describePlace,
  type GateAnswer,
  type Judgement,
  type Known,
  type Moved,
  type RolloutEvent,
  type RolloutState,
} from "../model/rollout.ts";
import { movedByRules } from "../model/rollout-edit.ts";
import type { Gate } from "../model/ruleset.ts";
import type { Book } from "./books.ts";
import {
  auditOf,
  type Course,
  followed,
  inTurn,
  isNewStep,
  noteFailure,
  noteSuccess,
  rolledBack,
  unknown,
  wantedGates,
} from "./rollout-course.ts";
import type { NewAuditEntry, RolloutRecord, Store } from "./store-types.ts";

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
  readonly store: Pick<Store, "moveRollout">;
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

export class RolloutMoves {
  readonly #tools: MoveTools;
  readonly #present: Present;

  constructor(tools: MoveTools, present: Present) {
    this.#tools = tools;
    this.#present = present;
  }

  /** From now on this state acts. */
  enter(course: Course, next: RolloutState): void {
    const { statistics, nowMs } = this.#tools;
    const before = course.state;
    course.state = next;
    this.act(course);
    // Behind a latch the evidence stays as it was when it closed.
    if (isNewStep(before, next) && !course.book.tile.latched) statistics.stepChanged(course.book, nowMs());
  }

  /** Sets the shares and gates of the course's state. */
  act(course: Course): void {
    const { gates, nowMs } = this.#tools;
    course.book.tile.overrideShares(course.state.shares);
    gates.want(course.route, wantedGates(course));
    course.tickedMs = nowMs();
    course.isDirty = true;
  }

  /** A second has passed. Resolves when what came of it is stored, or could not be. */
  async tick(course: Course): Promise<void> {
    const nowMs = this.#tools.nowMs();
    // A write is under way, or somebody waits: what has passed meanwhile counts the next time.
    if (course.turns > 0) return;
    if (course.state.phase !== "baking" || course.book.tile.latched) {
      course.tickedMs = nowMs;
      return;
    }
    const elapsedMs = nowMs - course.tickedMs;
    const event = (known: Known): RolloutEvent => ({ kind: "tick", elapsedMs, known });
    const answer = advance(course.state, event(this.#known(course)));
    if (answer.kind === "refused") return;
    if (answer.moved === null) {
      noteSuccess(course);
      course.state = answer.state;
      course.tickedMs = nowMs;
      course.isDirty = true;
    } else if (nowMs >= course.retryAtMs) {
      // Where it cannot be stored, the time that has passed is still to be counted.
      await this.decide(course, event);
    }
  }

  /** In its turn: asks the state machine, stores, acts, announces. Refused: nothing has changed. Never rejects. */
  decide(course: Course, event: (known: Known) => RolloutEvent): Promise<Advance> {
    return inTurn(course, () => this.#decide(course, event));
  }

  /** In its turn: says of what the rules have done already. */
  tell(course: Course, moved: Moved): void {
    void inTurn(course, () => this.#tell(course, moved));
  }

  /** Of the current step, as far as it waits for them: behind its end or a latch no gate is asked. */
  gatesOf({ route, state }: Course): readonly GateAnswer[] {
    if (state.phase === "rolled-back" || state.phase === "completed") return [];
    return this.#tools.gates.answers(route, state.steps[state.step]?.gates ?? []);
  }

  record(course: Course, state: RolloutState): RolloutRecord {
    const { statistics, nowMs } = this.#tools;
    const shown = isNewStep(course.state, state) ? null : statistics.shownOf(course.book, nowMs());
    return { route: course.route, state, shown };
  }

  async #decide(course: Course, event: (known: Known) => RolloutEvent): Promise<Advance> {
    const known = this.#known(course);
    // A latch that control has not noted yet is a latch.
    const isLatched = course.book.tile.latched;
    const answer = advance(isLatched ? rolledBack(course.state) : course.state, event(known));
    if (answer.kind === "refused" || answer.moved === null || isLatched) return answer;
    const { moved, state: next } = answer;
    if (moved.action === "pause") {
      this.enter(course, next);
      const isStored = await this.#tell(course, moved);
      return isStored ? answer : { ...answer, message: `${answer.message}; ${NOT_STORED}` };
    }
    const trouble = await this.#move(course, next, moved, known);
    return trouble === null ? answer : { kind: "refused", why: trouble };
  }

  /** Stores, then acts. Answers what was in the way; null: nothing. */
  async #move(course: Course, next: RolloutState, moved: Moved, known: Known): Promise<string | null> {
    const { store, statistics, nowIso, nowMs, announce, storeFailed } = this.#tools;
    const { rulesSeen, book } = course;
    const audit = auditOf(course.route, moved, nowIso(), statistics.evidence(book, known.judgement.why));
    course.writingSinceMs = nowMs();
    let entry: AuditEntry;
    try {
      entry = await store.moveRollout(this.record(course, next), audit);
    } catch (error) {
      storeFailed(error);
      noteFailure(course, error instanceof Error ? error.message : String(error), nowMs());
      return course.trouble;
    } finally {
      course.writingSinceMs = null;
    }
    if (!this.#present.has(course)) {
      this.#present.forget(course);
      return "the rules have dropped this rollout meanwhile";
    }
    // Reloaded meanwhile: its steps may be others.
    const now = rulesSeen === course.rulesSeen ? next : followed(next, course.rollout);
    this.enter(course, now);
    noteSuccess(course);
    this.#log(moved, audit);
    announce(entry);
    const byRules = movedByRules(next, now);
    if (byRules !== null) this.tell(course, byRules);
    return null;
  }

  /** Says and stores what acts already; false: it could not be stored. */
  async #tell(course: Course, moved: Moved): Promise<boolean> {
    const { store, nowIso, announce, storeFailed } = this.#tools;
    const audit = auditOf(course.route, moved, nowIso(), null);
    this.#log(moved, audit);
    try {
      announce(await store.moveRollout(this.record(course, course.state), audit));
      if (!this.#present.has(course)) this.#present.forget(course);
      return true;
    } catch (error) {
      course.isDirty = true; // the state at least is tried again
      storeFailed(error);
      return false;
    }
  }

  #known(course: Course): Known {
    const { statistics, nowMs } = this.#tools;
    const gates = this.gatesOf(course);
    try {
      return { judgement: statistics.judge(course.book, course.state, nowMs()), gates };
    } catch (error) {
      return unknown(error, gates); // a bug of one route's judge must not stop the others
    }
  }

  #log({ action, by, reason, from, to }: Moved, { route, evidence }: NewAuditEntry): void {
    const fields = { route, by, reason, from, to };
    this.#tools.log(action, evidence === null ? fields : { ...fields, evidence });
  }
}

/** `start: running`: the first step is in the audit trail too. */
export function beginning(state: RolloutState): Moved {
  const to = describePlace(state);
  return { action: "promote", by: "rollout", reason: "start: running", from: "not begun", to };
}

const NOT_STORED = "the state folder has not kept it yet, a restart now would forget it";
