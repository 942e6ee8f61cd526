/** New against old by triples, inside noise and outside. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { NoiseEvidence, TripleSigns } from "../../src/model/observation.ts";
import {
  createPairedTest,
  feedPaired,
  floorPaired,
  lnPairedWealth,
  type PairedTest,
  pairedEvidence,
  startPairedStep,
} from "../../src/model/paired-test.ts";
import { median, type Random, seeded } from "./traffic.ts";

const LN_C = Math.log(1e6);
const PLACE = "value $.score";

function evidenceOf(changes: Partial<NoiseEvidence> = {}): NoiseEvidence {
  return {
    freshUnits: [],
    equalTriples: 0,
    triples: [],
    noisyPlaces: 1,
    bound: 0,
    isBlind: false,
    wasWrong: false,
    ...changes,
  };
}

const inside = (sign: -1 | 1, place = PLACE): TripleSigns => ({
  unit: null,
  signs: [{ place, sign }],
  elsewhere: 0,
});
const outside = (elsewhere: -1 | 1, unit: string | null = null): TripleSigns => ({
  unit,
  signs: [],
  elsewhere,
});

// [ups, downs, zeros, log10 E] from a fresh start at p₀ = 1%.
const REFERENCE: [ups: number, downs: number, zeros: number, log10: number][] = [
  [5, 0, 0, 0.702264],
  [10, 0, 90, 1.513034],
  [30, 20, 50, 0.091165],
];
for (const [ups, downs, zeros, log10] of REFERENCE) {
  test(`${ups} times 1, ${downs} times -1 and ${zeros} times 0 are 10^${log10}`, () => {
    assert.ok(Math.abs(lnPairedWealth(0.01, ups, downs, zeros) / Math.LN10 - log10) < 5e-7);
  });
}

test("stakes that one loss would ruin are not bet: λ(1 + p₀) stays below 1", () => {
  assert.equal(createPairedTest(0.01).stakes.length, 6);
  assert.equal(createPairedTest(0.3).stakes.length, 5);
  for (const limit of [0.01, 0.3, 0.99]) {
    assert.ok(Number.isFinite(lnPairedWealth(limit, 0, 100, 0)));
  }
});

test("a place is bet on in every triple of the second, also those that say nothing of it", () => {
  const sign = fc.constantFrom<-1 | 0 | 1>(-1, 0, 1);
  fc.assert(
    fc.property(fc.array(sign, { maxLength: 60 }), fc.nat(20), (signs, equal) => {
      const test = createPairedTest(0.01);
      const triples = signs.map((each) => (each === 0 ? inside(1, "value $.other") : inside(each)));
      feedPaired(test, evidenceOf({ equalTriples: equal, triples }), Number.POSITIVE_INFINITY, 0);
      const place = test.places.get(PLACE);
      const count = (value: number) => signs.filter((each) => each === value).length;
      if (place === undefined) return assert.equal(count(1) + count(-1), 0);
      floorPaired({ ...test, places: new Map([[PLACE, place]]) });
      assert.equal(place.triples, signs.length + equal);
      assert.deepEqual([place.ups, place.downs], [count(1), count(-1)]);
      const expected = test.stakes.map(({ lnUp, lnDown, lnZero }) =>
        Math.max(0, count(1) * lnUp + count(-1) * lnDown + (count(0) + equal) * lnZero),
      );
      for (const [i, value] of place.logWealth.entries())
        assert.ok(Math.abs(value - (expected[i] ?? Number.NaN)) < 1e-9);
    }),
  );
});

test("losses are forgotten in the next second, and a place that has none left takes no memory", () => {
  const test = createPairedTest(0.01);
  feedPaired(test, evidenceOf({ triples: [inside(-1), inside(-1)] }), LN_C, 0);
  assert.equal(test.places.size, 1);
  floorPaired(test);
  assert.equal(test.places.size, 0);
  feedPaired(test, evidenceOf({ triples: [inside(1)] }), LN_C, 1000);
  assert.ok(pairedEvidence(test, LN_C) > 0);
});

test("noisy places share one part of the budget; all other places have a part of their own", () => {
  const ups = (make: () => TripleSigns, noisyPlaces: number) => {
    const test = createPairedTest(0.01);
    for (let n = 1; ; n += 1)
      if (feedPaired(test, evidenceOf({ triples: [make()], noisyPlaces }), LN_C, 0) !== null) return n;
  };
  assert.ok(ups(() => inside(1), 1000) > ups(() => inside(1), 1));
  assert.equal(
    ups(() => outside(1), 1000),
    ups(() => inside(1), 1),
  );
});

test("a trip names the place and says how often each differed alone", () => {
  const test = createPairedTest(0.01);
  const triples = [inside(-1), ...Array.from({ length: 40 }, () => inside(1))];
  const trip = feedPaired(test, evidenceOf({ equalTriples: 9, triples }), LN_C, 12_000);
  assert.match(
    trip?.summary ?? "",
    /^mismatches: inside noisy \$\.score new differed alone in \d+ of \d+ shadows that asked old twice, old in 1, in \d+ s; evidence 1\.\d\d of 1 \(paired, new may differ in 1% more than old from itself\)$/,
  );
  assert.deepEqual(trip?.failed.old, 1);
  assert.equal(trip?.metric, "mismatches");
});

test("a place that is no value says what differs there", () => {
  const summaryAt = (place: string) => {
    const triples = Array.from({ length: 60 }, () => inside(1, place));
    return feedPaired(createPairedTest(0.01), evidenceOf({ triples }), LN_C, 0)?.summary ?? "";
  };
  assert.match(summaryAt("missing $.tags"), /inside noisy \$\.tags \(missing\) new/);
  assert.match(summaryAt("status status"), /inside noisy status new/);
  assert.match(summaryAt("header header:etag"), /inside noisy header:etag new/);
});

test("outside noise a key counts once a step; inside noise it counts every time", () => {
  const test = createPairedTest(0.01);
  const repeated = (make: () => TripleSigns) => evidenceOf({ triples: Array.from({ length: 200 }, make) });
  assert.equal(
    feedPaired(
      test,
      repeated(() => outside(1, "k")),
      LN_C,
      0,
    ),
    null,
  );
  startPairedStep(test);
  assert.equal(
    feedPaired(
      test,
      repeated(() => outside(1, "k")),
      LN_C,
      0,
    ),
    null,
  );
  assert.notEqual(
    feedPaired(
      test,
      repeated(() => ({ ...inside(1), unit: "k" })),
      LN_C,
      0,
    ),
    null,
  );
});

/** D of one triple: each answer is noisy at `noise`, uniquely; new is wrong besides at `wrong`. */
function draw(random: Random, noise: number, wrong: number): -1 | 0 | 1 {
  const first = random() < noise;
  const second = random() < noise;
  const fresh = random() < noise || random() < wrong;
  if (first || second === fresh) return 0;
  return fresh ? 1 : -1;
}

function triplesUntilTrip(seed: number, noise: number, wrong: number, most: number): number {
  const random = seeded(seed);
  const test: PairedTest = createPairedTest(0.01);
  for (let n = 1; n <= most; n += 1) {
    if (n % 100 === 0) floorPaired(test);
    const sign = draw(random, noise, wrong);
    const evidence = sign === 0 ? evidenceOf({ equalTriples: 1 }) : evidenceOf({ triples: [inside(sign)] });
    if (feedPaired(test, evidence, LN_C, n) !== null) return n;
  }
  return Number.POSITIVE_INFINITY;
}

// [noise, wrong, median, at most] at c = 10⁶.
for (const [noise, wrong, expected, most] of [
  [0.4, 0.15, 4600, 10_000],
  [0, 0.05, 740, 2000],
] as const) {
  test(`${wrong * 100}% wrong inside ${noise * 100}% noise trips after about ${expected} triples`, () => {
    const found = Array.from({ length: 60 }, (_, i) => triplesUntilTrip(i * 7919 + 1, noise, wrong, most));
    assert.ok(Math.abs(median(found) - expected) <= 0.15 * expected, `${median(found)}`);
    assert.ok(Math.max(...found) <= most, `${Math.max(...found)}`);
  });
}

test("40% noise alone never trips in 40,000 triples", () => {
  for (let seed = 1; seed <= 10; seed += 1)
    assert.equal(triplesUntilTrip(seed, 0.4, 0, 40_000), Number.POSITIVE_INFINITY);
});

test("the wealth of an exchangeable new is at most 1 on average", () => {
  const random = seeded(3);
  let sum = 0;
  const runs = 20_000;
  for (let i = 0; i < runs; i += 1) {
    const signs = Array.from({ length: 6 }, () => draw(random, 0.4, 0));
    const count = (value: number) => signs.filter((each) => each === value).length;
    sum += Math.exp(lnPairedWealth(0.01, count(1), count(-1), count(0)));
  }
  assert.ok(sum / runs <= 1.02, `${sum / runs}`);
});
