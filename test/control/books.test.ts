import assert from "node:assert/strict";
import { test } from "node:test";
import { SLICE } from "../../src/board/layout.ts";
import { Recorder } from "../../src/board/recorder.ts";
import {
  type Book,
  Books,
  countComparison,
  countTransient,
  forgetEvidence,
  isNoisePair,
  learningOf,
  noiseOf,
} from "../../src/control/books.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import { countsOf, evidenceOf, observe } from "../../src/model/detector.ts";
import { handOver } from "../../src/model/docket.ts";
import type { Compare, Route } from "../../src/model/ruleset.ts";
import { canaryOf, routeOf } from "../model/rules.ts";
import { batchOf, failure, guardOf } from "../model/traffic.ts";
import { comparedOf, differingAt, valueAt } from "./compared.ts";

const named = (name: string, changes: Partial<Route> = {}) => routeOf({ name, guard: guardOf(), ...changes });

function open(...routes: Route[]) {
  const books = new Books(2, 0);
  books.follow(routes, 0);
  const book = (name: string) => {
    const found = books.named(name);
    assert.ok(found, `no book of ${name}`);
    return found;
  };
  return { books, book };
}

test("books stand in the rules' order, after every reload", () => {
  const { books } = open(named("a"), named("b"), named("c"));
  books.follow([named("c"), named("x"), named("a")], 0);
  assert.deepEqual(
    [...books.all].map(({ route }) => route?.name),
    ["c", "x", "a"],
  );
});

test("a route that stays keeps its tile, its counts and its place on the board", () => {
  const { books, book } = open(named("a"), named("b"));
  const before = book("b");
  new Recorder(before.tile, 1).leg("new", "well", false, 100);
  before.account.read(0);
  books.follow([named("b", { canary: canaryOf({ sharePpm: 7 }) })], 0);
  assert.equal(book("b"), before);
  assert.equal(before.account.total(SLICE.answers + 1), 1);
  assert.equal(before.route?.canary.sharePpm, 7);
  assert.equal(books.at(before.slot), before);
});

test("a route that is gone has no book, and its slot is never given to another", () => {
  const { books, book } = open(named("a"));
  const { slot } = book("a");
  books.follow([named("b")], 0);
  assert.equal(books.named("a"), undefined);
  assert.equal(books.at(slot), undefined);
  books.follow([named("a"), named("b")], 0);
  assert.notEqual(book("a").slot, slot);
  assert.equal(new Set([book("a").slot, book("b").slot, books.unmatched.slot]).size, 3);
});

test("the guard's settings reach the board with the rules", () => {
  const { books, book } = open(named("a", { guard: guardOf({ killSwitch: 2, latency: { ratio: 2 } }) }));
  const { tile } = book("a");
  assert.equal(tile.addToKillStreak(0) || tile.addToKillStreak(0), true);
  tile.unlatch();
  tile.setSlowUs(900);
  books.follow([named("a", { guard: guardOf({ killSwitch: null }) })], 0);
  assert.equal(tile.slowUs, 0, "latency is guarded no more");
  for (let i = 0; i < 10; i += 1) assert.equal(tile.addToKillStreak(0), false);
});

test("a guard that is switched off forgets; one that changes keeps its evidence", () => {
  const { books, book } = open(named("a"));
  const detector = () => book("a").detector ?? assert.fail("not guarded");
  observe(detector(), batchOf({ events: [failure("new")] }), 0);
  const before = evidenceOf(detector()).errors ?? 0;
  assert.ok(before > 0);
  books.follow([named("a", { guard: guardOf({ minSamples: 9 }) })], 0);
  assert.equal(evidenceOf(detector()).errors, before);
  books.follow([named("a", { guard: null })], 0);
  assert.equal(book("a").detector, null);
  books.follow([named("a")], 0);
  assert.equal(evidenceOf(detector()).errors, 0);
});

test("a changed share begins a step: its counts are fresh, the evidence stays", () => {
  const { books, book } = open(named("a"));
  const detector = book("a").detector ?? assert.fail("not guarded");
  observe(detector, batchOf({ cleanNew: 9, events: [failure("new")] }), 0);
  const evidence = evidenceOf(detector);
  books.follow([named("a")], 0);
  assert.equal(countsOf(detector).samples.new, 10, "nothing changed: the step goes on");
  books.follow([named("a", { canary: canaryOf({ sharePpm: 100_000 }) })], 0);
  assert.equal(countsOf(detector).samples.new, 0);
  assert.deepEqual(evidenceOf(detector), evidence);
});

test("findings of comparison threads are counted by kind, and every mismatch goes to the guard", () => {
  const { book } = open(named("a"));
  assert.equal(countComparison(book("a"), comparedOf()), "match");
  assert.equal(countComparison(book("a"), differingAt(["$.x"], { unit: "u2" })), "mismatch");
  assert.equal(countComparison(book("a"), differingAt(["$.x"])), "mismatch");
  const unreadable = comparedOf({ comparison: { kind: "uncompared", why: "decode_failed" } });
  assert.equal(countComparison(book("a"), unreadable), "uncompared");
  assert.deepEqual(book("a").compared, { match: 1, mismatch: 2, noise: 0, transient: 0, uncompared: 1 });
  assert.deepEqual(handOver(book("a").docket), { match: 1, mismatchUnits: ["u2", null] });
});

test("a pair that was equal when asked again is transient, and clean for the guard", () => {
  const { book } = open(named("a"));
  countTransient(book("a"), differingAt(["$.x"]));
  assert.equal(book("a").compared.transient, 1);
  assert.deepEqual(handOver(book("a").docket), { match: 1, mismatchUnits: [] });
});

test("forgetting evidence keeps the counts that people read", () => {
  const { book } = open(named("a"));
  countComparison(book("a"), differingAt(["$.x"]));
  forgetEvidence(book("a"), 0);
  assert.deepEqual([handOver(book("a").docket).mismatchUnits, book("a").compared.mismatch], [[], 1]);
});

const noisy = (changes: Partial<Compare> = {}) =>
  named("a", {
    compare: { ...DEFAULT_COMPARE, noisePpm: 20_000, ...changes },
    guard: guardOf({ mismatches: { maxRate: 0.01 } }),
  });

/** How many shadows the data threads would ask of old twice without a draw. */
function lessonsLeft({ tile }: Book): number {
  let lessons = 0;
  while (tile.takeNoiseLesson()) lessons += 1;
  return lessons;
}

test("a route that measures noise asks for 200 lessons, and says how many have come", () => {
  const { book } = open(noisy());
  assert.equal(lessonsLeft(book("a")), 200);
  assert.deepEqual(learningOf(book("a")), { done: 0, of: 200 });
  countComparison(book("a"), differingAt(["$.ts"], { noise: [valueAt("$.ts")] }));
  assert.deepEqual(learningOf(book("a")), { done: 1, of: 200 });
});

test("a place where old differs from itself is noise, with its rate; a pair that differs there alone is noise", () => {
  const { book } = open(noisy());
  const ts = [valueAt("$.ts")];
  assert.equal(noiseOf(book("a"), valueAt("$.ts")), null);
  assert.equal(countComparison(book("a"), differingAt(["$.ts"], { noise: ts })), "noise");
  assert.equal(countComparison(book("a"), comparedOf({ noise: [] })), "match");
  assert.deepEqual(noiseOf(book("a"), valueAt("$.ts")), { rate: 0.5, triples: 2 });
  assert.equal(isNoisePair(book("a"), differingAt(["$.ts"])), true);
  assert.equal(isNoisePair(book("a"), differingAt(["$.ts", "$.name"])), false);
  assert.equal(isNoisePair(book("a"), comparedOf()), false);
  assert.equal(countComparison(book("a"), differingAt(["$.ts", "$.name"])), "mismatch");
  assert.deepEqual(book("a").compared, { match: 1, mismatch: 1, noise: 1, transient: 0, uncompared: 0 });
});

test("a pair that differs and does not say where is a mismatch all the same, and never noise", () => {
  const { book } = open(noisy());
  const nowhere = differingAt([]);
  assert.equal(isNoisePair(book("a"), nowhere), false);
  assert.equal(countComparison(book("a"), nowhere), "mismatch");
});

test("another way to compare learns noise anew and forgets what mismatches have said", () => {
  const { books, book } = open(noisy());
  const detector = book("a").detector ?? assert.fail("not guarded");
  lessonsLeft(book("a"));
  for (let i = 0; i < 20; i += 1) countComparison(book("a"), differingAt(["$.x"], { noise: [] }));
  countComparison(book("a"), differingAt(["$.ts"], { noise: [valueAt("$.ts")] }));
  observe(detector, batchOf({ comparisons: handOver(book("a").docket) }), 0);
  assert.ok((evidenceOf(detector).mismatches ?? 0) > 0.1);
  books.follow([noisy({ noisePpm: 50_000, samples: false, confirmAfterMs: 1000 })], 0);
  assert.ok(
    noiseOf(book("a"), valueAt("$.ts")),
    "what pairs are kept for changes nothing of what was learned",
  );
  assert.ok((evidenceOf(detector).mismatches ?? 0) > 0.1);
  books.follow([noisy({ ignore: ["$.x"] })], 0);
  assert.equal(noiseOf(book("a"), valueAt("$.ts")), null);
  assert.equal(lessonsLeft(book("a")), 200);
  assert.equal(evidenceOf(detector).mismatches, 0);
});

test("a route whose noise is not measured any more asks for no lessons and judges every pair", () => {
  const { books, book } = open(noisy());
  books.follow([noisy({ noisePpm: 0 })], 0);
  assert.equal(lessonsLeft(book("a")), 0);
  assert.equal(learningOf(book("a")), null);
  countComparison(book("a"), differingAt(["$.x"]));
  assert.deepEqual(handOver(book("a").docket), { match: 0, mismatchUnits: [null] });
});
