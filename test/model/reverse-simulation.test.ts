/** New serves everything, and old gets the shadow: old asked twice teaches noise, and is no evidence by itself. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { median, seeded } from "./traffic.ts";
import { type Field, type Simulation, shadow, simulate, type World } from "./triples.ts";

const QUIET: World = { noise: [["$.ts", 0.4]], wrong: [] };
const STOCK = "$.stock";

interface Case {
  readonly world: World;
  readonly most: number;
  readonly runs?: number;
  readonly changes?: Partial<Simulation>;
  /** What was before, so many shadows long. */
  readonly before?: readonly [World, number];
}

/** Shadows from the fault's beginning to the trip, of each run; infinity: none within the bound. */
function found({ world, most, runs = 40, changes = {}, before }: Case): number[] {
  return Array.from({ length: runs }, (_, i) => {
    const sim = simulate(seeded(i * 7919 + 1), { isReverse: true, ...changes });
    if (before !== undefined) assert.equal(shadow(sim, ...before)?.summary, undefined);
    const begun = sim.shadows;
    return shadow(sim, world, most) === null ? Number.POSITIVE_INFINITY : sim.shadows - begun;
  });
}

const never = (one: Case) => assert.equal(Math.min(...found(one)), Number.POSITIVE_INFINITY);

for (const perSecond of [20, 100, 1000]) {
  test(`15% wrong in a quiet field is found within 500 shadows at ${perSecond}/s, 40% noise beside it`, () => {
    const world: World = { ...QUIET, wrong: [["$.name", 0.15]] };
    const shadows = found({ world, most: 500, runs: 100, changes: { perSecond } });
    assert.ok(Math.max(...shadows) <= 500, `${Math.max(...shadows)}`);
  });
}

test("a fault that begins long after noise was learned is found within some hundred shadows", () => {
  const before = [QUIET, 3000] as const;
  const all = found({ world: { ...QUIET, wrong: [["$.name", 1]] }, most: 400, before });
  assert.ok(Math.max(...all) <= 400, `${Math.max(...all)}`);
  const some = found({ world: { ...QUIET, wrong: [["$.name", 0.15]] }, most: 700, before });
  assert.ok(median(some) <= 450 && Math.max(...some) <= 700, `${Math.max(...some)}`);
});

test("differences at ever new places are found, if late: no triple speaks of them before they are known", () => {
  const wrong = Array.from({ length: 300 }, (_, i): Field => [`$.w${i}`, 0.0005]);
  const shadows = found({ world: { ...QUIET, wrong }, most: 12_000, runs: 5, before: [QUIET, 2000] });
  assert.ok(Math.max(...shadows) <= 12_000, `${Math.max(...shadows)}`);
});

test("40% noise alone never trips in 200,000 shadows", () => {
  const sim = simulate(seeded(3), { isReverse: true });
  assert.equal(shadow(sim, QUIET, 200_000)?.summary, undefined);
  assert.ok(sim.kinds.mismatch < 20, `${sim.kinds.mismatch} before it was known`);
});

for (const rate of [1, 0.3, 0.1, 0.03, 0.01, 0.005]) {
  test(`data of which ${rate * 100}% changes between two questions trips no healthy new`, () => {
    const world: World = { ...QUIET, changing: [[STOCK, rate]] };
    never({ world, most: 4000, runs: 30 });
    never({ world, most: 4000, runs: 30, before: [QUIET, 1500] });
    never({ world, most: 4000, runs: 15, before: [QUIET, 1500], changes: { grants: false } });
  });
}

test("asked for at one moment, old's two answers would hide that data changes, and a healthy new be blamed", () => {
  const world: World = { ...QUIET, changing: [[STOCK, 0.3]] };
  const changes = { asksAtOnce: true };
  assert.ok(Math.max(...found({ world, most: 1000, runs: 10, changes })) <= 1000);
  never({ world, most: 1000, runs: 10 });
});

test("noise that begins after learning does not trip either", () => {
  for (const rate of [1, 0.3, 0.03, 0.005]) {
    const world: World = { ...QUIET, noise: [...QUIET.noise, ["$.late", rate]] };
    never({ world, most: 4000, runs: 20, before: [QUIET, 1500] });
  }
});
