import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { upperBound, upperBoundIsAtMost } from "../../src/model/confidence.ts";
import {
  absoluteGain,
  betAbsolute,
  betRelative,
  canBetOn,
  createWealth,
  EFFECT_SIZES,
  floorWealth,
  lnMeanWealth,
  toleratedShare,
} from "../../src/model/evidence.ts";

const log10 = (logWealth: Float64Array) => (lnMeanWealth(logWealth) / Math.LN10).toFixed(6);

const RELATIVE: [k: number, m: number, share: number, log10E: string][] = [
  [1, 0, 0.05, "0.773099"],
  [5, 0, 0.05, "5.309971"],
  [5, 20, 0.05, "1.001171"],
  [20, 95, 0.05, "4.241142"],
  [20, 20, 0.5, "-0.782509"],
  [30, 10, 0.5, "1.694769"],
];

for (const [k, m, share, expected] of RELATIVE) {
  test(`${k} failures of new and ${m} of old at share ${share} are worth 10^${expected}`, () => {
    const wealth = createWealth();
    betRelative(wealth, k, m, share, 1);
    assert.equal(log10(wealth), expected);
  });
}

const ABSOLUTE: [x: number, n: number, limit: number, log10E: string][] = [
  [0, 100, 0.01, "-0.627141"],
  [5, 100, 0.01, "1.204330"],
  [10, 100, 0.01, "5.425420"],
  [3, 3, 0.01, "5.096243"],
  [20, 1000, 0.01, "1.040470"],
  [40, 2000, 0.02, "-1.354715"],
];

for (const [x, n, limit, expected] of ABSOLUTE) {
  test(`${x} failures in ${n} answers against ${limit} are worth 10^${expected}`, () => {
    const wealth = createWealth();
    betAbsolute(wealth, x, n, limit);
    assert.equal(log10(wealth), expected);
  });
}

const someShare = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true });
const someTolerance = fc.double({ min: 1, max: 10, noNaN: true });

test("a relative bet on new failing exactly as often as tolerated gains nothing on average", () => {
  fc.assert(
    fc.property(someShare, someTolerance, (share, tolerance) => {
      const newFails = createWealth();
      betRelative(newFails, 1, 0, share, tolerance);
      const oldFails = createWealth();
      betRelative(oldFails, 0, 1, share, tolerance);
      const chanceOfNew = toleratedShare(share, tolerance);
      for (const i of EFFECT_SIZES.keys()) {
        const mean =
          chanceOfNew * Math.exp(newFails[i] ?? 0) + (1 - chanceOfNew) * Math.exp(oldFails[i] ?? 0);
        assert.ok(Math.abs(mean - 1) < 1e-9, `effect ${EFFECT_SIZES[i]}: mean ${mean}`);
      }
    }),
  );
});

test("an absolute bet loses on average at every true rate up to the limit", () => {
  const rates = fc.tuple(
    fc.double({ min: 1e-6, max: 0.989, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(rates, ([limit, part]) => {
      const rate = limit * part;
      for (const effect of EFFECT_SIZES) {
        const mean =
          rate * Math.exp(absoluteGain(effect, 1, 1, limit)) +
          (1 - rate) * Math.exp(absoluteGain(effect, 0, 1, limit));
        assert.ok(mean <= 1 + 1e-9, `effect ${effect}: mean ${mean}`);
      }
    }),
  );
});

test("one bet on many answers is the same as many bets on one", () => {
  const counts = fc.tuple(fc.nat(30), fc.nat(30), fc.double({ min: 0.001, max: 0.9, noNaN: true }));
  fc.assert(
    fc.property(counts, ([failed, clean, limit]) => {
      const whole = createWealth();
      betAbsolute(whole, failed, failed + clean, limit);
      const single = createWealth();
      for (let i = 0; i < clean; i += 1) betAbsolute(single, 0, 1, limit);
      for (let i = 0; i < failed; i += 1) betAbsolute(single, 1, 1, limit);
      for (const i of EFFECT_SIZES.keys()) {
        assert.ok(Math.abs((whole[i] ?? 0) - (single[i] ?? 0)) < 1e-9);
      }
    }),
  );
});

test("flooring forgets losses and keeps gains", () => {
  const wealth = Float64Array.of(-3, 0, 2);
  floorWealth(wealth);
  assert.deepEqual([...wealth], [0, 0, 2]);
});

test("a limit of 99% or more, or of nothing, is not bet on", () => {
  assert.equal(canBetOn(0.99), false);
  assert.equal(canBetOn(0), false);
  const wealth = createWealth();
  betAbsolute(wealth, 1000, 1000, 0.99);
  betAbsolute(wealth, 1000, 1000, 1);
  betAbsolute(wealth, 1000, 1000, 0);
  assert.deepEqual(wealth, createWealth());
});

test("wealth too great for a number is still compared", () => {
  const wealth = createWealth();
  betRelative(wealth, 100_000, 0, 0.05, 1);
  assert.ok(lnMeanWealth(wealth) > 100_000);
  assert.ok(Number.isFinite(lnMeanWealth(wealth)));
});

const BOUNDS: [failed: number, answers: number, bound: number][] = [
  [0, 100, 0.0879891606409],
  [5, 1000, 0.01942520296],
  [300, 1000, 0.35613485866],
  [1, 60, 0.179318662361],
  [0, 1, 0.9999],
  [999, 1000, 0.999999899995],
  [50_000, 1_000_000, 0.050815347052],
  [0, 0, 1],
  [7, 7, 1],
];

for (const [failed, answers, bound] of BOUNDS) {
  test(`a rate of ${failed} in ${answers} may really be ${bound}`, () => {
    assert.ok(Math.abs(upperBound(failed, answers) - bound) < 1e-11, `${upperBound(failed, answers)}`);
  });
}

test("asking whether a bound is below a rate agrees with the bound", () => {
  const counts = fc.nat(5000).chain((answers) => fc.tuple(fc.nat(answers), fc.constant(answers)));
  fc.assert(
    fc.property(counts, fc.double({ min: 0.001, max: 0.999, noNaN: true }), ([failed, answers], rate) => {
      const bound = upperBound(failed, answers);
      assert.ok(bound >= failed / Math.max(1, answers) && bound <= 1);
      if (Math.abs(bound - rate) > 1e-9)
        assert.equal(upperBoundIsAtMost(failed, answers, rate), bound <= rate);
    }),
  );
});

test("more failures or fewer answers never lower a bound", () => {
  const counts = fc.integer({ min: 2, max: 2000 }).chain((n) => fc.tuple(fc.nat(n - 2), fc.constant(n)));
  fc.assert(
    fc.property(counts, ([failed, answers]) => {
      assert.ok(upperBound(failed + 1, answers) > upperBound(failed, answers));
      assert.ok(upperBound(failed, answers - 1) > upperBound(failed, answers));
    }),
  );
});
