/**
 * Staged rollouts at work: asks the state machine once a second, and whenever an operator, the latch or the rules
 * say something.
 */

import type { AuditEntry } from "../model/reports.ts";
import type { Advance, RolloutEvent } from "../model/rollout.ts";
import {
  describePlace,
  type Known,
  percent,
  type RolloutState,
  shortDuration,
} from "../model/rollout-state.ts";
import type { Rollout, Route, SharePpm } from "../model/ruleset.ts";
import type { Book, Books } from "./books.ts";
import {
  type Course,
  cannotMove,
  createCourse,
  followed,
  inTurn,
  isNewStep,
  reconciled,
  rolledBack,
  startedOver,
} from "./rollout-course.ts";
import { type Due, RolloutKeeper } from "./rollout-keeper.ts";
import { RolloutMoves } from "./rollout-moves.ts";
import type { MoveTools } from "./rollout-tools.ts";
import type { RolloutView } from "./step-words.ts";
import type { NewAuditEntry, RolloutRecord, Store } from "./store-types.ts";
import { within } from "./within.ts";

const TICK_EVERY_MS = 1_000;
/** What an operator's promotion waits for the answers of gates that are asked anew. */
const GATES_PATIENCE_MS = 5_000;
/** An operator is told within this, also where the disk hangs. */
const STORE_PATIENCE_MS = 10_000;
/** A disk that hangs must not keep the process from ending. */
const STOP_PATIENCE_MS = 2_000;
/** A write that takes longer is worth a word in status. */
const SLOW_WRITE_MS = 2_000;

export interface RolloutTools extends MoveTools {
  readonly store: Store;
  readonly books: Books;
  /** In the records, whether or not the rules name the route; a store of which nobody knows latches all. */
  readonly isLatched: (route: string) => boolean;
  /** To people. */
  readonly say: (text: string) => void;
}

/** Done, or refused with what is in the way. */
export type RolloutResult =
  | { readonly ok: true; readonly message: string }
  | { readonly ok: false; readonly why: string };

export interface Promotion {
  readonly reason: string;
  /** Straight to this share; null: the next step. */
  readonly toPpm: SharePpm | null;
  /** The step that the operator saw; null: whichever it is. */
  readonly fromStep: number | null;
}

export class Rollouts {
  readonly #tools: RolloutTools;
  readonly #keeper: RolloutKeeper;
  readonly #moves: RolloutMoves;
  /** Those that the rules name, by route. */
  readonly #courses = new Map<string, Course>();
  /** What the store knew at the start, until the first rules have taken it up. */
  #restored = new Map<string, RolloutRecord>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tools: RolloutTools) {
    this.#tools = tools;
    this.#keeper = new RolloutKeeper(tools);
    this.#moves = new RolloutMoves(tools, {
      has: (course) => this.#courses.get(course.route) === course,
      forget: ({ route }) => {
        if (!this.#courses.has(route)) this.#keeper.drop(route);
      },
    });
  }

  /** Reads how far rollouts had come before the start. Call once, before `follow`. */
  async restore(): Promise<void> {
    for (const record of await this.#tools.store.rollouts()) this.#restored.set(record.route, record);
  }

  /**
   * Takes over new rules after the books have, and before latches and data threads act by them: afterwards every
   * route with a rollout serves its shares, and every other one those of its rules. Never waits for the store.
   */
  follow(routes: readonly Route[]): void {
    const staged = new Map(
      routes.flatMap(({ name, rollout }) => (rollout === null ? [] : [[name, rollout]])),
    );
    for (const course of this.#courses.values()) if (!staged.has(course.route)) this.#drop(course);
    for (const [name, rollout] of staged) {
      const book = this.#tools.books.named(name);
      if (book === undefined) continue;
      const course = this.#courses.get(name);
      if (course?.book === book) this.#edit(course, rollout);
      else this.#open(book, name, rollout);
    }
    // A rollout belongs to the rules: one that comes back begins anew.
    for (const name of this.#restored.keys()) this.#keeper.drop(name);
    this.#restored = new Map();
  }

  /** Ticks once a second until `stop`. */
  run(): void {
    for (const course of this.#courses.values()) course.tickedMs = this.#tools.nowMs();
    this.#timer ??= setInterval(() => void this.tick(), TICK_EVERY_MS);
  }

  /** Stops asking, and stores how far everything has come. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#tools.gates.stop();
    const last = this.#keep().then(() => this.#keep()); // what the first one found under way was older
    await within(last, STOP_PATIENCE_MS);
  }

  /** One look at all rollouts. Resolves when what it began is stored or could not be. */
  async tick(): Promise<void> {
    const moves = [...this.#courses.values()].map((course) => this.#moves.tick(course));
    await Promise.all([...moves, this.#keep()]);
  }

  /** Null: the route has no rollout. */
  of(route: string): RolloutView | null {
    const course = this.#courses.get(route);
    if (course === undefined) return null;
    const { latched } = course.book.tile;
    const state = latched ? rolledBack(course.state) : course.state;
    const gates = latched ? [] : this.#moves.gatesOf(course);
    return { state, gates, trouble: this.#troubleOf(course) };
  }

  /** "step 2 (canary 5%, shadow 100%)"; null: the route has no rollout. */
  placeOf(route: string): string | null {
    const course = this.#courses.get(route);
    return course === undefined ? null : describePlace(course.state);
  }

  /** Asks the gates anew first. Stored before it acts. */
  async promote(route: string, promotion: Promotion): Promise<RolloutResult> {
    await within(this.#tools.gates.refresh(route), GATES_PATIENCE_MS);
    return this.#ask(route, (known) => ({ kind: "promote", ...promotion, known }));
  }

  /**
   * Acts before it is stored: whoever says stop is not to wait for a disk. Where one hangs with a move, that move does
   * not act any more.
   */
  async pause(route: string, reason: string): Promise<RolloutResult> {
    const inTurn = this.#ask(route, () => ({ kind: "pause", reason }));
    const answer = await within(inTurn, SLOW_WRITE_MS);
    const course = this.#courses.get(route);
    if (answer !== undefined || course === undefined) return inTurn;
    const message = this.#moves.stop(course, reason);
    return message === null ? inTurn : { ok: true, message };
  }

  /** Stored before it acts. */
  resume(route: string, reason: string): Promise<RolloutResult> {
    return this.#ask(route, () => ({ kind: "resume", reason }));
  }

  /** The latch has closed, and traffic is back on old already. */
  rolledBack(route: string): void {
    const course = this.#courses.get(route);
    if (course === undefined) return;
    const note = (): void => {
      this.#moves.enter(course, rolledBack(course.state));
      void this.#keep();
    };
    // What is being stored comes first in the trail, and must not come last in the state.
    if (course.turns === 0) note();
    else void inTurn(course, note);
  }

  /**
   * A latch is about to be cleared: stores that the rollout waits before its first step. Rejects where that cannot
   * be stored; the latch must stay then. Null: the route has no rollout.
   */
  opening(route: string): Promise<void> | null {
    const course = this.#courses.get(route);
    if (course === undefined) return null;
    return inTurn(course, async () => {
      const next = startedOver(course.state);
      await this.#tools.store.keepRollouts([{ route, state: next, shown: null }]);
      if (this.#courses.get(route) !== course) return;
      this.#moves.enter(course, followed(next, course.rollout)); // as the rules are by now
    });
  }

  /** The latch opens now: nothing is on new, whatever has happened since `opening`. */
  opens(route: string): void {
    const course = this.#courses.get(route);
    if (course?.state.phase === "rolled-back") this.#moves.enter(course, startedOver(course.state));
  }

  /** A new store has taken a damaged one's place, of which nobody knew anything: all rollouts begin anew. */
  async startOver(): Promise<void> {
    await Promise.all([...this.#courses.keys()].map((route) => this.opening(route)));
  }

  /** A new store has taken the place of one that was damaged while it was in use. */
  async storeAgain(): Promise<void> {
    for (const course of this.#courses.values()) course.isDirty = true;
    await this.#keep();
  }

  #open(book: Book, name: string, rollout: Rollout): void {
    const { isLatched, statistics, nowMs } = this.#tools;
    const course = createCourse(book, name, rollout, nowMs());
    const record = this.#restored.get(name);
    this.#restored.delete(name);
    this.#keeper.keepAgain(name);
    this.#courses.set(name, course);
    const before = record?.state ?? course.state;
    course.state = reconciled(followed(before, rollout), isLatched(name));
    this.#moves.act(course);
    statistics.stepChanged(book, nowMs());
    if (record !== undefined) {
      if (!isNewStep(before, course.state)) statistics.restoreShown(book, record.shown, nowMs());
      this.#moves.tellOfEdit(course, before);
    }
    this.#moves.begin(course);
  }

  #edit(course: Course, rollout: Rollout): void {
    const before = course.state;
    course.rollout = rollout;
    course.rulesSeen += 1;
    this.#moves.enter(course, followed(before, rollout));
    this.#moves.tellOfEdit(course, before);
  }

  #drop({ route, book, state }: Course): void {
    const { books, gates, statistics, nowMs, say } = this.#tools;
    this.#courses.delete(route);
    this.#keeper.drop(route);
    gates.want(route, {});
    this.#tellOfDrop(route, state);
    if (books.named(route) !== book) return; // the route is gone with it
    book.tile.overrideShares(null);
    statistics.stepChanged(book, nowMs());
    say(
      `the rules have dropped the rollout of ${route} at ${describePlace(state)}: the shares of its rules act; ` +
        "a rollout that comes back begins anew",
    );
  }

  /** Its last line would else name a place that it has left. */
  #tellOfDrop(route: string, state: RolloutState): void {
    const { books, late, store, nowIso } = this.#tools;
    const rules = books.named(route)?.route ?? null;
    const line: NewAuditEntry = {
      at: nowIso(),
      route,
      action: "reload",
      by: "rules",
      reason: rules === null ? "the rules have dropped the route" : "the rules have dropped its rollout",
      from: state.phase === "rolled-back" ? "rolled-back" : describePlace(state),
      to: rules === null ? "gone from the rules" : describeOwnShares(rules, state),
      evidence: null,
    };
    const write = (): Promise<AuditEntry> => store.append(line);
    void late.keep({ route, what: `reload of ${route}`, isVital: false, write, again: write });
  }

  /** An operator's event, answered within a time that a person waits. */
  async #ask(route: string, event: (known: Known) => RolloutEvent): Promise<RolloutResult> {
    const course = this.#courses.get(route);
    if (course === undefined) return { ok: false, why: NO_ROLLOUT };
    const answer: Advance | undefined = await within(this.#moves.decide(course, event), STORE_PATIENCE_MS);
    if (answer === undefined) return { ok: false, why: NO_ANSWER };
    return answer.kind === "done" ? { ok: true, message: answer.message } : { ok: false, why: answer.why };
  }

  #troubleOf({ trouble, writingSinceMs, state }: Course): string | null {
    const waitedMs = writingSinceMs === null ? 0 : this.#tools.nowMs() - writingSinceMs;
    if (waitedMs < SLOW_WRITE_MS) return trouble;
    return `${cannotMove(state)}: the state folder has not answered for ${shortDuration(waitedMs)}`;
  }

  async #keep(): Promise<void> {
    // Into a store that is not to be trusted nothing is written; what is due stays so.
    if ("why" in this.#tools.store.health) return;
    await this.#keeper.keep(() => this.#due());
  }

  #due(): Due {
    // Not where a move is being stored: what was before it must not be written over it.
    const due = [...this.#courses.values()].filter(({ isDirty, turns }) => isDirty && turns === 0);
    for (const course of due) course.isDirty = false;
    return {
      records: due.map((course) => this.#moves.record(course, course.state)),
      failed: () => {
        for (const course of due) course.isDirty = true;
      },
    };
  }
}

/** What acts without a rollout; a latch lasts. */
function describeOwnShares({ canary, shadow }: Route, { phase }: RolloutState): string {
  if (phase === "rolled-back") return "rolled-back";
  return `serving (canary ${percent(canary.sharePpm)}, shadow ${percent(shadow.sharePpm)})`;
}

const NO_ROLLOUT =
  "it has no rollout, its shares are set in the rules: write `rollout: { steps: [{ canary: 1%, bake: 10m }, …] }`";
const NO_ANSWER = "the state folder does not answer: it acts once it is stored, `cutover status` shows when";
