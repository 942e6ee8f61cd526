import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";

import {
  answersToPass,
  createPassAccount,
  LN_PASS,
  leansToWorse,
  lnPassAbsolute,
  lnPassRelative,
  type PassAccount,
  passAbsolute,
  passEvidence,
  passRelative,
} from "../../src/model/pass.ts";

/** Small, fast and seeded (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Answers of new until the step passes; null: not within `most`. */
function untilPass(
  draw: () => number,
  rates: { readonly old: number; readonly new: number },
  most: number,
  {
    share = 0.05,
    margin = 2,
    limitRate = 0.05,
  }: { share?: number; margin?: number; limitRate?: number | null } = {},
): number | null {
  const account = createPassAccount();
  for (let answers = 0; answers < most; ) {
    const isNew = draw() < share;
    const failed = draw() < rates[isNew ? "new" : "old"];
    if (failed) passRelative(account, isNew, share, margin);
    if (!isNew) continue;
    answers++;
    passAbsolute(account, 1, failed ? 1 : 0);
    if (passEvidence(account, limitRate) >= 1) return answers;
  }
  return null;
}

describe("a pass", () => {
  test("the relative form is the likelihood ratio of STATISTICS, event by event", () => {
    const share = 0.2;
    const margin = 2;
    const of = (theta: number): number => (share * theta) / (1 - share + share * theta);
    const byHand = 3 * Math.log(of(1) / of(margin)) + 7 * Math.log((1 - of(1)) / (1 - of(margin)));
    assert.ok(Math.abs(lnPassRelative(3, 7, share, margin) - byHand) < 1e-12);
  });

  test("without any failure 4,603 answers pass a limit of 0.1%, and not one fewer", () => {
    assert.equal(answersToPass(createPassAccount(), 0.001), 4_603);
    assert.ok(lnPassAbsolute(0, 4_603, 0.001) >= LN_PASS);
    assert.ok(lnPassAbsolute(0, 4_602, 0.001) < LN_PASS);
  });

  test("a healthy new passes, with and without failures to see", () => {
    for (const rate of [0, 0.0001, 0.001, 0.01]) {
      const draw = random(7);
      const needed = Array.from({ length: 40 }, () => untilPass(draw, { old: rate, new: rate }, 20_000));
      assert.ok(needed.filter((n) => n !== null).length >= 39, `at ${rate}: ${needed}`);
    }
  });

  test("a new that is worse than allowed seldom passes", () => {
    // At the margin or beyond it, where the absolute limit (5%) is no help against it.
    for (const [old, times] of [
      [0.01, 5],
      [0.03, 2],
      [0.002, 25],
    ] as const) {
      const draw = random(11);
      const passed = Array.from({ length: 300 }, () =>
        untilPass(draw, { old, new: old * times }, 1_500, { limitRate: null }),
      );
      const share = passed.filter((n) => n !== null).length / passed.length;
      assert.ok(share <= 0.02, `${times} × ${old}: ${share}`);
    }
    // At the limit itself: each form errs once in a hundred, and there are two.
    const draw = random(13);
    const atLimit = Array.from({ length: 1_000 }, () =>
      untilPass(draw, { old: 0.05, new: 0.05 }, 1_500, { share: 0.999 }),
    );
    assert.ok(atLimit.filter((n) => n !== null).length <= 30);
  });

  test("few failures are not good enough while they lean towards worse", () => {
    const account = createPassAccount();
    passAbsolute(account, 2_000, 5);
    for (let n = 0; n < 5; n++) passRelative(account, true, 0.05, 2);
    assert.ok(lnPassAbsolute(5, 2_000, 0.05) > LN_PASS);
    assert.ok(leansToWorse(account));
    assert.equal(passEvidence(account, 0.05), 0);
    // One failure among very many is not held against it for ever.
    const lucky = createPassAccount();
    passAbsolute(lucky, 100_000, 1);
    passRelative(lucky, true, 0.05, 2);
    assert.ok(passEvidence(lucky, 0.05) >= 1);
  });

  test("what is missing is what it takes, to the answer", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 50 }),
        fc.integer({ min: 0, max: 5_000 }),
        fc.constantFrom(0.0001, 0.001, 0.01, 0.05, 0.5),
        (failed, clean, limitRate) => {
          const account: PassAccount = { ...createPassAccount(), failed, answers: failed + clean };
          const more = answersToPass(account, limitRate);
          const at = (n: number): number => lnPassAbsolute(failed, failed + clean + n, limitRate);
          assert.ok(at(more) >= LN_PASS);
          if (more > 0) assert.ok(at(more - 1) < LN_PASS);
        },
      ),
    );
  });
});
