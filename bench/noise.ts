/**
 * Does noise of old trip the guard, and how soon is a fault beside or inside it found? The long runs of what
 * test/model/noise-simulation.test.ts promises: `node bench/noise.ts [runs]`. Exits with 1 where pure noise tripped more
 * often than one run in a hundred.
 */

import { median, seeded } from "../test/model/traffic.ts";
import { type Field, type Simulation, shadow, simulate, type World } from "../test/model/triples.ts";

const runs = Number(process.argv[2] ?? 100);
if (!(Number.isInteger(runs) && runs > 0)) {
  console.error(`runs is "${process.argv[2]}": write a whole number above 0, e.g. 100`);
  process.exit(2);
}

const NOISE: readonly Field[] = [["$.ts", 0.4]];
const QUIET: World = { noise: NOISE, wrong: [] };

interface Case {
  readonly name: string;
  readonly world: World;
  readonly most: number;
  readonly changes?: Partial<Simulation>;
  readonly before?: readonly [World, number];
  readonly runs?: number;
}

interface Result {
  readonly shadows: readonly number[];
  readonly runs: number;
}

function run({ world, most, changes = {}, before, runs: own = runs }: Case): Result {
  const shadows: number[] = [];
  for (let seed = 1; seed <= own; seed += 1) {
    const sim: Simulation = simulate(seeded(seed * 104_729), changes);
    if (before !== undefined) shadow(sim, ...before);
    const begun = sim.shadows;
    if (shadow(sim, world, most) !== null) shadows.push(sim.shadows - begun);
  }
  return { shadows: shadows.sort((a, b) => a - b), runs: own };
}

const many = (count: number, rate: number): Field[] =>
  Array.from({ length: count }, (_, i) => [`$.f${i}`, rate]);

/** New serves everything, and old gets the shadow. */
const reverse = { isReverse: true };
const all = { noiseShare: 1 };
const FAULTS: Case[] = [
  {
    name: "15% wrong beside 40% noise, from the start",
    world: { noise: NOISE, wrong: [["$.name", 0.15]] },
    most: 2000,
  },
  { name: "all wrong, from the start", world: { noise: NOISE, wrong: [["$.name", 1]] }, most: 2000 },
  ...[1, 0.15, 0.05, 0.02].map((rate) => ({
    name: `${rate * 100}% wrong in a quiet field, long after learning`,
    world: { noise: NOISE, wrong: [["$.name", rate] as const] },
    most: 100_000,
    before: [QUIET, 5000] as const,
  })),
  {
    name: "15% wrong at ever new places, long after learning",
    world: { noise: NOISE, wrong: many(300, 0.0005) },
    most: 20_000,
    before: [QUIET, 5000],
  },
  {
    name: "15% wrong inside 40% noise (triples)",
    world: { noise: NOISE, wrong: [["$.ts", 0.15]] },
    most: 30_000,
    changes: all,
  },
  {
    name: "5% wrong where there is no noise, by triples alone",
    world: { noise: [], wrong: [["$.ts", 0.05]] },
    most: 30_000,
    changes: all,
  },
  {
    name: "reverse: 15% wrong beside 40% noise, from the start",
    world: { noise: NOISE, wrong: [["$.name", 0.15]] },
    most: 2000,
    changes: reverse,
  },
  ...[1, 0.15, 0.05, 0.02].map((rate) => ({
    name: `reverse: ${rate * 100}% wrong in a quiet field, long after learning`,
    world: { noise: NOISE, wrong: [["$.name", rate] as const] },
    most: 100_000,
    before: [QUIET, 5000] as const,
    changes: reverse,
  })),
];

const RATES = [1, 0.3, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002];
const PURE: Case[] = [
  { name: "40% noise", world: QUIET, most: 200_000, runs: Math.min(runs, 20) },
  { name: "reverse: 40% noise", world: QUIET, most: 200_000, runs: Math.min(runs, 20), changes: reverse },
  ...RATES.map((rate) => ({
    name: `reverse: data of which ${rate * 100}% changes between two questions`,
    world: { ...QUIET, changing: [["$.stock", rate] as const] },
    most: 20_000,
    before: [QUIET, 3000] as const,
    changes: reverse,
  })),
  ...[true, false].flatMap((grants) => [
    ...RATES.map((rate) => ({
      name: `${rate * 100}% noise that begins late`,
      world: { noise: [...NOISE, ["$.late", rate] as const], wrong: [] },
      most: 20_000,
      before: [QUIET, 3000] as const,
      changes: { grants },
    })),
    {
      name: "50 places of 0.1% noise that begin late",
      world: { noise: many(50, 0.001), wrong: [] },
      most: 20_000,
      before: [QUIET, 3000] as const,
      changes: { grants },
    },
  ]),
];

for (const one of FAULTS) {
  const { shadows } = run(one);
  const p95 = shadows[Math.floor(shadows.length * 0.95)] ?? Number.NaN;
  const found = `found in ${shadows.length} of ${runs} runs after`;
  console.log(
    `${one.name}: ${found} ${median(shadows)} shadows (95%: ${p95}, most ${shadows.at(-1) ?? "-"})`,
  );
}
let tripped = 0;
let total = 0;
for (const one of PURE) {
  const result = run(one);
  tripped += result.shadows.length;
  total += result.runs;
  const more = one.changes?.grants === false ? ", without more triples" : "";
  console.log(`${one.name}${more}: ${result.shadows.length} of ${result.runs} runs tripped`);
}
if (tripped > total / 100) process.exit(1);
