/** The published table of the relative test (docs: statistics), reproduced by whole simulations of a made-up log. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { playFault } from "../../src/simulate/bootstrap.ts";
import { createRandom } from "../../src/simulate/random.ts";
import { median, relativeOnly } from "../model/traffic.ts";
import { guardedRoute, scoreOf, tapeOf } from "./tapes.ts";

const SECONDS = 7200;
/** Old fails 0.5%, 100 requests a second, keyless, at a canary of 5%. */
const TAPE = tapeOf({ seconds: SECONDS, seed: 2 });
/** Wealth is floored each second: what an hour of health leaves behind, minutes do. */
const HEALTHY_MS = 1_200_000;
const OLD_FAILS = 0.005;

// [new fails, tolerated ratio, median requests to new, runs]
const MEDIANS: [newFails: number, ratio: number, requests: number, runs: number][] = [
  [1, 1, 10, 60],
  [0.5, 1, 18, 100],
  [0.1, 1, 103, 100],
  [0.05, 1, 265, 100],
  [0.02, 1, 1440, 60],
  [1, 2, 11, 60],
  [0.5, 2, 22, 100],
  [0.1, 2, 160, 100],
  [0.05, 2, 430, 100],
  [0.02, 2, 4300, 60],
];

for (const [newFails, ratio, expected, runs] of MEDIANS) {
  test(`new failing ${newFails * 100}% against 0.5% is found after about ${expected} requests, tolerating ${ratio}×`, () => {
    const guard = { ...relativeOnly(ratio), killSwitch: null };
    const score = scoreOf(guardedRoute({ guard }), TAPE, SECONDS);
    // What fails on old fails on new as well: the rest of new's failures come besides.
    const besides = (newFails - OLD_FAILS) / (1 - OLD_FAILS);
    const answers: number[] = [];
    for (let run = 1; run <= runs; run++) {
      const played = playFault(score, SECONDS, besides, 60_000 + HEALTHY_MS, createRandom(1, run), run);
      assert.equal(played.rollback?.cause, "errors");
      // The table counts by whole seconds, of five requests to new each.
      answers.push(played.answers + 5 * (1 - (played.rollback?.at ?? 1)));
    }
    const found = median(answers);
    assert.ok(Math.abs(found - expected) <= 0.15 * expected, `median of ${runs} runs: ${found}`);
  });
}
