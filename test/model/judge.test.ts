import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createDetector, type Detector, observe, startStep } from "../../src/model/detector.ts";
import { judge } from "../../src/model/judge.ts";
import type { Guard } from "../../src/model/ruleset.ts";
import type { StepFacts } from "../../src/model/step-facts.ts";
import { batchOf, failure, guardOf } from "./traffic.ts";

const WHOLE = 1_000_000;
const MISMATCHES = { mismatches: { maxRate: 0.01 } };

const factsOf = (changes: Partial<StepFacts> = {}): StepFacts => ({
  canaryPpm: 50_000,
  minSamples: 50,
  comparesPairs: false,
  learning: null,
  ...changes,
});
const SHADOW_STEP = factsOf({ canaryPpm: 0, comparesPairs: true });

const detectorOf = (guard: Partial<Guard> = {}) => createDetector(guardOf(guard), 0);

/** So many clean answers of new in each of so many seconds, old's beside them. */
function clean(d: Detector, seconds: number, perSecond: number, from = 1): number {
  for (let second = from; second < from + seconds; second += 1) {
    const old = { answers: perSecond * 19, errors: 0 };
    assert.equal(observe(d, batchOf({ cleanNew: perSecond, events: [], old }), second * 1000), null);
  }
  return (from + seconds - 1) * 1000;
}

const pairs = (match: number, differing = 0) =>
  batchOf({ comparisons: { match, mismatchUnits: Array.from({ length: differing }, () => null) } });

describe("a step at a canary share", () => {
  test("clean answers pass it, in words that have both sides' counts", () => {
    const d = detectorOf();
    const now = clean(d, 20, 10);
    const { verdict, why } = judge(d, factsOf(), now);
    assert.deepEqual([verdict, why], ["pass", "errors 0/200 new vs 0/3,800 old"]);
  });

  test("too few samples is a hold, never a pass, and says how many and how long", () => {
    const d = detectorOf();
    const now = clean(d, 20, 10);
    const { verdict, why } = judge(d, factsOf({ minSamples: 500 }), now);
    assert.equal(verdict, "hold");
    assert.equal(
      why,
      "errors 0/200 new vs 0/3,800 old, evidence 0.00 of 1; needs 300 more answers, 30 s at this rate",
    );
  });

  test("no traffic is a hold, never a pass and never a fail", () => {
    const { verdict, why } = judge(detectorOf(), factsOf(), 3_600_000);
    assert.equal(verdict, "hold");
    assert.match(why, /needs about 90 more answers, and none come at present$/);
  });

  test("traffic that has stopped makes the forecast longer", () => {
    const d = detectorOf({ errors: { maxRate: 0.001, ratio: 2 } });
    const now = clean(d, 60, 10);
    assert.match(judge(d, factsOf(), now).why, /needs about 4,000 more answers, 7 min at this rate$/);
    assert.match(judge(d, factsOf(), now + 3_600_000).why, /needs about 4,000 more answers, 6 h 47 min/);
  });

  test("a limit of 0.1% takes 4,603 clean answers", () => {
    const d = detectorOf({ errors: { maxRate: 0.001, ratio: 2 } });
    observe(d, batchOf({ cleanNew: 4_602, old: { answers: 90_000, errors: 0 } }), 1000);
    assert.equal(judge(d, factsOf(), 1000).verdict, "hold");
    observe(d, batchOf({ cleanNew: 1 }), 2000);
    assert.equal(judge(d, factsOf(), 2000).verdict, "pass");
  });

  test("failures of both sides alike pass by comparison, beyond the limit too", () => {
    const d = detectorOf();
    for (let second = 1; second <= 60; second += 1) {
      const events = [...Array.from({ length: 19 }, () => failure("old")), failure("new")];
      observe(d, batchOf({ cleanNew: 9, events, old: { answers: 190, errors: 19 } }), second * 1000);
    }
    const { verdict, why } = judge(d, factsOf(), 60_000);
    assert.deepEqual([verdict, why], ["pass", "errors 60/600 new vs 1,140/11,400 old"]);
  });

  test("few failures that lean towards worse hold it, below every limit", () => {
    const d = detectorOf();
    for (let second = 1; second <= 100; second += 1) {
      const events = second % 25 === 0 ? [failure("new")] : [];
      observe(d, batchOf({ cleanNew: 10, events, old: { answers: 190, errors: 0 } }), second * 1000);
    }
    const { verdict, why } = judge(d, factsOf(), 100_000);
    assert.equal(verdict, "hold");
    assert.match(why, /its errors to lean less towards worse than old's/);
  });

  test("4xx that new gives and old does not hold it", () => {
    const d = detectorOf();
    for (let second = 1; second <= 100; second += 1) {
      const events = second % 25 === 0 ? [failure("new", { kind: "client-error" })] : [];
      observe(d, batchOf({ cleanNew: 10, events, old: { answers: 190, errors: 0 } }), second * 1000);
    }
    const { verdict, why } = judge(d, factsOf(), 100_000);
    assert.equal(verdict, "hold");
    assert.match(why, /client-errors 4\/1,000 new vs 0\/19,000 old.*its 4xx to lean less/);
  });

  test("a long healthy bake is no cushion for what begins now", () => {
    const d = detectorOf({ errors: { maxRate: 0.05, ratio: 2 } });
    for (let second = 1; second <= 3600; second += 1) {
      const events = [...Array.from({ length: 19 }, () => failure("old")), failure("new")];
      observe(d, batchOf({ cleanNew: 99, events, old: { answers: 1900, errors: 19 } }), second * 1000);
    }
    assert.equal(judge(d, factsOf(), 3_600_000).verdict, "pass");
    const events = Array.from({ length: 4 }, () => failure("new"));
    assert.equal(observe(d, batchOf({ events, old: { answers: 76, errors: 0 } }), 3_601_000), null);
    const { verdict, why } = judge(d, factsOf(), 3_601_000);
    assert.equal(verdict, "hold");
    assert.match(why, /needs evidence against its errors below 0\.25$/);
  });

  test("evidence that trips is a fail, in the words of the evidence", () => {
    const d = detectorOf();
    const trip = observe(d, batchOf({ events: Array.from({ length: 30 }, () => failure("new")) }), 1000);
    assert.notEqual(trip, null);
    const { verdict, why } = judge(d, factsOf(), 1000);
    assert.equal(verdict, "fail");
    assert.match(why, /^errors 30\/30 new vs 0\/0 old, evidence [1-9]/);
  });

  test("what the step before has shown does not count", () => {
    const d = detectorOf();
    const now = clean(d, 20, 10);
    startStep(d, now);
    const { verdict, seen } = judge(d, factsOf(), now);
    assert.deepEqual([verdict, seen], ["hold", "errors 0/0 new vs 0/0 old, evidence 0.00 of 1"]);
  });

  test("a step that lasts for days keeps what it has shown", () => {
    const d = detectorOf();
    const now = clean(d, 20, 10);
    observe(d, batchOf({ cleanNew: 1 }), now + 3 * 86_400_000);
    assert.equal(judge(d, factsOf({ minSamples: 201 }), now + 3 * 86_400_000).verdict, "pass");
  });

  test("a key's failures count once for the comparison and every time against the limit", () => {
    const d = detectorOf();
    const events = Array.from({ length: 40 }, () => failure("new", { unit: "3f9a12aaaaaaaaaa" }));
    observe(d, batchOf({ cleanNew: 200, events, old: { answers: 4_560, errors: 0 } }), 1000);
    const { verdict, why } = judge(d, factsOf(), 1000);
    assert.equal(verdict, "hold");
    assert.match(why, /errors 40\/240 new vs 0\/4,560 old, evidence 0\.\d\d of 1/);
    assert.match(why, /100% of new's errors come from 1 key \(3f9a12…\)/);
    assert.match(why, /needs fewer errors \(they are too many to show less than 5% of new's answers\)$/);
  });

  test("mismatches are judged beside it where pairs are compared, and are not waited for where none can be", () => {
    const d = detectorOf(MISMATCHES);
    const now = clean(d, 20, 10);
    const held = judge(d, factsOf({ comparesPairs: true }), now);
    assert.equal(held.verdict, "hold");
    assert.deepEqual(held.needs, ["about 459 more pairs, and none come at present"]);
    observe(d, pairs(459), now);
    assert.equal(judge(d, factsOf({ comparesPairs: true }), now).verdict, "pass");
    const other = detectorOf(MISMATCHES);
    assert.equal(judge(other, factsOf(), clean(other, 20, 10)).verdict, "pass");
  });

  test("speed is not judged before old's p99 is known, and by comparison then", () => {
    const d = detectorOf({ latency: { ratio: 2 } });
    const batch = { cleanNew: 100, old: { answers: 1_900, errors: 0 } };
    observe(d, batchOf({ ...batch, isSpeedMeasured: false }), 1000);
    assert.deepEqual(judge(d, factsOf(), 1000).needs, ["old's p99 to be known (a minute of its answers)"]);
    const slow = (second: number) => [
      ...Array.from({ length: 19 }, () => failure("old", { kind: "slow" })),
      ...(second % 2 === 0 ? [failure("new", { kind: "slow" })] : []),
    ];
    for (let second = 2; second <= 60; second += 1)
      observe(d, batchOf({ ...batch, isSpeedMeasured: true, events: slow(second) }), second * 1000);
    const { verdict, why } = judge(d, factsOf(), 60_000);
    assert.equal(verdict, "pass");
    assert.match(why, /latency 30\/6,000 new vs 1,121\/114,000 old/);
  });
});

describe("a step that only shadows", () => {
  test("needs pairs, as many as minSamples says", () => {
    const d = detectorOf();
    observe(d, pairs(30), 10_000);
    const facts = { ...SHADOW_STEP, minSamples: 50 };
    const shown = "30 compared pairs, 0 differ; shadows failed 0/30 new";
    assert.equal(judge(d, facts, 10_000).why, `${shown}; needs 20 more pairs, 7 s at this rate`);
    observe(d, pairs(17, 3), 20_000);
    const { verdict, why } = judge(d, facts, 20_000);
    assert.deepEqual([verdict, why], ["pass", "50 compared pairs, 3 differ; shadows failed 0/50 new"]);
  });

  test("holds while new fails where old answers well, however many pairs there are", () => {
    const d = detectorOf();
    const { comparisons } = pairs(0, 107);
    assert.equal(observe(d, batchOf({ comparisons, shadows: { answers: 107, failed: 107 } }), 10_000), null);
    const { verdict, why } = judge(d, SHADOW_STEP, 10_000);
    assert.equal(verdict, "hold", "no shadow takes traffic back: there is none");
    assert.equal(
      why,
      "107 compared pairs, 107 differ; shadows failed 107/107 new; " +
        "needs fewer failing shadows (they are too many to show less than 5% of new's answers)",
    );
    startStep(d, 20_000);
    observe(d, pairs(100), 20_000);
    assert.equal(judge(d, SHADOW_STEP, 20_000).verdict, "pass", "the next step begins anew");
  });

  test("shadows without an answer make no pairs and count as failed", () => {
    const d = detectorOf();
    observe(d, batchOf({ ...pairs(60), shadows: { answers: 100, failed: 40 } }), 10_000);
    const { verdict, why } = judge(d, SHADOW_STEP, 10_000);
    assert.deepEqual([verdict, why.includes("shadows failed 40/100 new")], ["hold", true]);
  });

  test("few failing shadows pass below the limit, and fail the limit of 0.1%", () => {
    const few = batchOf({ ...pairs(2_000), shadows: { answers: 2_000, failed: 5 } });
    const verdictAt = (maxRate: number) => {
      const d = detectorOf({ errors: { maxRate, ratio: 2 } });
      observe(d, few, 10_000);
      return judge(d, SHADOW_STEP, 10_000).verdict;
    };
    assert.deepEqual([verdictAt(0.05), verdictAt(0.001)], ["pass", "hold"]);
  });

  test("where errors are not guarded, failing shadows are only counted pairs", () => {
    const d = detectorOf({ errors: null });
    observe(d, batchOf({ ...pairs(0, 107), shadows: { answers: 107, failed: 107 } }), 10_000);
    const { verdict, why } = judge(d, SHADOW_STEP, 10_000);
    assert.deepEqual([verdict, why], ["pass", "107 compared pairs, 107 differ"]);
  });

  test("where new serves, its shadows say nothing of errors: its answers do", () => {
    const d = detectorOf();
    observe(d, batchOf({ shadows: { answers: 107, failed: 107 } }), 1000);
    const now = clean(d, 20, 10, 2);
    assert.equal(judge(d, factsOf({ comparesPairs: true }), now).why, "errors 0/200 new vs 0/3,800 old");
  });

  test("guarded mismatches must be shown to be few", () => {
    const d = detectorOf(MISMATCHES);
    observe(d, pairs(200), 10_000);
    assert.equal(
      judge(d, SHADOW_STEP, 10_000).why,
      "mismatches 0/200 pairs, evidence 0.00 of 1; shadows failed 0/200 new; needs about 259 more pairs, 13 s at this rate",
    );
    observe(d, pairs(259), 20_000);
    assert.equal(judge(d, SHADOW_STEP, 20_000).why, "mismatches 0/459 pairs; shadows failed 0/459 new");
  });

  test("answers of new, as of split keys, are no samples there", () => {
    const d = detectorOf();
    assert.equal(judge(d, SHADOW_STEP, clean(d, 60, 100)).verdict, "hold");
  });

  test("while noise is learned it waits for that", () => {
    const facts = { ...SHADOW_STEP, learning: { done: 120, of: 200 } };
    const { verdict, needs } = judge(detectorOf(MISMATCHES), facts, 1000);
    assert.equal(verdict, "hold");
    assert.deepEqual(needs, ["noise to be known (120 of 200 shadows)"]);
  });

  test("where nothing can be seen it holds, unless no samples are asked for", () => {
    const blind = factsOf({ canaryPpm: 0 });
    const { verdict, why } = judge(detectorOf(), blind, 1000);
    assert.equal(verdict, "hold");
    assert.match(why, /give it a share\)/);
    assert.equal(judge(detectorOf(), { ...blind, minSamples: 0 }, 1000).verdict, "pass");
  });
});

describe("a step with everything on new", () => {
  /** A step at 5% in which old fails so often, and then the whole. */
  const wholeAfter = (oldFails: number) => {
    const d = detectorOf();
    for (let second = 1; second <= 60; second += 1) {
      const failures = (side: "old" | "new", count: number) =>
        Array.from({ length: count }, () => failure(side));
      const events = [...failures("old", oldFails * 19), ...failures("new", oldFails)];
      const old = { answers: 1_900, errors: oldFails * 19 };
      observe(d, batchOf({ cleanNew: 100 - oldFails, events, old }), second * 1000);
    }
    startStep(d, 60_000);
    return d;
  };
  const facts = factsOf({ canaryPpm: WHOLE });
  const whole = (cleanNew: number, failed: number) =>
    batchOf({
      sharePpm: WHOLE,
      cleanNew,
      events: Array.from({ length: failed }, () => failure("new", { rhoPpm: WHOLE })),
    });

  test("is held to the limit", () => {
    const d = wholeAfter(0);
    observe(d, whole(89, 0), 61_000);
    assert.equal(judge(d, facts, 61_000).verdict, "hold");
    observe(d, whole(1, 0), 62_000);
    assert.equal(judge(d, facts, 62_000).verdict, "pass");
  });

  test("is held to old's frozen baseline where that is worse than the limit", () => {
    const verdictAfter = (oldFails: number) => {
      const d = wholeAfter(oldFails);
      for (let second = 61; second <= 120; second += 1) observe(d, whole(955, 45), second * 1000);
      return judge(d, facts, 120_000).verdict;
    };
    assert.deepEqual([verdictAfter(10), verdictAfter(0)], ["pass", "hold"]);
  });

  test("evidence of the comparison that has ended does not hold it for ever", () => {
    const d = wholeAfter(0);
    startStep(d, 60_000);
    observe(d, batchOf({ events: Array.from({ length: 4 }, () => failure("new")) }), 60_500);
    startStep(d, 61_000);
    for (let second = 61; second <= 120; second += 1) observe(d, whole(100, 0), second * 1000);
    assert.equal(judge(d, facts, 120_000).verdict, "pass");
  });
});

test("without a guard bake and gates alone decide, and the words say so", () => {
  assert.deepEqual(judge(null, factsOf(), 0), {
    verdict: "pass",
    why: "no guard: bake and gates alone decide",
    seen: "no guard: bake and gates alone decide",
    needs: [],
  });
});

test("where only the kill switch guards, samples are needed all the same", () => {
  const d = detectorOf({ errors: null });
  assert.equal(judge(d, factsOf(), 1000).verdict, "hold");
  const now = clean(d, 10, 5);
  assert.deepEqual(
    [judge(d, factsOf(), now).verdict, judge(d, factsOf(), now).why],
    ["pass", "50 answers of new, of which nothing is guarded"],
  );
});

test("every batch is judged, in words without NaN, and a hold always says what is missing", () => {
  const count = fc.integer({ min: 0, max: 2_000 });
  fc.assert(
    fc.property(
      count,
      count,
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 40 }),
      fc.constantFrom(0, 1, 50_000, WHOLE),
      fc.constantFrom(0, 1e-6, 0.05, 1),
      fc.constantFrom(1, 2, 10),
      (cleanNew, match, failed, differing, canaryPpm, maxRate, ratio) => {
        const d = detectorOf({ errors: { maxRate, ratio }, latency: { ratio }, mismatches: { maxRate } });
        const events = Array.from({ length: failed }, (_, i) =>
          failure(i % 3 === 0 ? "old" : "new", { rhoPpm: canaryPpm }),
        );
        const batch = batchOf({ sharePpm: canaryPpm, cleanNew, fastNew: cleanNew, events });
        const { comparisons } = pairs(match, differing);
        observe(d, { ...batch, comparisons }, 1000);
        for (const comparesPairs of [true, false]) {
          const { verdict, why, needs } = judge(d, factsOf({ canaryPpm, comparesPairs }), 2000);
          assert.equal(verdict === "hold", needs.length > 0);
          assert.doesNotMatch(why, /NaN|Infinity|undefined|null/);
        }
      },
    ),
  );
});
