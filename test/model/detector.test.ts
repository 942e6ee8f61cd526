import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  countsOf,
  createDetector,
  type Detector,
  evidenceOf,
  explainEvidence,
  forgetMismatches,
  observe,
  reconfigure,
  startAfresh,
  startStep,
  type Trip,
} from "../../src/model/detector.ts";
import type { NoiseEvidence } from "../../src/model/observation.ts";
import { batchOf, failure, guardOf, relativeOnly } from "./traffic.ts";

const WHOLE = 1_000_000;
const errorsOf = (d: Detector) => evidenceOf(d).errors ?? Number.NaN;

/** One batch a second of what `make` says, from second `from` on, until a trip. */
function feed(
  d: Detector,
  from: number,
  seconds: number,
  make: () => ReturnType<typeof batchOf>,
): Trip | null {
  for (let second = from; second < from + seconds; second += 1) {
    const trip = observe(d, make(), second * 1000);
    if (trip !== null) return trip;
  }
  return null;
}

test("a new that fails every request trips after about ten, whatever minSamples says", () => {
  const d = createDetector(guardOf({ minSamples: 10_000 }), 0);
  let failures = 0;
  let trip: Trip | null = null;
  while (trip === null && failures < 100) {
    failures += 1;
    const old = { answers: 19, errors: 0 };
    trip = observe(d, batchOf({ events: [failure("new")], old }), failures * 200);
  }
  assert.ok(failures <= 12, `tripped after ${failures}`);
  assert.equal(trip?.metric, "errors");
});

test("a trip is explained with metric, value, limit and samples", () => {
  const d = createDetector(guardOf(), 0);
  const trip = feed(d, 1, 60, () =>
    batchOf({ cleanNew: 2, events: [failure("new"), failure("new")], old: { answers: 95, errors: 0 } }),
  );
  assert.match(
    trip?.summary ?? "",
    /^errors: \d+ of \d+ answers of new failed against 0 of \d+ of old in \d+ s at 5% canary; evidence 1\.\d\d of 1 \(relative, tolerates 2× of old\)$/,
  );
  assert.ok((trip?.failed.new ?? 0) >= 8);
  assert.ok(errorsOf(d) >= 1, "evidence reads 1 or more at a trip");
});

test("no traffic and clean traffic are no evidence", () => {
  const d = createDetector(guardOf(), 0);
  assert.equal(observe(d, batchOf(), 1000), null);
  assert.deepEqual(evidenceOf(d), { errors: 0, "client-errors": 0 });
  feed(d, 2, 600, () => batchOf({ cleanNew: 50, old: { answers: 950, errors: 5 } }));
  assert.equal(errorsOf(d), 0);
});

test("one failure at low traffic is a hold", () => {
  const d = createDetector(guardOf(), 0);
  assert.equal(observe(d, batchOf({ events: [failure("new")] }), 1000), null);
  assert.ok(errorsOf(d) > 0 && errorsOf(d) < 0.5, `${errorsOf(d)}`);
});

test("a healthy hour is no cushion for the regression after it", () => {
  const failuresUntilTrip = (healthySeconds: number) => {
    const d = createDetector(relativeOnly(2), 0);
    feed(d, 1, healthySeconds, () =>
      batchOf({ cleanNew: 50, events: [failure("old")], old: { answers: 950, errors: 1 } }),
    );
    let failures = 0;
    const trip = feed(d, healthySeconds + 1, 100, () => {
      failures += 1;
      return batchOf({ events: [failure("new")], old: { answers: 19, errors: 0 } });
    });
    assert.notEqual(trip, null);
    return failures;
  };
  assert.equal(failuresUntilTrip(3600), failuresUntilTrip(0));
});

test("losses count within the second that they fell in, and are forgotten in the next", () => {
  const withOldFirst = (secondsLater: number) => {
    const d = createDetector(relativeOnly(1), 0);
    observe(d, batchOf({ events: Array.from({ length: 200 }, () => failure("old")) }), 1000);
    observe(d, batchOf({ events: [failure("new"), failure("new")] }), 1000 + secondsLater * 1000);
    return errorsOf(d);
  };
  assert.equal(withOldFirst(0), 0);
  assert.ok(withOldFirst(1) > 0.1);
});

test("evidence is looked at after each event of a batch, not only at its end", () => {
  const d = createDetector(relativeOnly(1), 0);
  const failures = Array.from({ length: 10 }, () => failure("new"));
  const excuses = Array.from({ length: 500 }, () => failure("old"));
  assert.notEqual(observe(d, batchOf({ events: [...failures, ...excuses] }), 1000), null);
});

test("each failure counts at the share that its own request was decided with", () => {
  const evidenceAt = (rhoPpm: number) => {
    const d = createDetector(relativeOnly(2), 0);
    observe(
      d,
      batchOf({ sharePpm: 50_000, events: [failure("new", { rhoPpm }), failure("new", { rhoPpm })] }),
      1000,
    );
    return errorsOf(d);
  };
  assert.ok(evidenceAt(10_000) > evidenceAt(50_000));
  assert.ok(evidenceAt(50_000) > evidenceAt(250_000));
});

test("requests that the draw did not decide, or that had no old arm, are no relative evidence", () => {
  const d = createDetector(relativeOnly(2), 0);
  for (const rhoPpm of [0, WHOLE]) {
    const events = Array.from({ length: 500 }, () => failure("new", { rhoPpm }));
    assert.equal(observe(d, batchOf({ events }), 1000), null);
  }
  assert.equal(errorsOf(d), 0);
});

test("a listed split is judged alone: it trips above the limit and not below", () => {
  const run = (failures: number) =>
    feed(createDetector(guardOf(), 0), 1, 600, () =>
      batchOf({
        sharePpm: 0,
        cleanNew: 100 - failures,
        events: Array.from({ length: failures }, () => failure("new", { rhoPpm: 0 })),
        old: { answers: 1000, errors: 2 },
      }),
    );
  assert.match(run(20)?.summary ?? "", /^errors: \d+ of \d+ answers of new failed .*\(absolute, limit 5%\)$/);
  assert.equal(run(4), null);
});

test("at 100% canary new is held to old's frozen baseline, however long ago that was", () => {
  const run = (oldErrors: number) => {
    const d = createDetector(guardOf(), 0);
    feed(d, 1, 120, () =>
      batchOf({ sharePpm: 500_000, cleanNew: 90, old: { answers: 100, errors: oldErrors } }),
    );
    startStep(d, 121_000);
    return feed(d, 4000, 300, () =>
      batchOf({
        sharePpm: WHOLE,
        cleanNew: 88,
        events: Array.from({ length: 12 }, () => failure("new", { rhoPpm: WHOLE })),
      }),
    );
  };
  assert.equal(run(12), null, "12% is what old failed too");
  assert.match(run(0)?.summary ?? "", /limit 5%/);
});

test("at 100% canary what is left to old does not excuse new", () => {
  const d = createDetector(guardOf(), 0);
  feed(d, 1, 120, () => batchOf({ sharePpm: 500_000, cleanNew: 90, old: { answers: 100, errors: 0 } }));
  const trip = feed(d, 121, 300, () =>
    batchOf({
      sharePpm: WHOLE,
      cleanNew: 80,
      events: Array.from({ length: 20 }, () => failure("new", { rhoPpm: WHOLE })),
      old: { answers: 1, errors: 1 },
    }),
  );
  assert.notEqual(trip, null);
});

test("a new that answers 404 to everything trips, although a 4xx is no error", () => {
  const d = createDetector(guardOf(), 0);
  const trip = feed(d, 1, 60, () =>
    batchOf({
      cleanNew: 5,
      events: Array.from({ length: 5 }, () => failure("new", { kind: "client-error" })),
      old: { answers: 95, errors: 0 },
    }),
  );
  assert.equal(trip?.metric, "client-errors");
  assert.match(trip?.summary ?? "", /^client-errors: \d+ of \d+ answers of new were 4xx/);
  assert.equal(countsOf(d).errors.new, 0);
});

test("bad requests of clients, the same on both sides, trip nothing", () => {
  const d = createDetector(guardOf(), 0);
  const trip = feed(d, 1, 600, () => {
    const events = Array.from({ length: 40 }, (_, i) =>
      failure(i % 20 === 0 ? "new" : "old", { kind: "client-error" }),
    );
    return batchOf({ cleanNew: 5, events, old: { answers: 95, errors: 0 } });
  });
  assert.equal(trip, null);
});

const latencyGuard = () => guardOf({ errors: null, latency: { ratio: 2 } });
const slow = (rhoPpm: number) => failure("new", { kind: "slow", rhoPpm });

test("a slow new trips against old at the same moment", () => {
  const d = createDetector(latencyGuard(), 0);
  const trip = feed(d, 1, 60, () =>
    batchOf({
      cleanNew: 5,
      events: [slow(50_000), slow(50_000), failure("old", { kind: "slow" })],
      old: { answers: 95, errors: 0 },
    }),
  );
  assert.match(trip?.summary ?? "", /^latency: \d+ of \d+ answers of new were slower than old's p99 against/);
});

test("at 100% canary a slow new trips above ratio times one in a hundred", () => {
  const run = (slowOnes: number) =>
    feed(createDetector(latencyGuard(), 0), 1, 600, () =>
      batchOf({
        sharePpm: WHOLE,
        cleanNew: 1000,
        fastNew: 1000 - slowOnes,
        events: Array.from({ length: slowOnes }, () => slow(WHOLE)),
      }),
    );
  assert.match(run(60)?.summary ?? "", /\(absolute, limit 2%\)$/);
  assert.equal(run(15), null);
});

test("the speed of listed keys is not judged: they are not the traffic that old's p99 was taken from", () => {
  const d = createDetector(latencyGuard(), 0);
  const events = Array.from({ length: 50 }, () => slow(0));
  assert.equal(
    feed(d, 1, 60, () => batchOf({ sharePpm: 0, fastNew: 50, events })),
    null,
  );
});

test("pairs that differ trip above the limit and not below", () => {
  const run = (differing: number) =>
    feed(createDetector(guardOf({ mismatches: { maxRate: 0.01 } }), 0), 1, 600, () =>
      batchOf({
        sharePpm: 0,
        comparisons: {
          match: 1000 - differing,
          mismatchUnits: Array.from({ length: differing }, () => null),
        },
      }),
    );
  assert.match(
    run(30)?.summary ?? "",
    /^mismatches: \d+ of [\d,]+ compared pairs differed in \d+ s; evidence 1\.\d\d of 1 \(absolute, limit 1%\)$/,
  );
  assert.equal(run(8), null);
});

test("one key that always differs is one mismatch", () => {
  const d = createDetector(guardOf({ mismatches: { maxRate: 0.01 } }), 0);
  const comparisons = { match: 10, mismatchUnits: Array.from({ length: 50 }, () => "00000000000000aa") };
  assert.equal(
    feed(d, 1, 600, () => batchOf({ sharePpm: 0, comparisons })),
    null,
  );
});

test("a key that always fails counts once a step, and again in the next", () => {
  const d = createDetector(relativeOnly(2), 0);
  const again = () =>
    batchOf({ events: [failure("new", { unit: "00000000000000aa" })], old: { answers: 19, errors: 0 } });
  observe(d, again(), 1000);
  const once = errorsOf(d);
  feed(d, 2, 1000, again);
  assert.equal(errorsOf(d), once);
  startStep(d, 1_002_000);
  observe(d, again(), 1_003_000);
  assert.ok(errorsOf(d) > 1.5 * once);
});

test("under a share that stands still a key counts again after a day", () => {
  const d = createDetector(relativeOnly(2), 0);
  const again = () => batchOf({ events: [failure("new", { unit: "00000000000000aa" })] });
  observe(d, again(), 1000);
  const once = errorsOf(d);
  observe(d, again(), 86_000_000);
  assert.equal(errorsOf(d), once);
  observe(d, again(), 86_401_000);
  assert.ok(errorsOf(d) > once);
});

test("many keys that fail trip although each counts once", () => {
  const d = createDetector(guardOf(), 0);
  let key = 0;
  const trip = feed(d, 1, 60, () => {
    key += 1;
    const unit = key.toString(16).padStart(16, "0");
    return batchOf({
      events: [failure("new", { unit }), failure("new", { unit })],
      old: { answers: 19, errors: 0 },
    });
  });
  assert.match(trip?.summary ?? "", /each key counted once/);
});

test("a thousand keys that always fail stay known while others pass through", () => {
  const d = createDetector(relativeOnly(1), 0);
  const keyOf = (i: number) => (i * 2_654_435_761).toString(16).padStart(16, "0");
  const events = Array.from({ length: 1000 }, (_, i) => failure("old", { unit: keyOf(i), rhoPpm: 1 }));
  for (let round = 0; round < 5; round += 1) observe(d, batchOf({ events }), 1000);
  const [relative] = d.tests;
  assert.equal(relative?.repeats, 4000);
});

test("new settings keep the evidence whose meaning did not change", () => {
  const d = createDetector(guardOf(), 0);
  observe(
    d,
    batchOf({ events: [failure("new"), failure("new"), failure("new", { kind: "client-error" })] }),
    1000,
  );
  const before = evidenceOf(d);
  reconfigure(d, guardOf({ minSamples: 500, killSwitch: null }), 2000);
  assert.deepEqual(evidenceOf(d), before);
  reconfigure(d, guardOf({ errors: { maxRate: 0.05, ratio: 3 } }), 3000);
  assert.equal(evidenceOf(d)["client-errors"], 0);
  reconfigure(d, guardOf({ errors: null, mismatches: { maxRate: 0.01 } }), 4000);
  assert.deepEqual(evidenceOf(d), { mismatches: 0 });
});

test("a new share keeps evidence; a reset does not", () => {
  const d = createDetector(guardOf(), 0);
  observe(d, batchOf({ cleanNew: 3, events: [failure("new")], old: { answers: 9, errors: 1 } }), 1000);
  const before = evidenceOf(d);
  assert.deepEqual(countsOf(d), { samples: { old: 9, new: 4 }, errors: { old: 1, new: 1 } });
  startStep(d, 2000);
  assert.deepEqual(evidenceOf(d), before);
  assert.deepEqual(countsOf(d), { samples: { old: 0, new: 0 }, errors: { old: 0, new: 0 } });
  startAfresh(d, 3000);
  assert.equal(errorsOf(d), 0);
});

test("the tests of a route share its budget of false alarms", () => {
  const evidence = (mismatches: { maxRate: number } | null) => {
    const d = createDetector(guardOf({ mismatches }), 0);
    observe(d, batchOf({ events: [failure("new"), failure("new")] }), 1000);
    return errorsOf(d);
  };
  assert.ok(evidence({ maxRate: 0.01 }) < evidence(null));
});

test("status says in words what is known", () => {
  const d = createDetector(guardOf({ mismatches: { maxRate: 0.01 } }), 0);
  const comparisons = { match: 938, mismatchUnits: [null, null] };
  observe(
    d,
    batchOf({
      cleanNew: 18_203,
      events: [failure("new")],
      old: { answers: 345_871, errors: 61 },
      comparisons,
    }),
    1000,
  );
  assert.match(
    explainEvidence(d),
    /^errors 1\/18,204 new vs 61\/345,871 old, evidence 0\.\d\d of 1; client-errors 0\/18,204 new vs 0\/345,871 old, evidence 0\.00 of 1; mismatches 2\/940 pairs, evidence 0\.\d\d of 1$/,
  );
});

test("a limit of 0% trips on a few failures, not on none", () => {
  const d = createDetector(guardOf({ errors: { maxRate: 0, ratio: 2 } }), 0);
  const batch = (failures: number) =>
    batchOf({
      sharePpm: WHOLE,
      cleanNew: 10,
      events: Array.from({ length: failures }, () => failure("new", { rhoPpm: WHOLE })),
    });
  assert.equal(
    feed(d, 1, 100, () => batch(0)),
    null,
  );
  assert.notEqual(observe(d, batch(5), 200_000), null);
});

test("how clean answers are spread over the batches of one second does not change the evidence", () => {
  const split = fc.array(fc.nat(40), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(split, fc.integer({ min: 1, max: 6 }), (cleans, failures) => {
      const events = Array.from({ length: failures }, () => failure("new", { rhoPpm: WHOLE }));
      const total = cleans.reduce((sum, n) => sum + n, 0);
      const apart = createDetector(guardOf(), 0);
      for (const [i, cleanNew] of cleans.entries())
        observe(apart, batchOf({ sharePpm: WHOLE, cleanNew }), 1000 + i);
      observe(apart, batchOf({ sharePpm: WHOLE, events }), 1500);
      const together = createDetector(guardOf(), 0);
      observe(together, batchOf({ sharePpm: WHOLE, cleanNew: total, events }), 1500);
      assert.ok(Math.abs(errorsOf(apart) - errorsOf(together)) < 1e-9);
    }),
  );
});

test("no batch, however odd, makes evidence that is no number", () => {
  const anyEvent = fc.record({
    kind: fc.constantFrom("error" as const, "client-error" as const, "slow" as const),
    side: fc.constantFrom("old" as const, "new" as const),
    rhoPpm: fc.constantFrom(0, 1, 50_000, 999_999, WHOLE),
    unit: fc.option(fc.string()),
  });
  const anyBatch = fc.record({
    sharePpm: fc.constantFrom(0, 1, 50_000, WHOLE),
    cleanNew: fc.nat(1e6),
    fastNew: fc.nat(1e6),
    events: fc.array(anyEvent, { maxLength: 30 }),
    old: fc
      .nat(1e6)
      .chain((answers) => fc.record({ answers: fc.constant(answers), errors: fc.nat(answers) })),
    comparisons: fc.record({
      match: fc.nat(1e6),
      mismatchUnits: fc.array(fc.option(fc.string()), { maxLength: 20 }),
    }),
  });
  const guard = guardOf({ latency: { ratio: 2 }, mismatches: { maxRate: 0.01 } });
  fc.assert(
    fc.property(fc.array(fc.tuple(anyBatch, fc.nat(1e9)), { maxLength: 10 }), (batches) => {
      const d = createDetector(guard, 0);
      for (const [batch, nowMs] of batches) {
        observe(d, batch, nowMs);
        for (const value of Object.values(evidenceOf(d))) assert.ok(Number.isFinite(value) && value >= 0);
      }
    }),
  );
});

const noiseEvidence = (changes: Partial<NoiseEvidence> = {}): NoiseEvidence => ({
  freshUnits: [],
  equalTriples: 0,
  triples: [],
  noisyPlaces: 0,
  bound: 0,
  isBlind: false,
  wasWrong: false,
  ...changes,
});
const measured = (maxRate = 0.01) => createDetector(guardOf({ mismatches: { maxRate } }), 0, true);
const pairs = (match: number, differing: number, noise: NoiseEvidence) =>
  batchOf({ comparisons: { match, mismatchUnits: Array.from({ length: differing }, () => null), noise } });
const alone = { unit: null, signs: [], elsewhere: 1 } as const;

test("pairs are held to what noise that nobody has seen yet may be, where that is more than the limit", () => {
  const run = (bound: number) =>
    feed(measured(), 1, 300, () => pairs(97, 3, noiseEvidence({ bound })))?.summary ?? "";
  assert.match(run(0), /\(absolute, limit 1%\)$/);
  assert.equal(run(0.035), "");
  assert.match(run(0.011), /\(absolute, limit 1\.1%, raised to what unseen noise of old may be\)$/);
});

test("fresh differences trip by triples, and by rate only where no triples come and most differ", () => {
  const freshUnits = Array.from({ length: 60 }, () => null);
  assert.equal(observe(measured(), pairs(10, 0, noiseEvidence({ freshUnits })), 1000), null);
  assert.equal(observe(measured(), pairs(90, 0, noiseEvidence({ freshUnits, isBlind: true })), 1000), null);
  const blind = observe(measured(), pairs(0, 0, noiseEvidence({ freshUnits, isBlind: true })), 1000);
  assert.match(blind?.summary ?? "", /limit 50%; old's second answers are lost/);
  const triples = Array.from({ length: 40 }, () => alone);
  assert.match(
    observe(measured(), pairs(0, 0, noiseEvidence({ triples })), 1000)?.summary ?? "",
    /^mismatches: new differed alone in \d+ of \d+ shadows/,
  );
});

test("evidence of pairs is taken back where old turns out to differ there too, that of triples stays", () => {
  const d = measured();
  observe(d, pairs(0, 3, noiseEvidence({ triples: [alone, alone] })), 1000);
  const before = evidenceOf(d).mismatches ?? 0;
  observe(d, pairs(0, 0, noiseEvidence({ wasWrong: true })), 1500);
  const after = evidenceOf(d).mismatches ?? 0;
  assert.ok(after > 0 && after < before, `${before} → ${after}`);
});

test("evidence of triples survives a reload that changes nothing of it, and no reset", () => {
  const guard = guardOf({ mismatches: { maxRate: 0.01 } });
  const evidence = (act: (d: Detector) => void) => {
    const d = createDetector(guard, 0, true);
    observe(d, pairs(0, 0, noiseEvidence({ triples: [alone, alone, alone] })), 1000);
    act(d);
    return evidenceOf(d).mismatches;
  };
  const kept = evidence(() => {});
  assert.ok((kept ?? 0) > 0);
  assert.equal(
    evidence((d) => reconfigure(d, { ...guard, minSamples: 9 }, 1000, true)),
    kept,
  );
  assert.equal(
    evidence((d) => reconfigure(d, guardOf({ mismatches: { maxRate: 0.02 } }), 1000, true)),
    0,
  );
  assert.equal(
    evidence((d) => startAfresh(d, 1000)),
    0,
  );
  assert.equal(
    evidence((d) => forgetMismatches(d, 1000)),
    0,
  );
  assert.equal(
    evidence((d) => reconfigure(d, guardOf(), 1000, true)),
    undefined,
  );
});
