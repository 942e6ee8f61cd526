/**
 * Guards against loss of speed, in CI: processor time a request of the gateway, as a multiple of bare node:http with
 * undici (bare.ts) in the same run. The limits are wide: a neighbour on the machine must not fail a change, and a
 * gateway that has become half as slow again must not pass.
 *
 *   node bench/guard.ts
 */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { Backend } from "./support/backend.ts";
import { BenchGateway } from "./support/gateway.ts";
import { cpuMs } from "./support/linux.ts";
import { load } from "./support/load.ts";
import { isMain } from "./support/script.ts";
import { fixed, median, print } from "./support/stats.ts";

/** At most so many times the processor time of bare, by route. */
const LIMITS = { plain: 1.5, shadow: 2.5 } as const;
const CONNECTIONS = 16;
const ROUND_MS = 500;
const WARM_UP_MS = 1_500;
const ROUNDS = 8;
/** Where a limit is crossed, a longer look decides. */
const ROUNDS_IN_DOUBT = 24;

interface Case {
  readonly name: "bare" | keyof typeof LIMITS;
  readonly url: string;
  readonly path: string;
  readonly pid: number;
}

type Ratios = Readonly<Record<keyof typeof LIMITS, number>>;

function rulesWith(oldUrl: string, newUrl: string): string {
  return `version: 1
backends:
  legacy: { url: "${oldUrl}" }
  modern: { url: "${newUrl}" }
defaults: { old: legacy, new: modern }
routes:
  - { name: plain, match: { path: "/plain/**" } }
  - { name: shadow, match: { path: "/shadow/**" }, shadow: 100% }
`;
}

async function usARequest({ name, url, path, pid }: Case, durationMs: number): Promise<number> {
  const before = cpuMs(pid);
  const { requests, failures } = await load({
    url,
    path,
    connections: CONNECTIONS,
    durationMs,
    perSecond: null,
  });
  if (failures > 0) throw new Error(`${name}: ${failures} of ${requests} requests failed`);
  return ((cpuMs(pid) - before) * 1000) / requests;
}

/** Rounds in turn, ratios round by round; the median of them, or that of the least times where it is less. */
async function measure(cases: readonly Case[], rounds: number): Promise<Ratios> {
  const us = cases.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, each] of cases.entries()) us[i]?.push(await usARequest(each, ROUND_MS));
  }
  const [bare = []] = us;
  const ratioOf = (name: keyof typeof LIMITS): number => {
    const own = us[cases.findIndex((each) => each.name === name)] ?? [];
    const paired = own.map((value, round) => value / (bare[round] ?? Number.NaN));
    return Math.min(median(paired), Math.min(...own) / Math.min(...bare));
  };
  return { plain: ratioOf("plain"), shadow: ratioOf("shadow") };
}

function crossed(ratios: Ratios): readonly string[] {
  return (["plain", "shadow"] as const)
    .filter((name) => !(ratios[name] <= LIMITS[name]))
    .map((name) => `${name} takes ${fixed(ratios[name], 2)} times bare's time, the limit is ${LIMITS[name]}`);
}

/** Answers what is too slow; empty: nothing is. */
export async function guardSpeed(): Promise<readonly string[]> {
  using old = await Backend.start();
  using fresh = await Backend.start();
  await using gateway = await BenchGateway.start({ rules: rulesWith(old.url, fresh.url), threads: 1 });
  const bare: ChildProcess = fork(new URL("./bare.ts", import.meta.url), [old.url]);
  try {
    const [{ port }] = (await once(bare, "message")) as [{ port: number }];
    const { proxyUrl, pid } = gateway;
    const cases: readonly Case[] = [
      { name: "bare", url: `http://127.0.0.1:${port}`, path: "/plain/items", pid: bare.pid as number },
      { name: "plain", url: proxyUrl, path: "/plain/items", pid },
      { name: "shadow", url: proxyUrl, path: "/shadow/items", pid },
    ];
    for (const each of cases) await usARequest(each, WARM_UP_MS);
    let ratios = await measure(cases, ROUNDS);
    if (crossed(ratios).length > 0) ratios = await measure(cases, ROUNDS_IN_DOUBT);
    print(
      ["processor time a request", "to bare", "limit"],
      [
        ["plain", fixed(ratios.plain, 2), String(LIMITS.plain)],
        ["100% shadow, compared", fixed(ratios.shadow, 2), String(LIMITS.shadow)],
      ],
    );
    return crossed(ratios);
  } finally {
    if (bare.connected) bare.disconnect();
  }
}

if (isMain(import.meta.url)) {
  if (existsSync("/proc/self/schedstat")) {
    const slow = await guardSpeed();
    for (const sentence of slow) console.error(sentence);
    process.exitCode = slow.length > 0 ? 1 : 0;
  } else {
    console.log("skipped: processor time is read from /proc, which this machine has not");
  }
}
