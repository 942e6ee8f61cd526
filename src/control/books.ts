/** One entry a route for as long as the rules name it: its tile, its account, its guard, its comparisons. */

import { Tile } from "../board/tile.ts";
import {
  createDetector,
  type Detector,
  type FailureEvent,
  forgetMismatches,
  reconfigure,
  startAfresh,
  startStep,
} from "../model/detector.ts";
import {
  clearDocket,
  createDocket,
  type Docket,
  type Finding,
  LESSONS,
  learningProgress,
  noiseAt,
  takePair,
  takeTransient,
} from "../model/docket.ts";
import type { NoiseRate } from "../model/noise.ts";
import type { Compared, Comparison, Place } from "../model/pair.ts";
import type { Route, SharePpm } from "../model/ruleset.ts";
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
  /** Failures of new that have proved its alone since then. */
  alone: FailureEvent[];
  /** Compared pairs on their way to the guard, and what is known of noise. */
  docket: Docket;
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
    const isAnotherComparison = book.route === null || comparisonOf(book.route) !== comparisonOf(route);
    book.route = route;
    configureGuard(book, route, nowMs);
    // What shadows match is the noise memory's too, which no total tells.
    book.account.isJudged = book.detector !== null || route.shadow.sharePpm > 0 || route.rollout !== null;
    if (isAnotherComparison) compareAnew(book, route, nowMs);
    else book.docket.noisePpm = noisePpmOf(route);
    // Where a rollout sets the shares, its controller says when a step begins.
    const isNewStep = route.rollout === null && shareBefore !== route.canary.sharePpm;
    if (book.detector !== null && isNewStep) startStep(book.detector, nowMs);
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
      alone: [],
      docket: createDocket(noisePpmOf(route)),
    };
    if (book.docket.isLearning) tile.learnNoise(LESSONS);
    this.#bySlot.set(book.slot, book);
    return book;
  }
}

function configureGuard(book: Book, route: Route, nowMs: number): void {
  book.tile.setKillLimit(route.guard?.killSwitch ?? 0);
  if (route.guard === null || route.guard.latency === null) book.tile.setSlowUs(0);
  const measuresNoise = noisePpmOf(route) > 0;
  if (route.guard === null) book.detector = null;
  else if (book.detector === null) book.detector = createDetector(route.guard, nowMs, measuresNoise);
  else reconfigure(book.detector, route.guard, nowMs, measuresNoise);
}

function noisePpmOf(route: Route | null): SharePpm {
  return route?.compare?.noisePpm ?? 0;
}

/** All that decides whether and where a pair differs, as one text. */
export function comparisonOf({ compare, old, new: fresh }: Route): string {
  if (compare === null) return "";
  const { status, headers, body, ignore, unordered, tolerance, rename, noisePpm } = compare;
  return JSON.stringify([
    old,
    fresh,
    status,
    headers,
    body,
    ignore,
    unordered,
    tolerance,
    rename,
    noisePpm > 0,
  ]);
}

/** What was found by other rules says nothing of these: noise is learned anew. */
function compareAnew(book: Book, route: Route, nowMs: number): void {
  book.docket = createDocket(noisePpmOf(route));
  book.tile.learnNoise(book.docket.isLearning ? LESSONS : 0);
  if (book.detector !== null) forgetMismatches(book.detector, nowMs);
}

/** What a pair is once noise is taken out. */
export type ComparedKind = Comparison["kind"] | "noise";

/**
 * Takes a comparison thread's finding into the books, once for each pair and when it is final, and answers what it
 * is. Where a repeat has left fewer differences, `compared` holds those.
 */
export function countComparison(book: Book, compared: Compared): ComparedKind {
  const { comparison } = compared;
  const kind = comparison.kind === "uncompared" ? "uncompared" : takePair(book.docket, findingOf(compared));
  book.compared[kind]++;
  return kind;
}

/** Counts a pair that differed and was equal when it was asked again; `compared` is the first one. */
export function countTransient(book: Book, compared: Compared): void {
  takeTransient(book.docket, findingOf(compared));
  book.compared.transient++;
}

/** True where the pair differs, and in noise alone by what is known so far. Counts nothing. */
export function isNoisePair(book: Book, { comparison }: Compared): boolean {
  if (comparison.kind !== "mismatch" || comparison.differences.length === 0) return false;
  return comparison.differences.every((each) => noiseOf(book, each) !== null);
}

/** How often old differs from itself at a place; null: it was not seen to. */
export function noiseOf(book: Book, place: Place): NoiseRate | null {
  return noiseAt(book.docket, place);
}

/** Shadows that have taught what is noise, of so many; null: learning is over, or noise is not measured. */
export function learningOf(book: Book): { readonly done: number; readonly of: number } | null {
  return learningProgress(book.docket);
}

/** After a latch was cleared: what was evidence then is none now. What is known of noise stays. */
export function forgetEvidence(book: Book, nowMs: number): void {
  book.events = [];
  book.alone = [];
  clearDocket(book.docket);
  if (book.detector !== null) startAfresh(book.detector, nowMs);
}

function findingOf({ comparison, noise: again, unit, isReverse = false }: Compared): Finding {
  if (comparison.kind !== "mismatch") return { differences: [], again, unit, isReverse };
  const { differences } = comparison;
  return { differences: differences.length > 0 ? differences : SOMEWHERE, again, unit, isReverse };
}

/** A pair that differs and does not say where differs all the same. */
const SOMEWHERE: readonly Place[] = [{ template: "body", kind: "body" }];
