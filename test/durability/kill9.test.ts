import assert from "node:assert/strict";
import { test } from "node:test";
import { drawsOf } from "./draws.ts";
import { COMMITS, killRounds } from "./rounds.ts";

/** Of each of two gateways: at so many commits, and at so many moments that chance picks. scripts/kill9.ts does more. */
const AT_COMMITS = 3;
const AT_MOMENTS = 2;

const promise =
  "kill -9 loses nothing that was acknowledged, moves no step, and never serves new behind a latch";
test(promise, { concurrency: true }, async (t) => {
  const seed = Date.now() % 1_000_000;
  const { number } = drawsOf(seed);
  const commits = COMMITS.map((kill) => ({ kill, place: number() }))
    .sort((a, b) => a.place - b.place)
    .map(({ kill }) => kill);
  const runs = [0, 1].map((nth) =>
    t.test(`seed ${seed + nth}`, async () => {
      const kills = commits.slice(nth * AT_COMMITS, (nth + 1) * AT_COMMITS);
      const report = await killRounds({ rounds: AT_COMMITS + AT_MOMENTS, seed: seed + nth, kills });
      assert.ok(report.acknowledged > 0 && report.served > 0, "something was at stake");
    }),
  );
  await Promise.all(runs);
});
