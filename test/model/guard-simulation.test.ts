/** The guard against made-up traffic: how soon it sees a regression, and that it leaves a healthy new alone. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Batch, createDetector, type Detector, observe, type Trip } from "../../src/model/detector.ts";
import { betAbsolute, betRelative, createWealth, lnMeanWealth } from "../../src/model/evidence.ts";
import {
  batchOf,
  type Flow,
  failure,
  flow,
  geometric,
  guardOf,
  median,
  type Random,
  relativeOnly,
  seeded,
} from "./traffic.ts";

const SHARE = 0.05;
const REQUESTS_PER_SECOND = 100;
const HEALTHY_SECONDS = 600;

/** A healthy stretch of which only the failures are made: nothing else is relative evidence. */
function liveHealthily(random: Random, d: Detector): void {
  const requests = HEALTHY_SECONDS * REQUESTS_PER_SECOND;
  for (let at = geometric(random, 0.005); at < requests; at += geometric(random, 0.005)) {
    const event = failure(random() < SHARE ? "new" : "old");
    assert.equal(observe(d, batchOf({ events: [event] }), at * 10), null);
  }
}

/** Requests to new, by whole seconds, until the relative test trips. */
function requestsUntilTrip(seed: number, newFails: number, ratio: number): number {
  const random = seeded(seed);
  const d = createDetector(relativeOnly(ratio), 0);
  liveHealthily(random, d);
  let toNew = 0;
  for (let second = HEALTHY_SECONDS; ; second += 1) {
    const batch = flow(random, { requests: REQUESTS_PER_SECOND, share: SHARE, oldFails: 0.005, newFails });
    toNew += REQUESTS_PER_SECOND - batch.old.answers;
    if (observe(d, batch, second * 1000) !== null) return toNew;
  }
}

// [new fails, tolerated ratio, median requests to new, runs]
const MEDIANS: [newFails: number, ratio: number, requests: number, runs: number][] = [
  [1, 1, 10, 200],
  [0.5, 1, 18, 200],
  [0.1, 1, 103, 200],
  [0.05, 1, 265, 200],
  [0.02, 1, 1440, 150],
  [1, 2, 11, 200],
  [0.5, 2, 22, 200],
  [0.1, 2, 160, 200],
  [0.05, 2, 430, 200],
  [0.02, 2, 4300, 100],
];

for (const [newFails, ratio, expected, runs] of MEDIANS) {
  test(`new failing ${newFails * 100}% against 0.5% trips after about ${expected} requests, tolerating ${ratio}×`, () => {
    const found = median(
      Array.from({ length: runs }, (_, i) => requestsUntilTrip(i * 7919 + 1, newFails, ratio)),
    );
    assert.ok(Math.abs(found - expected) <= 0.15 * expected, `median of ${runs} runs: ${found}`);
  });
}

/** Feeds a flow in batches of `tickMs`; answers the first trip and when. */
function run(
  random: Random,
  d: Detector,
  fromMs: number,
  forMs: number,
  tickMs: number,
  traffic: Flow,
): Trip | null {
  for (let nowMs = fromMs; nowMs < fromMs + forMs; nowMs += tickMs) {
    const trip = observe(d, flow(random, traffic), nowMs);
    if (trip !== null) return trip;
  }
  return null;
}

for (const share of [0.05, 0.5]) {
  test(`three healthy days at ${share * 100}% canary and 1% errors raise no alarm`, () => {
    const d = createDetector(guardOf(), 0);
    const traffic = { requests: 100, share, oldFails: 0.01, newFails: 0.01 };
    assert.equal(run(seeded(17), d, 0, 3 * 86_400_000, 2000, traffic), null);
  });
}

for (const share of [0.05, 0.5, 0.9]) {
  for (const listed of [false, true]) {
    const how = listed ? "listed keys" : "the draw";
    test(`an outage that both sides share from one moment on never trips: ${share * 100}% on new by ${how}`, () => {
      for (let seed = 1; seed <= 10; seed += 1) {
        for (const fails of [0.3, 1]) {
          const random = seeded(seed);
          const d = createDetector(guardOf(), 0);
          const healthy = { requests: 20, share, listed, oldFails: 0.005, newFails: 0.005 };
          assert.equal(run(random, d, 0, 70_000, 100, healthy), null);
          const trip = run(random, d, 70_000, 60_000, 100, { ...healthy, oldFails: fails, newFails: fails });
          assert.equal(trip?.summary, undefined, `seed ${seed}, ${fails * 100}% fail`);
        }
      }
    });
  }
}

test("after a shared outage a fault of new alone trips as if nothing had been", () => {
  const random = seeded(5);
  const d = createDetector(guardOf(), 0);
  const listed = { requests: 20, share: 0.5, listed: true };
  assert.equal(run(random, d, 0, 120_000, 100, { ...listed, oldFails: 0.005, newFails: 0.005 }), null);
  assert.equal(run(random, d, 120_000, 600_000, 100, { ...listed, oldFails: 0.3, newFails: 0.3 }), null);
  assert.equal(run(random, d, 720_000, 120_000, 100, { ...listed, oldFails: 0.005, newFails: 0.005 }), null);
  assert.notEqual(run(random, d, 840_000, 3_000, 100, { ...listed, oldFails: 0.005, newFails: 0.5 }), null);
});

test("a new that fails alone trips although old answers next to nothing", () => {
  const d = createDetector(guardOf(), 0);
  const random = seeded(9);
  const listed = { requests: 1, share: 0.99, listed: true };
  run(random, d, 0, 120_000, 100, { ...listed, oldFails: 0, newFails: 0 });
  assert.notEqual(run(random, d, 120_000, 30_000, 100, { ...listed, oldFails: 0, newFails: 1 }), null);
});

test("a new within the tolerated ratio does not trip: 1.8 times as bad, tolerating 2", () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const d = createDetector(guardOf(), 0);
    const traffic = { requests: 1000, share: 0.5, oldFails: 0.005, newFails: 0.009 };
    assert.equal(run(seeded(seed), d, 0, 3_600_000, 2000, traffic), null);
  }
});

test("three keys that always fail do not trip a 5% canary, wherever they were drawn", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const d = createDetector(guardOf(), 0);
    const keys = ["a", "b", "c"].map((unit) =>
      failure(random() < 0.2 ? "new" : "old", { unit: `${unit}${seed}` }),
    );
    const errorsOfOld = keys.filter((event) => event.side === "old").length;
    for (let second = 0; second < 120; second += 1) {
      const batch: Batch = batchOf({ cleanNew: 5, events: keys, old: { answers: 95, errors: errorsOfOld } });
      assert.equal(observe(d, batch, second * 1000), null);
    }
  }
});

test("wealth under the null is at most 1 on average, with and without an old arm", () => {
  const runs = 20_000;
  let relative = 0;
  let absolute = 0;
  const random = seeded(23);
  for (let i = 0; i < runs; i += 1) {
    const one = createWealth();
    for (let n = 0; n < 3; n += 1) {
      const isNew = random() < 0.3;
      betRelative(one, isNew ? 1 : 0, isNew ? 0 : 1, 0.3, 1);
    }
    relative += Math.exp(lnMeanWealth(one));
    const other = createWealth();
    for (let n = 0; n < 5; n += 1) betAbsolute(other, random() < 0.25 ? 1 : 0, 1, 0.3);
    absolute += Math.exp(lnMeanWealth(other));
  }
  assert.ok(relative / runs <= 1.05, `relative ${relative / runs}`);
  assert.ok(absolute / runs <= 1.05, `absolute ${absolute / runs}`);
});

test("a low budget is kept: at one alarm in 200 seconds a healthy new trips no more often than that", () => {
  const random = seeded(31);
  const guard = guardOf({ falseAlarmSeconds: 200, errors: { maxRate: 0.05, ratio: 1 } });
  let trips = 0;
  let seconds = 0;
  let d = createDetector(guard, 0);
  for (; seconds < 30_000; seconds += 1) {
    const batch = flow(random, { requests: 60, share: 0.5, oldFails: 0.05, newFails: 0.05 });
    if (observe(d, batch, seconds * 1000) === null) continue;
    trips += 1;
    d = createDetector(guard, seconds * 1000);
  }
  assert.ok(trips > 0, "the traffic is lively enough to trip at all");
  assert.ok(seconds / trips >= 200, `${trips} trips in ${seconds} s`);
});
