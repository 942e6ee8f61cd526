/** 4xx at the whole share, where no old arm is left to compare with. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { lnPassAlone, passingRate, trippingRate } from "../../src/model/client-error-limit.ts";
import {
  createDetector,
  type Detector,
  evidenceOf,
  observe,
  startStep,
  type Trip,
} from "../../src/model/detector.ts";
import { judge } from "../../src/model/judge.ts";
import { createOldRate, recordOld } from "../../src/model/old-rate.ts";
import { LN_PASS } from "../../src/model/pass.ts";
import { restoreShown, shownOf } from "../../src/model/shown.ts";
import { batchOf, binomial, failure, guardOf, type Random, seeded } from "./traffic.ts";

const WHOLE = 1_000_000;
const FACTS = { canaryPpm: WHOLE, minSamples: 50, comparesPairs: false, learning: null };

/** So many answers of new, so many of them 4xx. */
const whole = (answers: number, clientErrors: number, unit: string | null = null) =>
  batchOf({
    sharePpm: WHOLE,
    cleanNew: answers,
    events: Array.from({ length: clientErrors }, () =>
      failure("new", { kind: "client-error", rhoPpm: WHOLE, unit }),
    ),
  });

/** A minute of old's answers, a hundred a second, so many of them 4xx; then everything goes to new. */
function afterOld(clientErrors: number, ratio = 2): Detector {
  const d = createDetector(guardOf({ errors: { maxRate: 0.05, ratio } }), 0);
  for (let second = 1; second <= 60; second += 1)
    observe(
      d,
      batchOf({
        sharePpm: 0,
        events: Array.from({ length: clientErrors }, () =>
          failure("old", { kind: "client-error", rhoPpm: 0 }),
        ),
        old: { answers: 100, errors: 0 },
      }),
      second * 1000,
    );
  startStep(d, 60_000);
  return d;
}

/** One batch a second, a day later. */
function live(d: Detector, seconds: number, make: (second: number) => ReturnType<typeof batchOf>) {
  for (let second = 1; second <= seconds; second += 1) {
    const trip = observe(d, make(second), 86_460_000 + second * 1000);
    if (trip !== null) return { trip, second };
  }
  return { trip: null as Trip | null, second: seconds };
}
const judged = (d: Detector, seconds: number) => judge(d, FACTS, 86_460_000 + seconds * 1000);

describe("the guard", () => {
  test("a new that answers 404 to everything trips within some twelve answers", () => {
    const { trip, second } = live(afterOld(1), 60, () => whole(1, 1));
    assert.ok(second <= 15, `${second}`);
    assert.match(
      trip?.summary ?? "",
      /^client-errors: \d+ of \d+ answers of new were 4xx in \d+ s at 100% canary; .*\(absolute, limit 20%\)$/,
    );
  });

  test("so does one that does where old was never seen, held to half of its answers", () => {
    const run = (clientErrors: number) =>
      live(createDetector(guardOf(), 0), 600, () => whole(20, clientErrors));
    assert.match(run(20).trip?.summary ?? "", /limit 50%, raised by what is known of old's own\)$/);
    assert.ok(run(20).second <= 3);
    assert.equal(run(9).trip, null);
  });

  test("a handful of old's answers is no baseline", () => {
    const d = createDetector(guardOf(), 0);
    observe(d, batchOf({ sharePpm: 0, old: { answers: 3, errors: 0 } }), 1000);
    assert.notEqual(live(d, 10, () => whole(20, 20)).trip, null);
  });

  test("what old's clients did wrong too trips nothing, and much more than that does", () => {
    const run = (old: number, fresh: number) => live(afterOld(old), 600, () => whole(100, fresh)).trip;
    for (const [old, fresh] of [
      [1, 1],
      [1, 15],
      [30, 30],
      [30, 55],
      [70, 70],
      [95, 95],
      [100, 100],
    ] as const)
      assert.equal(run(old, fresh), null, `${old}% → ${fresh}%`);
    for (const [old, fresh] of [
      [1, 30],
      [30, 85],
      [70, 100],
    ] as const)
      assert.equal(run(old, fresh)?.metric, "client-errors", `${old}% → ${fresh}%`);
  });

  test("one client that has gone astray counts once", () => {
    assert.equal(live(afterOld(1), 600, () => whole(20, 15, "00000000000000aa")).trip, null);
  });

  test("errors among them are answers that were no 4xx", () => {
    const half = () => {
      const batch = whole(1, 1);
      return { ...batch, events: [...batch.events, failure("new", { rhoPpm: WHOLE })] };
    };
    const d = createDetector(guardOf({ errors: { maxRate: 1, ratio: 2 } }), 0);
    assert.equal(live(d, 300, half).trip, null, "50% is not above 50%");
  });

  test("the board's counts are taken where there are any: an event may come a look after its answer", () => {
    const d = afterOld(1);
    const now = 86_460_000;
    const counted = { clientErrors: { old: 0, new: 40 }, events: [] };
    for (let i = 0; i < 10; i += 1) {
      observe(d, { ...whole(40, 0), ...counted }, now + i);
      observe(d, { ...whole(0, 40), clientErrors: { old: 0, new: 0 } }, now + i);
    }
    assert.ok((evidenceOf(d)["client-errors"] ?? 0) >= 1);
  });

  test("below the whole share it does not bet: an old arm is the better measure", () => {
    const d = createDetector(guardOf(), 0);
    const events = Array.from({ length: 50 }, () => failure("new", { kind: "client-error", rhoPpm: 0 }));
    for (let second = 1; second < 60; second += 1)
      assert.equal(observe(d, batchOf({ sharePpm: 0, cleanNew: 50, events }), second * 1000), null);
    assert.equal(evidenceOf(d)["client-errors"], 0);
  });

  test("old's rate outlasts a restart", () => {
    const shown: unknown = JSON.parse(JSON.stringify(shownOf(afterOld(60), 61_000)));
    const d = createDetector(guardOf(), 0);
    restoreShown(d, shown, 0);
    assert.equal(live(d, 300, () => whole(100, 70)).trip, null);
    assert.notEqual(live(d, 300, () => whole(100, 95)).trip, null);
  });

  test("a healthy new raises no alarm, with old's own 4xx and through a night of scanners", () => {
    const alarm = (random: Random, old: number, rate: (second: number) => number) =>
      live(afterOld(old), 43_200, (second) => {
        const answers = binomial(random, 20, 0.5);
        return whole(answers, binomial(random, answers, rate(second)));
      }).trip?.summary;
    for (const [seed, old] of [3, 15, 40].entries()) {
      assert.equal(
        alarm(seeded(seed), old, () => old / 100),
        undefined,
      );
    }
    const night = (second: number) => (second < 20_000 ? 0.18 : 0.01);
    assert.equal(alarm(seeded(7), 1, night), undefined);
  });
});

describe("the judge", () => {
  const after = (old: number, fresh: number, ratio = 2) => {
    const d = afterOld(old, ratio);
    const { trip } = live(d, 120, () => whole(100, fresh));
    return trip === null ? judged(d, 120).verdict : "trip";
  };

  test("passes a new whose 4xx are few, or as many as old's", () => {
    for (const old of [0, 1, 4, 6, 15, 30, 50, 70, 90, 99, 100])
      for (const ratio of [1, 2, 10])
        assert.equal(after(old, old, ratio), "pass", `${old}%, tolerating ${ratio}×`);
  });

  test("holds one whose 4xx are too many for a pass and too few for a rollback, and says so", () => {
    const d = afterOld(1);
    assert.equal(live(d, 120, () => whole(100, 15)).trip, null);
    const { verdict, needs } = judged(d, 120);
    assert.deepEqual(
      [verdict, needs],
      ["hold", ["fewer 4xx (they are too many to show less than 5% of new's answers)"]],
    );
    assert.equal(after(30, 62), "hold");
    assert.equal(after(1, 60), "trip");
  });

  test("needs answers for it, as for errors", () => {
    const d = createDetector(guardOf({ minSamples: 0 }), 0);
    recordOld(d.oldClientErrors, 1000, 10, 0);
    observe(d, whole(89, 0), 1000);
    const { verdict, needs } = judge(d, { ...FACTS, minSamples: 0 }, 1000);
    assert.equal(verdict, "hold");
    assert.match(needs.join(), /^about 1 more answers/);
  });

  test("evidence won at the whole share does not hold a smaller one for ever", () => {
    const d = afterOld(1);
    observe(d, whole(8, 8), 61_000);
    assert.ok((evidenceOf(d)["client-errors"] ?? 0) > 0.25);
    assert.equal(judge(d, FACTS, 61_000).verdict, "hold");
    startStep(d, 62_000);
    for (let second = 63; second < 90; second += 1)
      observe(d, batchOf({ cleanNew: 20, old: { answers: 380, errors: 0 } }), second * 1000);
    assert.equal(judge(d, { ...FACTS, canaryPpm: 50_000 }, 90_000).verdict, "pass");
  });
});

test("for any rate of old a pass never tolerates more than a rollback does, and rates stay rates", () => {
  const counts = fc.nat(5_000).chain((answers) => fc.tuple(fc.constant(answers), fc.nat(answers)));
  fc.assert(
    fc.property(counts, counts, fc.double({ min: 1, max: 100, noNaN: true }), (old, fresh, ratio) => {
      const rate = createOldRate();
      recordOld(rate, old[0], old[1], 0);
      const passing = passingRate(rate, ratio);
      const tripping = trippingRate(rate, ratio);
      assert.ok(passing >= 0.05 && passing <= tripping + 1e-9 && tripping <= 1, `${passing} ${tripping}`);
      const ln = lnPassAlone({ answers: fresh[0], failed: fresh[1] }, rate, ratio);
      if (passing < 0.99) assert.ok(Number.isFinite(ln));
      if (fresh[0] > 0 && passing < 0.99 && fresh[1] / fresh[0] >= passing) assert.ok(ln < LN_PASS);
    }),
  );
});
