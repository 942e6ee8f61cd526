/** Steps of a rollout under made-up traffic: who passes, how soon, and who never should. bench/steps.ts runs longer. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type StepRun, simulateStep } from "./steps.ts";
import { median } from "./traffic.ts";

function runsOf(run: Omit<StepRun, "seed">, count: number) {
  const runs = Array.from({ length: count }, (_, i) => simulateStep({ ...run, seed: i + 1 }));
  return {
    trips: runs.filter(({ trippedAt }) => trippedAt !== null).length,
    /** That a controller would have gone on with at the end of the bake. */
    passed: runs.filter(({ passesAtEnd }) => passesAtEnd).length,
    firstPasses: runs.flatMap(({ firstPassAt }) => (firstPassAt === null ? [] : [firstPassAt])),
  };
}

describe("a healthy new", () => {
  for (const share of [0.01, 0.05, 0.25, 0.5])
    for (const fails of [0, 0.001, 0.01]) {
      test(`passes at ${share * 100}% with ${fails * 100}% errors, mostly within minutes`, () => {
        const run = { share, perSecond: 100, oldFails: fails, newFails: fails, seconds: 600 };
        const { trips, passed, firstPasses } = runsOf(run, 20);
        assert.equal(trips, 0);
        assert.ok(passed >= 19, `${passed} of 20`);
        assert.ok(median(firstPasses) <= 300, `${median(firstPasses)} s`);
      });
    }

  test("passes with more errors than the limit when old has them too", () => {
    const run = { share: 0.05, perSecond: 100, oldFails: 0.08, newFails: 0.08, seconds: 600 };
    const { trips, passed } = runsOf(run, 20);
    assert.deepEqual([trips, passed >= 19], [0, true]);
  });

  test("is held, not failed, where hardly anything comes", () => {
    const run = { share: 0.01, perSecond: 5, oldFails: 0.001, newFails: 0.001, seconds: 600 };
    const { trips, firstPasses } = runsOf(run, 20);
    assert.deepEqual([trips, firstPasses.length], [0, 0]);
  });
});

describe("a new that is worse than allowed", () => {
  for (const oldFails of [0.025, 0.03, 0.05])
    for (const share of [0.05, 0.25]) {
      test(`at the margin (${oldFails * 100}% → ${oldFails * 200}% at ${share * 100}%) passes a step in at most one of fifty`, () => {
        const run = { share, perSecond: 100, oldFails, newFails: 2 * oldFails, seconds: 300 };
        assert.ok(runsOf(run, 50).firstPasses.length <= 1);
      });
    }

  for (const [times, share] of [
    [20, 0.05],
    [10, 0.05],
    [10, 0.25],
    [5, 0.25],
    [200, 0.05],
  ] as const) {
    test(`${times} times old's 0.5% at ${share * 100}% is rolled back and not passed`, () => {
      const run = { share, perSecond: 100, oldFails: 0.005, newFails: times * 0.005, seconds: 600 };
      const { trips, passed } = runsOf(run, 20);
      assert.deepEqual([trips, passed], [20, 0]);
    });
  }

  test("slightly worse is held at least: three times old's 0.5% does not get through a bake", () => {
    const run = { share: 0.05, perSecond: 100, oldFails: 0.005, newFails: 0.015, seconds: 600 };
    assert.equal(runsOf(run, 20).passed, 0);
  });

  test("a regression that begins late in a long healthy bake is not passed when the bake ends", () => {
    const run = { share: 0.05, perSecond: 100, oldFails: 0.005, newFails: 0.005, seconds: 1_860 };
    const late = { ...run, change: (second: number) => (second > 1_800 ? { newFails: 0.1 } : {}) };
    const { trips, passed } = runsOf(late, 20);
    assert.ok(passed <= 1, `${passed} passed, ${trips} tripped`);
  });
});

describe("traffic that is not even", () => {
  const healthy = { share: 0.05, perSecond: 100, oldFails: 0.01, newFails: 0.01, seconds: 3_600 };
  const shapes: Readonly<Record<string, StepRun["change"]>> = {
    "a day in an hour": (second) => ({
      perSecond: Math.round(60 + 55 * Math.sin((second / 3_600) * 2 * Math.PI)),
    }),
    bursts: (second) => ({ perSecond: second % 60 < 2 ? 3_000 : 20 }),
    "an outage of both sides": (second) =>
      second % 1_200 >= 600 && second % 1_200 < 660 ? { oldFails: 1, newFails: 1 } : {},
    "a brown-out of both sides": (second) =>
      second % 1_200 >= 600 && second % 1_200 < 900 ? { oldFails: 0.3, newFails: 0.3 } : {},
  };
  for (const [name, change] of Object.entries(shapes)) {
    test(`${name}: no false alarm, and a healthy new passes`, () => {
      const { trips, passed } = runsOf({ ...healthy, ...(change === undefined ? {} : { change }) }, 6);
      assert.deepEqual([trips, passed >= 5], [0, true]);
    });
  }
});
