import assert from "node:assert/strict";
import { test } from "node:test";
import { Recorder } from "../../src/board/recorder.ts";
import { Books, countComparison } from "../../src/control/books.ts";
import { routeStatus } from "../../src/control/status.ts";
import type { RolloutView } from "../../src/control/step-words.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import { observe } from "../../src/model/detector.ts";
import { CODES } from "../../src/model/failures.ts";
import { REASON_INDEX } from "../../src/model/reasons.ts";
import { beginRollout, type RolloutState } from "../../src/model/rollout-state.ts";
import type { Rollout, RolloutStep } from "../../src/model/ruleset.ts";
import { canaryOf, routeOf } from "../model/rules.ts";
import { batchOf, failure, guardOf } from "../model/traffic.ts";
import { untouchedRoute } from "../support/reports.ts";
import { compared, match, mismatchAt } from "./findings.ts";
import { latchRecord } from "./store-fixtures.ts";

const OK = CODES.indexOf("2xx");

function open(changes: Parameters<typeof routeOf>[0] = {}) {
  const route = routeOf({
    name: "profiles",
    guard: guardOf(),
    canary: canaryOf({ sharePpm: 50_000 }),
    ...changes,
  });
  const books = new Books(2, 0);
  books.follow([route], 0);
  const book = books.named("profiles");
  assert.ok(book);
  const recorders = [new Recorder(book.tile, 0), new Recorder(book.tile, 1)] as const;
  return { book, recorders };
}

test("a route that nobody has used yet is serving, on hold, with nothing counted", () => {
  const { book } = open();
  const { waitingFor, ...status } = routeStatus(book, "profiles", undefined, null, 0, 0);
  const { waitingFor: _any, ...untouched } = untouchedRoute("profiles", {
    backends: { old: "legacy", new: "modern" },
    stages: [{ canary: 0.05, shadow: 0, bakeSeconds: 0, gates: [], approve: false }],
  });
  assert.deepEqual(status, untouched);
  assert.match(waitingFor, /^nothing: the shares are set in the rules; /);
});

test("counts are those of all threads, requests by the side that answered", () => {
  const { book, recorders } = open();
  for (const recorder of recorders) {
    recorder.request("old", REASON_INDEX["default-old"], OK, 1000);
    recorder.request("old", REASON_INDEX.fallback, OK, 1000);
    recorder.request("new", REASON_INDEX["canary-share"], OK, 1000);
    recorder.leg("new", "error", false, 20_000);
    recorder.fallback();
    recorder.shadow("sent");
    recorder.shadow("shed");
    recorder.comparison("match");
    recorder.comparison("uncompared");
  }
  recorders[0].uncompared("aborted");
  countComparison(book, match());
  countComparison(book, mismatchAt(["$.name"]));
  book.account.read(0);
  const status = routeStatus(book, "profiles", undefined, null, 0, 0);
  assert.deepEqual(status.requests, { old: 4, new: 2 });
  assert.deepEqual(status.errors, { old: 0, new: 2 });
  assert.equal(status.fallbacks, 2);
  assert.deepEqual(status.shadows, { sent: 2, shed: 2, too_large: 0, timeout: 0, failed: 0 });
  assert.deepEqual(status.comparisons, { match: 3, mismatch: 1, noise: 0, transient: 0, uncompared: 3 });
  assert.equal(status.uncompared.aborted, 1);
  assert.equal(status.latencyMs.old, null);
  assert.ok(Math.abs((status.latencyMs.new?.p50 ?? 0) - 20) < 1.4);
});

test("a route that the guard rolled back has failed, sends nothing to new, and says what it waits for", () => {
  const { book } = open();
  book.tile.latch();
  const status = routeStatus(book, "profiles", latchRecord("profiles"), null, 0, 0);
  assert.deepEqual(
    [status.state, status.latched, status.canary, status.verdict],
    ["rolled-back", true, 0, "fail"],
  );
  assert.deepEqual(status.rollback, {
    cause: "errors",
    at: "2026-05-01T10:00:00.000Z",
    evidence: latchRecord("profiles").evidence,
    by: "guard",
    reason: "too many errors",
  });
  assert.match(status.waitingFor, /cutover reset, or a higher revision.*30\/100 new/);
});

test("a rollback by an operator is no verdict on new", () => {
  const { book } = open();
  book.tile.latch();
  const record = latchRecord("profiles", { by: "operator", cause: "operator" });
  assert.equal(routeStatus(book, "profiles", record, null, 0, 0).verdict, "hold");
});

test("a latch that is not recorded yet shows as rolled back all the same", () => {
  const { book } = open({ guard: guardOf({ killSwitch: 1 }) });
  book.tile.addToKillStreak(0);
  const { state, rollback, canary } = routeStatus(book, "profiles", undefined, null, 0, 0);
  assert.deepEqual([state, rollback, canary], ["rolled-back", null, 0]);
});

test("a damaged store is what the route waits for", () => {
  const { book } = open();
  book.tile.close();
  const record = latchRecord("profiles", { cause: "store-damaged" });
  assert.match(routeStatus(book, "profiles", record, null, 0, 0).waitingFor, /cutover reset --store/);
});

test("the share is the one that acts now, and evidence is told per metric", () => {
  const { book } = open();
  book.tile.overrideShares({ canaryPpm: 250_000, shadowPpm: 1_000_000 });
  assert.ok(book.detector);
  observe(book.detector, batchOf({ cleanNew: 3, events: [failure("new")] }), 0);
  const status = routeStatus(book, "profiles", undefined, null, 0, 0);
  assert.deepEqual([status.canary, status.shadow], [0.25, 1]);
  assert.ok((status.evidence.errors ?? 0) > 0 && (status.evidence.errors ?? 1) < 1);
  assert.match(status.waitingFor, /errors 1\/4/);
});

test("while noise is learned, the route says how far it is", () => {
  const { book } = open({ compare: { ...DEFAULT_COMPARE, noisePpm: 20_000 } });
  const words = () => routeStatus(book, "profiles", undefined, null, 0, 0).waitingFor;
  for (let i = 0; i < 120; i += 1) countComparison(book, compared({ kind: "match" }, { noise: [] }));
  assert.match(words(), /; learning noise: 120 of 200 shadows$/);
  for (let i = 0; i < 80; i += 1) countComparison(book, compared({ kind: "match" }, { noise: [] }));
  assert.doesNotMatch(words(), /learning/);
});

test("a static 100% canary whose mismatches are guarded says that nothing is compared, and what to write", () => {
  const whole = { canary: canaryOf({ sharePpm: 1_000_000 }), compare: DEFAULT_COMPARE };
  const guard = guardOf({ mismatches: { maxRate: 0.01 } });
  const shadow = { ...routeOf().shadow, sharePpm: 1_000_000 };
  const words = (changes: Parameters<typeof routeOf>[0]): string =>
    routeStatus(open({ ...whole, guard, shadow, ...changes }).book, "profiles", undefined, null, 0, 0)
      .waitingFor;
  const says = /; nothing that new serves is compared at 100%: write shadow: \{ reverse: true \}/;
  assert.match(words({}), says);
  for (const changes of [
    { shadow: { ...shadow, reverse: true } },
    { guard: guardOf() },
    { canary: canaryOf({ sharePpm: 990_000 }) },
  ])
    assert.doesNotMatch(words(changes), says);
});

test("an unguarded route says that nobody watches it", () => {
  const { book } = open({ guard: null });
  const status = routeStatus(book, "profiles", undefined, null, 0, 0);
  assert.deepEqual(status.evidence, {});
  assert.match(status.waitingFor, /no guard watches/);
});

test("where only the kill switch guards, the sentence says so and does not break off", () => {
  const { book } = open({ guard: guardOf({ errors: null, killSwitch: 3 }) });
  const { waitingFor } = routeStatus(book, "profiles", undefined, null, 0, 0);
  assert.equal(waitingFor, "nothing: the shares are set in the rules, and only the kill switch watches");
});

test("the cause of a rollback is named once", () => {
  const { book } = open();
  book.tile.latch();
  const { evidence } = latchRecord("profiles");
  const record = latchRecord("profiles", { evidence: { ...evidence, summary: "errors: 7 of 9 failed" } });
  const { waitingFor } = routeStatus(book, "profiles", record, null, 0, 0);
  assert.equal(waitingFor, "cutover reset, or a higher revision (errors: 7 of 9 failed)");
});

test("a store that cannot be read waits for a restart, never for a reset of the store", () => {
  const { book } = open();
  book.tile.close();
  const record = latchRecord("profiles", { cause: "store-unreadable", by: "gateway" });
  const { waitingFor, verdict } = routeStatus(book, "profiles", record, null, 0, 0);
  assert.match(waitingFor, /^a restart, once the store can be read again/);
  assert.doesNotMatch(waitingFor, /reset/);
  assert.equal(verdict, "hold");
});

const rolloutOf = (
  steps: readonly Partial<RolloutStep>[],
  start: "running" | "paused" = "running",
): Rollout => ({
  start,
  steps: steps.map((step) => ({
    canaryPpm: 50_000,
    shadowPpm: 0,
    bakeMs: 1_800_000,
    minSamples: 50,
    gates: [],
    approve: false,
    ...step,
  })),
  gates: {},
});

/** A route whose rollout is at its first step, after 100 clean answers of new. */
function staged(rollout: Rollout, changes: Partial<RolloutState> = {}, cleanNew = 100) {
  const { book } = open({ rollout });
  const state: RolloutState = { ...beginRollout(rollout), ...changes };
  book.tile.overrideShares(state.shares);
  assert.ok(book.detector);
  const old = { answers: 1_900, errors: 2 };
  observe(book.detector, batchOf({ cleanNew, events: [failure("old"), failure("old")], old }), 0);
  const view = { state, gates: [], trouble: null };
  const of = (parts: Partial<RolloutView> = {}) =>
    routeStatus(book, "profiles", undefined, { ...view, ...parts }, 3, 10_000);
  return { book, view, of };
}

test("a rollout that bakes says where it is, what it has seen, and what is missing", () => {
  const rollout = rolloutOf([{ approve: true }, { canaryPpm: 1_000_000 }]);
  const { of } = staged(rollout, { bakedMs: 720_000 });
  const status = of();
  assert.deepEqual(
    [status.state, status.step, status.steps, status.verdict, status.pins],
    ["baking", 0, 2, "pass", 3],
  );
  assert.deepEqual(status.bake, { doneSeconds: 720, ofSeconds: 1_800 });
  assert.equal(
    status.waitingFor,
    "5% for 12 min: errors 0/100 new vs 2/1,900 old; needs 18 min of baking and approval",
  );
});

test("a rollout that has not begun has shown nothing, whatever keys of new that the rules name have shown", () => {
  const { of } = staged({ ...rolloutOf([{ minSamples: 0 }]), start: "paused" });
  const status = of();
  assert.deepEqual([status.state, status.verdict], ["paused", "hold"]);
});

test("a gate that says no and samples that are missing are named", () => {
  const rollout = rolloutOf([{ gates: ["backfill-done"], minSamples: 200 }]);
  const { of } = staged(rollout, { bakedMs: 1_800_000 });
  const gates = [{ name: "backfill-done", answer: "no", why: "lagSeconds is 31, needs below 5" }] as const;
  const status = of({ gates });
  assert.deepEqual(status.gates, gates);
  assert.equal(status.verdict, "hold");
  assert.equal(
    status.waitingFor,
    "5% for 30 min: errors 0/100 new vs 2/1,900 old, evidence 0.00 of 1; needs 100 more answers, 10 s at this rate " +
      "and gate backfill-done (lagSeconds is 31, needs below 5)",
  );
});

test("a rollout that nothing holds says so, and what is in the way comes first", () => {
  const { of } = staged(rolloutOf([{ bakeMs: 0 }, { canaryPpm: 1_000_000 }]));
  assert.match(of().waitingFor, /; nothing is missing: goes on to step 1$/);
  const trouble = "cannot promote: the state folder cannot be written (disk full)";
  assert.match(
    of({ trouble }).waitingFor,
    /^cannot promote: the state folder cannot be written \(disk full\); 5%/,
  );
  const last = staged(rolloutOf([{ bakeMs: 0 }]));
  assert.match(last.of().waitingFor, /; nothing is missing: it completes$/);
});

test("a paused rollout waits for resume, before its beginning too", () => {
  const { of } = staged(rolloutOf([{}]), { phase: "paused", why: "paused: lunch" });
  assert.equal(of().state, "paused");
  assert.match(
    of().waitingFor,
    /^resume \(paused: lunch\); 5% for 0 s: errors .*; then needs 30 min of baking$/,
  );
  const waiting = staged(rolloutOf([{}], "paused"));
  assert.equal(waiting.of().canary, 0);
  assert.equal(waiting.of().waitingFor, "resume: not begun: resume begins it");
});

test("a completed rollout waits for nothing", () => {
  const { of } = staged(rolloutOf([{ canaryPpm: 1_000_000 }]), { phase: "completed", bakedMs: 86_400_000 });
  assert.equal(of().state, "completed");
  assert.match(of().waitingFor, /^nothing: completed, 100% for 24 h: errors 0\/100 new/);
});

test("a latched rollout is rolled back, whatever its state says", () => {
  const { book, view } = staged(rolloutOf([{}]));
  book.tile.latch();
  const record = latchRecord("profiles");
  const status = routeStatus(book, "profiles", record, view, 0, 0);
  assert.deepEqual([status.state, status.canary, status.step], ["rolled-back", 0, 0]);
  assert.match(status.waitingFor, /^cutover reset, or a higher revision/);
});
