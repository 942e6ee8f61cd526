import assert from "node:assert/strict";
import { test } from "node:test";
import { createDetector, observe, startStep } from "../../src/model/detector.ts";
import { baselineOf, createOldRate, heldToRate, recordOld } from "../../src/model/old-rate.ts";
import { batchOf, failure, guardOf } from "./traffic.ts";

const WHOLE = 1_000_000;
const whole = (cleanNew: number, failed: number, old = { answers: 0, errors: 0 }) =>
  batchOf({
    sharePpm: WHOLE,
    cleanNew,
    events: Array.from({ length: failed }, () => failure("new", { rhoPpm: WHOLE })),
    old,
  });

test("the rate is that of the last minute, and of its last minute with traffic where there was none", () => {
  const old = createOldRate();
  recordOld(old, 1_000, 300, 0);
  for (let at = 10_000; at <= 70_000; at += 10_000) recordOld(old, 1_000, 0, at);
  assert.equal(heldToRate(old, 0.05, false, 70_000), 0.05);
  const bad = createOldRate();
  recordOld(bad, 1_000, 300, 0);
  assert.ok(heldToRate(bad, 0.05, false, 86_400_000) > 0.3);
});

test("with everything on new the baseline is that of the step before, and frozen", () => {
  const d = createDetector(guardOf(), 0);
  for (let second = 1; second <= 120; second += 1) {
    const failed = second <= 60 ? 50 : 10; // the last minute counts
    observe(d, batchOf({ cleanNew: 5, old: { answers: 95, errors: failed } }), second * 1000);
  }
  const before = baselineOf(d.old);
  assert.ok(Math.abs(before.failed / before.answers - 10 / 95) < 0.02, JSON.stringify(before));
  startStep(d, 120_000);
  // What is left to old (never, pins) is another sort of traffic, and a day is a long time.
  for (let second = 121; second <= 1_000; second += 1) {
    assert.equal(observe(d, whole(92, 8, { answers: 10, errors: 10 }), second * 1000), null);
  }
  assert.equal(observe(d, whole(92, 8), 86_400_000), null);
  assert.deepEqual(baselineOf(d.old), before);
});

test("what is worse than the frozen baseline trips", () => {
  const d = createDetector(guardOf(), 0);
  for (let second = 1; second <= 60; second += 1)
    observe(d, batchOf({ cleanNew: 5, old: { answers: 95, errors: 10 } }), second * 1000);
  let trips = 0;
  for (let second = 61; second <= 120 && trips === 0; second += 1)
    if (observe(d, whole(50, 50), second * 1000) !== null) trips += 1;
  assert.equal(trips, 1);
});
