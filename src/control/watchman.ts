/**
 * Looks at the board at least every 100 ms, and at once when a data thread rings: feeds each route's guard, and
 * reports trips.
 */

import type { Bell } from "../board/bell.ts";
import type { EventRing, RingEvent } from "../board/event-ring.ts";
import { type Batch, observe, type Trip } from "../model/detector.ts";
import { handOver, isDocketEmpty, takeEqual, triplesWanted } from "../model/docket.ts";
import { type SharePpm, WHOLE_PPM } from "../model/ruleset.ts";
import type { Book, Books } from "./books.ts";
import type { Increment } from "./ledger.ts";

/** The longest time between two looks. */
const LOOK_EVERY_MS = 100;

export interface Findings {
  /** A guard's test crossed its limit. */
  tripped(book: Book, trip: Trip): void;
  /** A data thread's kill switch has latched the route already. */
  killed(book: Book): void;
  /** The guard of one route threw: a bug, which must not take the other routes' guards with it. */
  cannotJudge(book: Book, error: unknown): void;
}

export class Watchman {
  readonly #books: Books;
  readonly #rings: readonly EventRing[];
  readonly #bell: Bell;
  readonly #findings: Findings;
  readonly #nowMs: () => number;
  #stopped = false;

  constructor(
    books: Books,
    rings: readonly EventRing[],
    bell: Bell,
    findings: Findings,
    nowMs: () => number,
  ) {
    this.#books = books;
    this.#rings = rings;
    this.#bell = bell;
    this.#findings = findings;
    this.#nowMs = nowMs;
  }

  /** Runs until `stop`. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      const heard = this.#bell.count;
      this.look();
      await this.#bell.heard(heard, LOOK_EVERY_MS);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#bell.ring();
  }

  /** One look at everything. */
  look(): void {
    const nowMs = this.#nowMs();
    for (const ring of this.#rings) {
      // Events of a route that a reload took away are nobody's.
      ring.drain((event) => {
        const book = this.#books.at(event.slot);
        if (book !== undefined) note(book, event);
      });
    }
    this.#books.unmatched.account.read(nowMs);
    for (const book of this.#books.all) {
      if (!book.account.isDue(nowMs)) continue;
      try {
        this.#lookAt(book, nowMs);
      } catch (error) {
        this.#findings.cannotJudge(book, error);
      }
    }
  }

  #lookAt(book: Book, nowMs: number): void {
    const increment = book.account.read(nowMs);
    this.#measureSlow(book, nowMs);
    const { killed } = book.tile;
    if (increment !== null)
      takeEqual(book.docket, increment.matches, increment.triples, increment.reverseTriples);
    // Of a route without a guard what was counted is all that there is to do.
    if ((increment === null || book.detector === null) && isEmpty(book) && !killed) return;
    const batch = takeBatch(book, increment);
    // Latched, the evidence stays as it was at the rollback.
    if (book.tile.latched && !killed) return;
    const trip = book.detector === null ? null : observe(book.detector, batch, nowMs);
    askForTriples(book);
    if (killed) this.#findings.killed(book);
    else if (trip !== null) this.#findings.tripped(book, trip);
  }

  /** Slow is slower than old's p99 of the last complete minute. */
  #measureSlow(book: Book, nowMs: number): void {
    if (book.route?.guard?.latency == null) return;
    // With everything on new, what is left to old (never, pins) is another sort of traffic: the limit stays.
    if (canaryOf(book) >= WHOLE_PPM && book.tile.slowUs > 0) return;
    const slowUs = book.account.completedBaselineUs(nowMs);
    if (slowUs !== null) book.tile.setSlowUs(Math.ceil(slowUs));
  }
}

/** A place that began to differ may be new's fault or noise: old, asked twice, tells. */
function askForTriples({ docket, detector, tile }: Book): void {
  const wanted = triplesWanted(docket);
  if (wanted > 0 && detector !== null && detector.paired !== null) tile.learnNoise(wanted);
}

/** The share in force: a rollout's, or the rules' own. */
function canaryOf({ tile, route }: Book): SharePpm {
  return tile.canaryPpm(route?.canary.sharePpm ?? 0);
}

function note(book: Book, { kind, side, rhoPpm, unit }: RingEvent): void {
  if (kind === "error-alone") book.alone.push({ kind: "error", side, rhoPpm, unit });
  else if (kind === "client-error-alone") book.alone.push({ kind: "client-error", side, rhoPpm, unit });
  else book.events.push({ kind, side, rhoPpm, unit });
}

function isEmpty({ events, alone, docket }: Book): boolean {
  return events.length + alone.length === 0 && isDocketEmpty(docket);
}

function takeBatch(book: Book, increment: Increment | null): Batch {
  const batch: Batch = {
    sharePpm: canaryOf(book),
    cleanNew: increment === null ? 0 : increment.answers.new - increment.errors.new,
    fastNew: increment === null ? 0 : increment.answers.new - increment.slow.new,
    isSpeedMeasured: book.tile.slowUs > 0,
    events: book.events,
    alone: book.alone,
    old:
      increment === null
        ? { answers: 0, errors: 0 }
        : { answers: increment.answers.old, errors: increment.errors.old },
    clientErrors: increment?.clientErrors ?? { old: 0, new: 0 },
    comparisons: handOver(book.docket),
    shadows: increment?.shadows ?? { answers: 0, failed: 0 },
  };
  book.events = [];
  book.alone = [];
  return batch;
}
