/**
 * What a rollout decides put into effect, one event of a route after another: what gives new more is stored first
 * and acts then; what stops it acts first.
 */

import type { AuditEntry } from "../model/reports.ts";
import { type Advance, advance, type RolloutEvent } from "../model/rollout.ts";
import { movedByRules } from "../model/rollout-edit.ts";
import {
  beginsByItself,
  describePlace,
  type GateAnswer,
  type Known,
  type Moved,
  type RolloutState,
} from "../model/rollout-state.ts";
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
import type { MoveTools, Present } from "./rollout-tools.ts";
import type { NewAuditEntry, RolloutRecord } from "./store-types.ts";

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
    if (next.phase !== "baking") noteSuccess(course); // what was in the way is in nobody's way now
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

  /** Begins at once what the rules begin; where that cannot be stored, `tick` tries again. */
  begin(course: Course): void {
    if (!beginsByItself(course.state)) return;
    void this.decide(course, (known) => ({ kind: "tick", elapsedMs: 0, known }));
  }

  /** In its turn: asks the state machine, stores, acts, announces. Refused: nothing has changed. Never rejects. */
  decide(course: Course, event: (known: Known) => RolloutEvent): Promise<Advance> {
    return inTurn(course, () => this.#decide(course, event));
  }

  /** Pauses while a move is still at the disk: that one will not act. What is done, for people; null: none is there. */
  stop(course: Course, reason: string): string | null {
    const { state, book } = course;
    const isMoving = state.phase === "baking" || state.phase === "paused";
    if (course.writingSinceMs === null || !isMoving || book.tile.latched) return null;
    const place = describePlace(state);
    course.stopped = { action: "pause", by: "operator", reason, from: place, to: place };
    this.enter(course, { ...state, phase: "paused", why: `paused: ${reason}` });
    return `paused at ${place}: the shares stay as they are; ${NOT_STORED}`;
  }

  /** In its turn: says what an edit of the rules has done already; what is being stored says it when it is. */
  tellOfEdit(course: Course, before: RolloutState): void {
    const moved = course.writingSinceMs === null ? movedByRules(before, course.state) : null;
    if (moved !== null) void inTurn(course, () => this.#tell(course, moved));
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
    const { store, late, statistics, nowIso, nowMs, announce, storeFailed } = this.#tools;
    const { rulesSeen, book, state: before } = course;
    const isBeginning = beginsByItself(before) && moved.by === "rollout";
    // Before it has begun nothing was seen.
    const evidence = isBeginning ? null : statistics.evidence(book, known.judgement.why);
    const audit = auditOf(course.route, moved, nowIso(), evidence);
    course.writingSinceMs = nowMs();
    let entry: AuditEntry | null = null;
    try {
      if (late.count(course.route) > 0 && !(await late.retry())) throw new Error(OLDER_WAIT);
      entry = await store.moveRollout(this.record(course, next), audit);
    } catch (error) {
      storeFailed(error);
      noteFailure(course, error instanceof Error ? error.message : String(error), nowMs());
    }
    course.writingSinceMs = null;
    const { stopped } = course;
    course.stopped = null;
    if (entry === null) {
      if (stopped === null) this.tellOfEdit(course, before);
      else await this.#tell(course, stopped);
      return course.trouble;
    }
    if (!this.#present.has(course)) {
      this.#present.forget(course);
      return "the rules have dropped this rollout meanwhile";
    }
    if (stopped !== null) {
      announce(entry);
      await this.#tell(course, { ...stopped, from: describePlace(next), to: describePlace(course.state) });
      return `it was paused meanwhile (${stopped.reason})`;
    }
    // Reloaded meanwhile: its steps may be others, or its beginning called off.
    const isCalledOff = isBeginning && !beginsByItself(course.state);
    const edited = rulesSeen === course.rulesSeen ? next : followed(next, course.rollout);
    this.enter(course, isCalledOff ? course.state : edited);
    noteSuccess(course);
    this.#log(moved, audit);
    announce(entry);
    this.tellOfEdit(course, next);
    return null;
  }

  /** In its turn: says and stores what acts already; false: it could not be stored yet. */
  async #tell(course: Course, moved: Moved): Promise<boolean> {
    const { store, late, nowIso } = this.#tools;
    const { route } = course;
    const audit = auditOf(route, moved, nowIso(), null);
    this.#log(moved, audit);
    const kept = await late.keep({
      route,
      what: `${moved.action} of ${route}`,
      isVital: false,
      write: () => store.moveRollout(this.record(course, course.state), audit),
      // The state may not be this one any more, and is kept by itself.
      again: () => store.append(audit),
    });
    if (kept === "not stored yet") course.isDirty = true;
    else if (!this.#present.has(course)) this.#present.forget(course);
    return kept === "stored";
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

const OLDER_WAIT = "the state folder does not take what happened before";
const NOT_STORED = "the state folder has not kept it yet, a restart now would forget it";
