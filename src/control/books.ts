/** One entry a route for as long as the rules name it: its tile, its account, its guard, its comparisons. */

import { Tile } from "../board/tile.ts";
import {
  createDetector,
  type Detector,
  type FailureEvent,
  reconfigure,
  startAfresh,
  startStep,
} from "../model/detector.ts";
import type { Comparison } from "../model/pair.ts";
import type { Route } from "../model/ruleset.ts";
import { Account } from "./ledger.ts";

/** The pseudo route of requests that no route matches; a reserved name in the rules. */
export const UNMATCHED = "unmatched";

export interface ComparisonCounts {
  match: number;
  mismatch: number;
  noise: number;
  transient: number;
  uncompared: number;
}

export interface Book {
  readonly slot: number;
  /** Null: the book of unmatched requests. */
  route: Route | null;
  readonly tile: Tile;
  readonly account: Account;
  /** Null: not guarded. */
  detector: Detector | null;
  /** What the comparison threads have found. */
  readonly compared: ComparisonCounts;
  /** Failing answers since the last look, oldest first. */
  events: FailureEvent[];
  /** Units of mismatches since the last look, and matches that a comparison thread found. */
  mismatchUnits: (string | null)[];
  comparedMatches: number;
}

export class Books {
  readonly #threads: number;
  readonly #byName = new Map<string, Book>();
  readonly #bySlot = new Map<number, Book>();
  #nextSlot = 0;
  readonly unmatched: Book;

  constructor(threads: number, nowMs: number) {
    this.#threads = threads;
    this.unmatched = this.#open(null, nowMs);
  }

  /** Follows the rules: new routes get a book, routes that are gone lose theirs, guards take new settings. */
  follow(routes: readonly Route[], nowMs: number): void {
    const names = new Set(routes.map((route) => route.name));
    for (const [name, book] of this.#byName) {
      if (names.has(name)) continue;
      this.#byName.delete(name);
      this.#bySlot.delete(book.slot);
    }
    for (const route of routes) this.#keep(route, nowMs);
  }

  /** In the rules' order, after `follow`. */
  get all(): Iterable<Book> {
    return this.#byName.values();
  }

  named(name: string): Book | undefined {
    return this.#byName.get(name);
  }

  at(slot: number): Book | undefined {
    return this.#bySlot.get(slot);
  }

  #keep(route: Route, nowMs: number): void {
    let book = this.#byName.get(route.name);
    if (book === undefined) {
      book = this.#open(route, nowMs);
    } else {
      // Taken out and put back, so that the map stands in the rules' order.
      this.#byName.delete(route.name);
    }
    this.#byName.set(route.name, book);
    const shareBefore = book.route?.canary.sharePpm;
    book.route = route;
    configureGuard(book, route, nowMs);
    if (book.detector !== null && shareBefore !== route.canary.sharePpm) startStep(book.detector, nowMs);
  }

  #open(route: Route | null, nowMs: number): Book {
    const tile = Tile.create(this.#threads);
    const book: Book = {
      slot: this.#nextSlot++,
      route,
      tile,
      account: new Account(tile, this.#threads, nowMs),
      detector: null,
      compared: { match: 0, mismatch: 0, noise: 0, transient: 0, uncompared: 0 },
      events: [],
      mismatchUnits: [],
      comparedMatches: 0,
    };
    this.#bySlot.set(book.slot, book);
    return book;
  }
}

function configureGuard(book: Book, route: Route, nowMs: number): void {
  book.tile.setKillLimit(route.guard?.killSwitch ?? 0);
  if (route.guard === null || route.guard.latency === null) book.tile.setSlowUs(0);
  if (route.guard === null) book.detector = null;
  else if (book.detector === null) book.detector = createDetector(route.guard, nowMs);
  else reconfigure(book.detector, route.guard, nowMs);
}

/** Takes a comparison thread's finding into the books. */
export function countComparison(book: Book, comparison: Comparison, unit: string | null): void {
  book.compared[comparison.kind]++;
  if (comparison.kind === "match") book.comparedMatches++;
  else if (comparison.kind === "mismatch") book.mismatchUnits.push(unit);
}

/** After a latch was cleared: what was evidence then is none now. */
export function forgetEvidence(book: Book, nowMs: number): void {
  book.events = [];
  book.mismatchUnits = [];
  book.comparedMatches = 0;
  if (book.detector !== null) startAfresh(book.detector, nowMs);
}
