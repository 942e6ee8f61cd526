/** The numbers of the metrics, read off the books. */

import { readExemplars } from "../board/exemplars.ts";
import { DURATION_BOUNDS_US, requestsWord, SIDE_INDEX, SIDES, SLICE } from "../board/layout.ts";
import { evidenceOf } from "../model/detector.ts";
import { type Expected, expectedAnswers } from "../model/expected-answers.ts";
import { CODES } from "../model/failures.ts";
import { REASON_INDEX, REASONS } from "../model/reasons.ts";
import type { Phase } from "../model/rollout-state.ts";
import { type Guard, type Side, WHOLE_PPM } from "../model/ruleset.ts";
import type { Exemplar } from "../observe/exposition.ts";
import type { HistogramSample, Sample } from "../observe/families.ts";
import type { MetricsSource } from "../observe/metrics.ts";
import { type Book, type Books, UNMATCHED } from "./books.ts";
import type { Latches } from "./latches.ts";
import type { Rollouts } from "./rollouts.ts";
import type { RulesKeeper } from "./rules-keeper.ts";
import { comparisonCounts, shadowCounts, uncomparedCounts } from "./status.ts";
import type { Store } from "./store-types.ts";
import { DELAY_BOUNDS_S, delaysOf } from "./tallies.ts";

export interface MetricsParts {
  readonly books: Books;
  readonly latches: Latches;
  readonly rollouts: Pick<Rollouts, "of">;
  readonly rules: RulesKeeper;
  readonly store: Store;
  readonly replacements: () => Iterable<[kind: string, count: number]>;
  readonly spans: () => Iterable<readonly [result: string, count: number]>;
}

export function createMetricsSource({
  books,
  latches,
  rollouts,
  rules,
  store,
  replacements,
  spans,
}: MetricsParts): MetricsSource {
  const routes = function* <T>(read: (book: Book, route: string) => Iterable<T>): Iterable<T> {
    // A copy: whoever reads may pause, and a reload meanwhile must not show a route twice.
    for (const book of [...books.all]) yield* read(book, nameOf(book));
  };
  const everywhere = function* <T>(read: (book: Book, route: string) => Iterable<T>): Iterable<T> {
    yield* routes(read);
    yield* read(books.unmatched, UNMATCHED);
  };
  return {
    durationBounds: DURATION_BOUNDS_US.map((us) => us / 1e6),
    requests: () =>
      everywhere((book, route) => {
        if (book.route !== null) return requestSamples(book, route, expectedAnswers(book.route));
        return requestSamples(book, route, rules.ruleset.unmatched === null ? [] : [TO_UNMATCHED]);
      }),
    durations: () => everywhere(durationSamples),
    fallbacks: () =>
      routes((book, route) => [{ labels: { route }, value: book.account.total(SLICE.fallbacks) }]),
    shadows: () => routes((book, route) => byResult(route, shadowCounts(book))),
    comparisons: () => routes((book, route) => byResult(route, { ...comparisonCounts(book) })),
    uncompared: () =>
      routes((book, route) =>
        Object.entries(uncomparedCounts(book)).map(([reason, value]) => ({
          labels: { route, reason },
          value,
        })),
      ),
    mismatchRatio: () =>
      routes((book, route) => [{ labels: { route }, value: shareOfCompared(book, "mismatch") }]),
    noiseRatio: () => routes((book, route) => [{ labels: { route }, value: shareOfCompared(book, "noise") }]),
    delayBounds: DELAY_BOUNDS_S,
    transientDelays: () => routes(delaySamples),
    canaryShare: () => routes((book, route) => [{ labels: { route }, value: canaryShare(book) }]),
    rollbackLatched: () => routes((book, route) => [{ labels: { route }, value: book.tile.latched ? 1 : 0 }]),
    rollbackInfo: () =>
      routes((book, route) => {
        const cause = book.tile.latched ? causeOf(book, latches.of(route)?.cause) : null;
        return cause === null ? [] : [{ labels: { route, cause }, value: 1 }];
      }),
    rollbacks: () =>
      routes((book, route) =>
        [...rollbackCounts(book, latches.counts(route))].map(([cause, value]) => ({
          labels: { route, cause },
          value,
        })),
      ),
    rolloutStep: () =>
      routes((_book, route) => {
        const standing = rollouts.of(route);
        return standing === null ? [] : [{ labels: { route }, value: standing.state.step }];
      }),
    rolloutState: () =>
      routes((_book, route) => {
        const phase = rollouts.of(route)?.state.phase;
        if (phase === undefined) return [];
        return PHASES.map((state) => ({ labels: { route, state }, value: state === phase ? 1 : 0 }));
      }),
    gateOpen: () =>
      routes((_book, route) =>
        (rollouts.of(route)?.gates ?? []).map(({ name, answer }) => ({
          labels: { route, gate: name },
          value: answer === "yes" ? 1 : 0,
        })),
      ),
    guardEvidence: () => routes(evidenceSamples),
    guardLimit: () =>
      routes(({ route }) => {
        if (route === null || route.guard === null) return [];
        return limitsOf(route.guard).map(([metric, kind, value]) => ({
          labels: { route: route.name, metric, kind },
          value,
        }));
      }),
    reloadSuccess: () => [{ labels: {}, value: rules.error === null ? 1 : 0 }],
    reloadTimestamp: () => [{ labels: {}, value: rules.loadedMs / 1000 }],
    rulesInfo: () => [{ labels: { version: rules.ruleset.version }, value: 1 }],
    inFlight: () => SIDES.map((side) => ({ labels: { side }, value: inFlight(books, side) })),
    upgradesOpen: () =>
      everywhere((book, route) =>
        SIDES.map((side) => ({ labels: { route, side }, value: book.account.tunnels(side) })),
      ),
    storeDamaged: () => [{ labels: {}, value: "why" in store.health ? 1 : 0 }],
    threadReplacements: () => [...replacements()].map(([thread, value]) => ({ labels: { thread }, value })),
    spans: () => [...spans()].map(([result, value]) => ({ labels: { result }, value })),
  };
}

/** In the order in which status names them. */
const PHASES: readonly Phase[] = ["baking", "paused", "rolled-back", "completed"];

/** With a 0 for what can happen and has not: `increase()` sees the first rollback only where a 0 came before. */
function rollbackCounts(book: Book, counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const possible = ["operator"];
  if ((book.route?.guard?.killSwitch ?? null) !== null) possible.push("killSwitch");
  if (book.detector !== null) possible.push(...Object.keys(evidenceOf(book.detector)));
  return new Map([...possible.map((cause) => [cause, 0] as const), ...counts]);
}

function nameOf(book: Book): string {
  return book.route?.name ?? UNMATCHED;
}

/** Where unmatched requests have a backend. */
const TO_UNMATCHED: Expected = { side: "old", reason: "unmatched" };
/** A 0 before the first of these lets `rate()` see it. All combinations would be thousands of zeros a route. */
const FORESEEN = [CODES.indexOf("2xx"), CODES.indexOf("5xx")];

/** What has happened, and what the rules lead one to expect. */
function* requestSamples(book: Book, route: string, expected: readonly Expected[]): Iterable<Sample> {
  const foreseen = new Set(
    expected.flatMap(({ side, reason }) =>
      FORESEEN.map((code) => requestsWord(SIDE_INDEX[side], REASON_INDEX[reason], code)),
    ),
  );
  for (const side of SIDES) {
    for (const [reasonIndex, reason] of REASONS.entries()) {
      for (const [codeIndex, code] of CODES.entries()) {
        const word = requestsWord(SIDE_INDEX[side], reasonIndex, codeIndex);
        const value = book.account.total(word);
        if (value > 0 || foreseen.has(word)) yield { labels: { route, side, reason, code }, value };
      }
    }
  }
}

/** What a data thread's kill switch has latched control may still have to record. */
function causeOf({ tile }: Book, recorded: string | undefined): string | null {
  return recorded ?? (tile.killed ? "killSwitch" : null);
}

/** By metric, in the words of the rules. 4xx have the ratio of the errors, and no limit of their own. */
function limitsOf({
  errors,
  clientErrors,
  latency,
  mismatches,
  killSwitch,
}: Guard): [string, string, number][] {
  const limits: [string, string, number][] = [];
  if (errors !== null) {
    limits.push(["errors", "max", errors.maxRate], ["errors", "ratio", errors.ratio]);
    if (clientErrors !== "off") limits.push(["client-errors", "ratio", errors.ratio]);
  }
  if (latency !== null) limits.push(["latency", "ratio", latency.ratio]);
  if (mismatches !== null) limits.push(["mismatches", "max", mismatches.maxRate]);
  if (killSwitch !== null) limits.push(["killSwitch", "running", killSwitch]);
  return limits;
}

function* durationSamples(book: Book, route: string): Iterable<HistogramSample> {
  const buckets = DURATION_BOUNDS_US.length + 1;
  for (const side of SIDES) {
    const first = SLICE.durations + SIDE_INDEX[side] * buckets;
    const counts = Array.from({ length: buckets }, (_, bucket) => book.account.total(first + bucket));
    const sum = book.account.total(SLICE.durationSumMs + SIDE_INDEX[side]) / 1000;
    yield { labels: { route, side }, counts, sum, exemplars: () => exemplarsOf(book, side) };
  }
}

function exemplarsOf({ tile }: Book, side: Side): (Exemplar | null)[] {
  return readExemplars(tile, side).map((found) =>
    found === null
      ? null
      : { traceId: found.traceId, value: found.durationUs / 1e6, atSeconds: found.atMs / 1000 },
  );
}

function byResult(route: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([result, value]) => ({ labels: { route, result }, value }));
}

function evidenceSamples(book: Book, route: string): Sample[] {
  if (book.detector === null) return [];
  return Object.entries(evidenceOf(book.detector)).map(([metric, value]) => ({
    labels: { route, metric },
    value,
  }));
}

/** Only where pairs are asked again: elsewhere it would be a dozen zeros a route. */
function delaySamples(book: Book, route: string): HistogramSample[] {
  const { counts, sumSeconds } = delaysOf(book);
  const isAsked = (book.route?.compare?.confirmAfterMs ?? null) !== null;
  return isAsked || counts.some((count) => count > 0) ? [{ labels: { route }, counts, sum: sumSeconds }] : [];
}

function shareOfCompared(book: Book, result: "mismatch" | "noise"): number {
  const counts = comparisonCounts(book);
  const { match, mismatch, noise, transient } = counts;
  const compared = match + mismatch + noise + transient;
  return compared === 0 ? 0 : counts[result] / compared;
}

function canaryShare(book: Book): number {
  if (book.tile.latched) return 0;
  return book.tile.canaryPpm(book.route?.canary.sharePpm ?? 0) / WHOLE_PPM;
}

function inFlight(books: Books, side: (typeof SIDES)[number]): number {
  let sum = books.unmatched.account.inFlight(side);
  for (const book of books.all) sum += book.account.inFlight(side);
  return sum;
}
