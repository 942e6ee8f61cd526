/**
 * How soon does a step pass that is healthy, and does one pass that is not? The long runs of what
 * test/model/step-simulation.test.ts promises: `node bench/steps.ts [runs]`. Exits with 1 where a new at the margin
 * (twice old's errors) or beyond got through more often than in 2% of runs.
 */

import { type StepRun, simulateStep } from "../test/model/steps.ts";
import { median } from "../test/model/traffic.ts";

const runs = Number(process.argv[2] ?? 200);
if (!(Number.isInteger(runs) && runs > 0)) {
  console.error(`runs is "${process.argv[2]}": write a whole number above 0, e.g. 200`);
  process.exit(2);
}

interface Row {
  readonly run: Omit<StepRun, "seed">;
  /** Beyond the margin, and so may hardly ever pass. */
  readonly isBad: boolean;
}

const BAKE_SECONDS = 600;
const healthy = [0.01, 0.05, 0.25, 0.5].flatMap((share) =>
  [5, 100].flatMap((perSecond) =>
    [0, 0.001, 0.01, 0.08].map(
      (fails): Row => ({
        run: { share, perSecond, oldFails: fails, newFails: fails, seconds: BAKE_SECONDS },
        isBad: false,
      }),
    ),
  ),
);
const worse = [0.05, 0.25].flatMap((share) =>
  (
    [
      // Below the limit of 5% by themselves: the limit lets them pass while the comparison does not see them.
      [0.005, 2, false],
      [0.005, 3, false],
      [0.005, 5, false],
      [0.005, 10, true],
      [0.005, 20, true],
      [0.025, 2, true],
      [0.03, 2, true],
      [0.05, 2, true],
      [0.01, 10, true],
      [0.01, 100, true],
    ] as const
  ).map(
    ([oldFails, times, isBad]): Row => ({
      run: { share, perSecond: 100, oldFails, newFails: oldFails * times, seconds: BAKE_SECONDS },
      isBad,
    }),
  ),
);

let isWrong = false;
for (const { run, isBad } of [...healthy, ...worse]) {
  const ends = Array.from({ length: runs }, (_, i) => simulateStep({ ...run, seed: i + 1 }));
  const first = ends.flatMap(({ firstPassAt }) => (firstPassAt === null ? [] : [firstPassAt]));
  const trips = ends.filter(({ trippedAt }) => trippedAt !== null).length;
  const passed = ends.filter(({ passesAtEnd }) => passesAtEnd).length;
  const { share, perSecond, oldFails, newFails } = run;
  console.log(
    `${share * 100}% of ${perSecond}/s, old fails ${percent(oldFails)}, new ${percent(newFails)}: ` +
      `${passed} pass a bake of ${BAKE_SECONDS} s, ${trips} trip; a first pass in ${first.length}, median ${median(first)} s`,
  );
  if (isBad && passed > runs / 50) isWrong = true;
}
if (isWrong) process.exit(1);

function percent(rate: number): string {
  return `${Number((rate * 100).toPrecision(3))}%`;
}
