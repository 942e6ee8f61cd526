/**
 * Kills gateways for longer than the tests do: `node scripts/kill9.ts [--rounds 500] [--seed N]`. Each run has
 * another seed unless told one; a failure names seed and round. A state folder lives through 50 kills; the first
 * kills are at every commit. With `--syscalls 1` (needs strace) it kills a writer at every system call that changes
 * the store's files, in a new folder and in one of an older schema that it takes over; with 10 at every tenth.
 */

import { parseArgs } from "node:util";
import { COMMITS, killRounds, type RoundsReport } from "../test/durability/rounds.ts";
import { killAtEverySyscall } from "../test/durability/syscalls.ts";

const FOLDER_ROUNDS = 50;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "500" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    syscalls: { type: "string" },
  },
});
if (values.syscalls === undefined) await gateways(Number(values.rounds), Number(values.seed));
else {
  for (const { start, kills, writes } of await killAtEverySyscall(Number(values.syscalls), console.log)) {
    console.log(`${start}: ${kills} kills within ${writes} writes: what was acknowledged is there, whole`);
  }
}

async function gateways(rounds: number, seed: number): Promise<void> {
  console.log(`seed ${seed}, ${rounds} rounds`);
  const at = new Map<string, number>();
  const reports: RoundsReport[] = [];
  const sum = (of: (report: RoundsReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  for (let done = 0; done < rounds; done += FOLDER_ROUNDS) {
    const kills = done === 0 ? COMMITS : [];
    const report = await killRounds({
      rounds: Math.min(FOLDER_ROUNDS, rounds - done),
      seed: seed + done,
      kills,
    });
    reports.push(report);
    for (const [point, times] of report.at) at.set(point, (at.get(point) ?? 0) + times);
    console.log(
      `${sum(({ kills }) => kills)} kills: ${sum(({ lines }) => lines)} audit lines ` +
        `(${sum(({ byItself }) => byItself)} by rollouts themselves), ` +
        `${sum(({ acknowledged }) => acknowledged)} acknowledged, ${sum(({ lost }) => lost)} without an answer, ` +
        `${sum(({ served }) => served)} requests served by new`,
    );
  }
  for (const [point, times] of [...at].sort(([, a], [, b]) => b - a)) {
    console.log(`${String(times).padStart(5)} ${point}`);
  }
  console.log("nothing lost, nothing gone back or forth, never new behind a latch");
}
