import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { countsOf, createDetector, type Detector, evidenceOf, observe } from "../../src/model/detector.ts";
import { judge } from "../../src/model/judge.ts";
import { heldToRate } from "../../src/model/old-rate.ts";
import { restoreShown, shownOf } from "../../src/model/shown.ts";
import { batchOf, failure, guardOf } from "./traffic.ts";

const GUARD = guardOf({ latency: { ratio: 2 }, mismatches: { maxRate: 0.01 } });
const FACTS = { canaryPpm: 50_000, minSamples: 50, comparesPairs: true, learning: null };

function used(): Detector {
  const d = createDetector(GUARD, 0);
  for (let second = 1; second <= 30; second += 1) {
    const events = [failure("old"), failure("old", { kind: "slow", unit: `k${second}` }), failure("new")];
    observe(
      d,
      batchOf({
        cleanNew: 40,
        events: second % 10 === 0 ? events : events.slice(0, 2),
        old: { answers: 760, errors: 1 },
        comparisons: { match: 20, mismatchUnits: [] },
      }),
      second * 1000,
    );
  }
  return d;
}

/** As over a restart: through JSON, into a detector of a process whose clock began anew. */
function restarted(d: Detector, nowMs: number, guard = GUARD, mismatches = true): Detector {
  const shown: unknown = JSON.parse(JSON.stringify(shownOf(d, nowMs)));
  const next = createDetector(guard, 500);
  restoreShown(next, shown, 500, mismatches);
  return next;
}

test("a restart goes on with what the step has shown", () => {
  const before = used();
  const after = restarted(before, 30_000);
  assert.deepEqual(countsOf(after), countsOf(before));
  assert.deepEqual(after.step, before.step);
  assert.equal(judge(after, FACTS, 500).verdict, judge(before, FACTS, 30_000).verdict);
  const accounts = (d: Detector) => d.tests.map(({ pass }) => pass && { ...pass, skippedOld: 0 });
  assert.deepEqual(accounts(after), accounts(before));
  assert.equal(after.stepStartedMs, 500 - 30_000);
});

test("it is small, and holds no key", () => {
  const text = JSON.stringify(shownOf(used(), 30_000));
  assert.ok(text.length < 3_000, `${text.length}`);
  assert.doesNotMatch(text, /k17/);
});

test("what changes afterwards is not in it", () => {
  const d = used();
  const shown = shownOf(d, 30_000);
  const text = JSON.stringify(shown);
  observe(d, batchOf({ cleanNew: 40, events: [failure("new")] }), 31_000);
  assert.equal(JSON.stringify(shown), text);
});

test("old's baseline is known again after a restart with everything on new, until old has traffic", () => {
  const before = createDetector(GUARD, 0);
  observe(before, batchOf({ old: { answers: 1_000, errors: 200 } }), 1000);
  const after = restarted(before, 30_000);
  assert.ok(heldToRate(after.old, 0.05, true, 500) > 0.2);
  observe(after, batchOf({ old: { answers: 1_000, errors: 0 } }), 1_000);
  assert.equal(heldToRate(after.old, 0.05, false, 1_000), 0.05);
});

test("a metric whose limit has changed shows itself anew, the others go on", () => {
  const guard = { ...GUARD, errors: { maxRate: 0.05, ratio: 3 } };
  const after = restarted(used(), 30_000, guard);
  assert.equal(after.step.errors.answers.new, 0);
  assert.equal(after.step.latency.answers.new, 1_203);
});

test("pairs that were compared in another way say nothing", () => {
  const after = restarted(used(), 30_000, GUARD, false);
  assert.equal(after.step.mismatches.answers.new, 0);
  assert.equal(after.step.errors.answers.new, 1_203);
});

test("failing shadows hold a step over a restart too", () => {
  const facts = { ...FACTS, canaryPpm: 0 };
  const before = createDetector(guardOf(), 0);
  const broken = batchOf({
    comparisons: { match: 0, mismatchUnits: [] },
    shadows: { answers: 107, failed: 107 },
  });
  observe(before, broken, 1000);
  const seenAfter = (mismatches: boolean) =>
    judge(restarted(before, 30_000, guardOf(), mismatches), facts, 500).seen;
  assert.match(seenAfter(true), /shadows failed 107\/107 new$/);
  assert.match(seenAfter(false), /shadows failed 0\/0 new$/, "of other backends, as far as one can tell");
  const odd = { ...(shownOf(before, 0) as object), shadows: { answers: 1, failed: 2 } };
  const after = createDetector(guardOf(), 0);
  restoreShown(after, odd, 0);
  assert.deepEqual(after.shadows, { answers: 0, failed: 0 });
});

test("no number of restarts makes the same failing keys of old pass a step", () => {
  // Ten keys that old always fails, one of them drawn to new; half of the keys are new's.
  const guard = guardOf({ errors: { maxRate: 1e-6, ratio: 2 } });
  let d = createDetector(guard, 0);
  const round = () =>
    batchOf({
      sharePpm: 500_000,
      cleanNew: 10,
      events: Array.from({ length: 10 }, (_, i) => failure("old", { rhoPpm: 500_000, unit: `key-${i}` })),
      old: { answers: 100_000_000, errors: 10 },
    });
  observe(d, round(), 1000);
  const once = d.tests[0]?.pass?.lnRelative ?? Number.NaN;
  assert.ok(once > 0);
  for (let restart = 0; restart < 50; restart += 1) {
    d = restarted(d, 2000, guard);
    observe(d, round(), 1000);
  }
  assert.equal(d.tests[0]?.pass?.lnRelative, once);
  assert.equal(judge(d, { ...FACTS, canaryPpm: 500_000, comparesPairs: false }, 1000).verdict, "hold");
});

test("after a restart other keys of old count once as many were left out as had counted", () => {
  const keyed = (from: number, count: number) =>
    batchOf({
      cleanNew: 1,
      events: Array.from({ length: count }, (_, i) => failure("old", { unit: `key-${from + i}` })),
      old: { answers: 100, errors: count },
    });
  const before = createDetector(GUARD, 0);
  observe(before, keyed(0, 4), 1000);
  const after = restarted(before, 2000);
  const relative = () => after.tests[0]?.pass?.lnRelative ?? Number.NaN;
  const kept = relative();
  observe(after, keyed(4, 4), 1000);
  assert.equal(relative(), kept);
  observe(after, keyed(8, 4), 2000);
  assert.ok(relative() > kept);
});

test("evidence against new begins anew, and what trips still trips", () => {
  const before = used();
  observe(before, batchOf({ events: Array.from({ length: 4 }, () => failure("new")) }), 31_000);
  const after = restarted(before, 32_000);
  assert.equal(evidenceOf(after).errors, 0);
  const trip = observe(after, batchOf({ events: Array.from({ length: 15 }, () => failure("new")) }), 1_000);
  assert.equal(trip?.metric, "errors");
});

test("what is no such JSON is ignored, and nothing is passed by it", () => {
  const json = fc.jsonValue().map((value) => value as unknown);
  const bent = fc.record({
    version: fc.constantFrom(1, 2, "1"),
    elapsedMs: fc.oneof(fc.integer(), json),
    old: fc.oneof(fc.record({ answers: fc.integer(), failed: fc.integer() }), json),
    step: fc.oneof(fc.record({ errors: json }), json),
    passes: fc.oneof(
      fc.array(
        fc.record({
          spec: fc.constant({ metric: "errors", kind: "relative", limit: 2 }),
          pass: fc.record({
            lnRelative: fc.oneof(fc.constant(null), fc.double()),
            logWorse: fc.array(fc.oneof(fc.double(), fc.constant("x")), { maxLength: 9 }),
            failed: fc.integer(),
            answers: fc.integer(),
            keyedOld: fc.integer(),
          }),
        }),
      ),
      json,
    ),
  });
  fc.assert(
    fc.property(fc.oneof(json, bent), (shown) => {
      const d = createDetector(GUARD, 0);
      restoreShown(d, shown, 1000);
      const { verdict, why } = judge(d, FACTS, 1000);
      assert.equal(verdict, "hold");
      assert.doesNotMatch(why, /NaN|Infinity|undefined/);
      observe(d, batchOf({ cleanNew: 1, events: [failure("old"), failure("new")] }), 2000);
      assert.ok(Number.isFinite(evidenceOf(d).errors));
    }),
  );
});
