/** Noise, faults and both at once, shadow by shadow: how soon a fault is found, and that noise never trips. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { median, seeded } from "./traffic.ts";
import { type Field, type Simulation, shadow, simulate, type World } from "./triples.ts";

const NOISE: readonly Field[] = [["$.ts", 0.4]];
const QUIET: World = { noise: NOISE, wrong: [] };

interface Case {
  readonly world: World;
  readonly most: number;
  readonly runs?: number;
  readonly changes?: Partial<Simulation>;
  /** What was before, so many shadows long. */
  readonly before?: readonly [World, number];
}

/** Shadows from the fault's beginning to the trip, of each run; infinity: none within the bound. */
function found({ world, most, runs = 50, changes = {}, before }: Case): number[] {
  return Array.from({ length: runs }, (_, i) => {
    const sim = simulate(seeded(i * 7919 + 1), changes);
    if (before !== undefined) assert.equal(shadow(sim, ...before)?.summary, undefined);
    const begun = sim.shadows;
    return shadow(sim, world, most) === null ? Number.POSITIVE_INFINITY : sim.shadows - begun;
  });
}

const never = (one: Case) => assert.equal(Math.min(...found(one)), Number.POSITIVE_INFINITY);

for (const perSecond of [20, 100, 1000]) {
  test(`40% noise does not hide 15% wrong in another field: found within 500 shadows at ${perSecond}/s`, () => {
    const world = { noise: NOISE, wrong: [["$.name", 0.15]] } as const;
    const shadows = found({ world, most: 500, runs: 200, changes: { perSecond } });
    assert.ok(Math.max(...shadows) <= 500, `${Math.max(...shadows)}`);
    // And without more triples than the first 200 and the sample.
    const without = found({ world, most: 500, runs: 200, changes: { perSecond, grants: false } });
    assert.ok(without.filter((count) => count <= 500).length >= 199);
  });
}

test("noise in several fields that come together hides nothing", () => {
  const noise = ["$.a", "$.b", "$.c", "$.d", "$.e"].map((field): Field => [field, 0.4]);
  const world: World = { noise, correlated: true, wrong: [["$.name", 0.15]] };
  assert.ok(Math.max(...found({ world, most: 500 })) <= 500);
  never({ world: { ...world, wrong: [] }, most: 20_000, runs: 5 });
});

test("a new that is all wrong from the start is found in tens of shadows", () => {
  const shadows = found({ world: { noise: NOISE, wrong: [["$.name", 1]] }, most: 200 });
  assert.ok(Math.max(...shadows) <= 60, `${Math.max(...shadows)}`);
});

test("a fault that begins in a quiet place long after learning is found in tens of shadows", () => {
  const world: World = { noise: NOISE, wrong: [["$.name", 1]] };
  const shadows = found({ world, most: 1000, before: [QUIET, 5000] });
  assert.ok(median(shadows) <= 60, `${median(shadows)}`);
});

test("differences at ever new places are found too", () => {
  const wrong = Array.from({ length: 300 }, (_, i): Field => [`$.w${i}`, 0.0005]);
  const shadows = found({ world: { noise: NOISE, wrong }, most: 3000, runs: 10, before: [QUIET, 2000] });
  assert.ok(Math.max(...shadows) <= 3000, `${Math.max(...shadows)}`);
});

test("wrong answers inside a noisy field are found after about 6,000 triples, 98 of 100 within 10,000", () => {
  const world: World = { noise: NOISE, wrong: [["$.ts", 0.15]] };
  const shadows = found({ world, most: 15_000, changes: { noiseShare: 1 } });
  assert.ok(median(shadows) <= 7000, `${median(shadows)}`);
  assert.ok(shadows.filter((count) => count <= 10_000).length >= 45);
});

test("40% noise alone trips nothing in 20,000 shadows, and is noise in the books", () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const sim = simulate(seeded(seed));
    assert.equal(shadow(sim, QUIET, 20_000)?.summary, undefined);
    assert.ok(sim.kinds.mismatch < 20, `${sim.kinds.mismatch} before it was known`);
  }
});

for (const rate of [1, 0.3, 0.1, 0.03, 0.005]) {
  for (const coin of [false, true]) {
    const how = coin ? "tossing between two values" : "unique values";
    test(`noise of ${rate * 100}% that begins after learning does not trip: ${how}`, () => {
      const world: World = { noise: [...NOISE, ["$.late", rate]], coin, wrong: [] };
      never({ world, most: 4000, runs: 40, before: [{ ...QUIET, coin }, 1500] });
      never({ world, most: 4000, runs: 20, before: [{ ...QUIET, coin }, 1500], changes: { grants: false } });
    });
  }
}

test("many places of rare noise do not trip: 50 of 0.1% each, half of which learning never saw", () => {
  const noise = Array.from({ length: 50 }, (_, i): Field => [`$.n${i}`, 0.001]);
  never({ world: { noise, wrong: [] }, most: 10_000, runs: 15 });
});

test("where old's second answers never come, a new that is mostly wrong trips, and a fifth of noise does not", () => {
  const changes = { losesAgain: true };
  const wrong = found({ world: { noise: [], wrong: [["$.name", 0.9]] }, most: 1000, runs: 10, changes });
  assert.ok(Math.max(...wrong) <= 1000);
  never({ world: { noise: [["$.ts", 0.2]], wrong: [] }, most: 10_000, runs: 10, changes });
});

test("one key that always differs is one piece of evidence, however often it asks", () => {
  const sim = simulate(seeded(7), { unit: "k" });
  const world: World = { noise: [], wrong: [["$.name", 1]] };
  assert.equal(shadow(sim, world, 5000)?.summary, undefined);
});
