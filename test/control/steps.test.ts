import assert from "node:assert/strict";
import { test } from "node:test";
import { Recorder } from "../../src/board/recorder.ts";
import { Books } from "../../src/control/books.ts";
import { evidenceOfBook } from "../../src/control/evidence-snapshot.ts";
import { judgeBook, restoreBook, shownOfBook, stepChanged } from "../../src/control/steps.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import { countsOf, observe } from "../../src/model/detector.ts";
import { beginRollout } from "../../src/model/rollout-state.ts";
import type { Compare, Rollout, RolloutStep, Route } from "../../src/model/ruleset.ts";
import { canaryOf, routeOf } from "../model/rules.ts";
import { batchOf, guardOf } from "../model/traffic.ts";

const WHOLE = 1_000_000;
const step = (changes: Partial<RolloutStep>): RolloutStep => ({
  canaryPpm: 0,
  shadowPpm: 0,
  bakeMs: 60_000,
  minSamples: 50,
  gates: [],
  approve: false,
  ...changes,
});
const running = (changes: Partial<RolloutStep>): Rollout => ({
  start: "running",
  steps: [step(changes)],
  gates: {},
});

function open(changes: Partial<RolloutStep>, route: Partial<Route> = {}) {
  const rollout = running(changes);
  const books = new Books(2, 0);
  const staged = routeOf({ name: "profiles", guard: guardOf(), compare: DEFAULT_COMPARE, rollout, ...route });
  books.follow([staged], 0);
  const book = books.named("profiles");
  assert.ok(book?.detector);
  const state = beginRollout(rollout);
  book.tile.overrideShares(state.shares);
  return { books, book, detector: book.detector, state, route: staged };
}

const noiseless: Compare = { ...DEFAULT_COMPARE, noisePpm: 0 };
const latency = { guard: guardOf({ latency: { ratio: 2 } }) };

test("a step is judged by what acts and by what can be compared", () => {
  const mismatches = { guard: guardOf({ mismatches: { maxRate: 0.01 } }), compare: noiseless };
  const waitsForPairs = (changes: Partial<RolloutStep>, route: Partial<Route> = {}) => {
    const { book, detector, state } = open(changes, { ...mismatches, ...route });
    observe(detector, batchOf({ cleanNew: 200, old: { answers: 200, errors: 0 } }), 1000);
    return judgeBook(book, state, 1000).needs.some((need) => need.includes("pairs"));
  };
  assert.equal(waitsForPairs({ shadowPpm: WHOLE }), true);
  assert.equal(waitsForPairs({ canaryPpm: 500_000, shadowPpm: WHOLE }), true);
  assert.equal(waitsForPairs({ canaryPpm: 500_000 }), false);
  assert.equal(waitsForPairs({ canaryPpm: 500_000, shadowPpm: WHOLE }, { compare: null }), false);
  assert.equal(waitsForPairs({ canaryPpm: WHOLE, shadowPpm: WHOLE }), false);
  const { shadow } = routeOf();
  const reverse = { ...shadow, reverse: true };
  assert.equal(waitsForPairs({ canaryPpm: WHOLE, shadowPpm: WHOLE }, { shadow: reverse }), true);
});

test("with everything on new, a step says that nothing is compared and what to write, whatever its verdict", () => {
  const mismatches = { guard: guardOf({ mismatches: { maxRate: 0.01 } }), compare: noiseless };
  const seenIn = (changes: Partial<RolloutStep>, route: Partial<Route> = {}) => {
    const { book, detector, state } = open(changes, { ...mismatches, ...route });
    observe(detector, batchOf({ cleanNew: 2000, sharePpm: WHOLE }), 1000);
    const { verdict, why, seen } = judgeBook(book, state, 1000);
    assert.equal(why.includes("is compared"), seen.includes("is compared"));
    return `${verdict}: ${seen}`;
  };
  const whole = { canaryPpm: WHOLE, shadowPpm: WHOLE };
  assert.match(
    seenIn(whole),
    /^pass: errors 0\/2,000 .*; nothing that new serves is compared at 100%: write shadow: \{ reverse: true \}/,
  );
  assert.match(seenIn({ canaryPpm: WHOLE }), /write shadow: \{ share: 100%, reverse: true \}/);
  assert.match(seenIn(whole, { compare: null }), /at 100%: take compare: off away/);
  const { shadow } = routeOf();
  for (const quiet of [
    seenIn(whole, { shadow: { ...shadow, reverse: true } }),
    seenIn(whole, { guard: guardOf() }),
    seenIn({ canaryPpm: WHOLE - 1, shadowPpm: WHOLE }),
  ])
    assert.doesNotMatch(quiet, /is compared/);
});

test("a share that the rules change beside a rollout begins no step, one that the rollout changes does", () => {
  const { books, book, detector, route } = open({ canaryPpm: 50_000 });
  observe(detector, batchOf({ cleanNew: 7 }), 1000);
  books.follow([{ ...route, canary: canaryOf({ sharePpm: 99 }) }], 2000);
  assert.equal(countsOf(detector).samples.new, 7);
  stepChanged(book, 3000);
  assert.equal(countsOf(detector).samples.new, 0);
});

test("a restart goes on with the step: its counts, and old's p99", () => {
  const before = open({ canaryPpm: 50_000 }, latency);
  before.book.tile.setSlowUs(12_000);
  observe(before.detector, batchOf({ cleanNew: 80, old: { answers: 1_520, errors: 0 } }), 1000);
  const shown: unknown = JSON.parse(JSON.stringify(shownOfBook(before.book, 10_000)));
  const after = open({ canaryPpm: 50_000 }, latency);
  restoreBook(after.book, shown, 50);
  assert.equal(countsOf(after.detector).samples.new, 80);
  assert.equal(after.book.tile.slowUs, 12_000);
  const unguarded = open({ canaryPpm: 50_000 });
  restoreBook(unguarded.book, shown, 50);
  assert.equal(unguarded.book.tile.slowUs, 0);
});

test("pairs that were compared by other rules before the restart say nothing", () => {
  const guard = guardOf({ mismatches: { maxRate: 0.01 } });
  const pairsAfter = (compare: Compare) => {
    const before = open({ shadowPpm: WHOLE }, { guard, compare: noiseless });
    observe(before.detector, batchOf({ comparisons: { match: 90, mismatchUnits: [] } }), 1000);
    const after = open({ shadowPpm: WHOLE }, { guard, compare });
    restoreBook(after.book, shownOfBook(before.book, 1000), 0);
    return after.detector.step.mismatches.answers.new;
  };
  assert.equal(pairsAfter(noiseless), 90);
  assert.equal(pairsAfter({ ...noiseless, ignore: ["$.updatedAt"] }), 0);
});

test("odd things in the state folder are ignored, and an unguarded route has nothing to keep", () => {
  const { book, detector } = open({ canaryPpm: 50_000 }, latency);
  for (const odd of [null, 1, "x", [], {}, { guard: 1, slowUs: -1 }, { slowUs: 1e300 }, { slowUs: "1" }])
    restoreBook(book, odd, 0);
  assert.equal(book.tile.slowUs, 0);
  assert.equal(countsOf(detector).samples.new, 0);
  const books = new Books(1, 0);
  books.follow([routeOf({ name: "free" })], 0);
  const free = books.named("free");
  assert.ok(free);
  assert.equal(shownOfBook(free, 0), null);
  restoreBook(free, { guard: {} }, 0);
});

test("the evidence of a moment has counts by side and evidence per metric", () => {
  const { book, detector } = open({ canaryPpm: 50_000 });
  observe(detector, batchOf({ cleanNew: 80, old: { answers: 1_520, errors: 3 } }), 1000);
  new Recorder(book.tile, 0).leg("new", "well", false, 100); // not looked at yet: no evidence
  assert.deepEqual(evidenceOfBook(book, "baked 10 min", "0123456789ab"), {
    summary: "baked 10 min",
    samples: { old: 1_520, new: 80 },
    errors: { old: 3, new: 0 },
    evidence: { errors: 0, "client-errors": 0 },
    rulesVersion: "0123456789ab",
  });
  const books = new Books(1, 0);
  books.follow([routeOf({ name: "free" })], 0);
  const free = books.named("free");
  assert.ok(free);
  assert.deepEqual(evidenceOfBook(free, "", "v").samples, { old: 0, new: 0 });
});
