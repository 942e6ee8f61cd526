/**
 * What the gateway costs beside the least that Node can do (bare.ts): processor time a request, throughput and
 * latency, for a plain route, a 5% canary by key, and a 100% shadow with every pair compared. The proxy has one
 * core, load and backends the other. Rounds of all cases follow each other closely: compare within one run.
 *
 *   node bench/proxy.ts [--quick] [--against CHECKOUT]
 */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Backend } from "./support/backend.ts";
import { BenchGateway } from "./support/gateway.ts";
import { cpuMs, pin } from "./support/linux.ts";
import { type LoadResult, load } from "./support/load.ts";
import { isMain, isQuick } from "./support/script.ts";
import { fixed, median, print, quantile } from "./support/stats.ts";

/** `--against`: another checkout, whose plain route and shadow stand beside this one's. */
const AGAINST = "--against";
const PROXY_CORE = 0;
const LOAD_CORE = 1;
const CONNECTIONS = 32;
/** Latency is measured well below what a core can do: at its limit it would say how long the queue is. */
const LATENCY_PER_SECOND = 2_000;

interface Case {
  readonly name: string;
  readonly url: string;
  readonly path: string;
  readonly pid: number;
}

interface Round {
  readonly cpuUs: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
}

async function measure({ url, path, pid }: Case, durationMs: number): Promise<Round> {
  const cpuBefore = cpuMs(pid);
  const flatOut = await load({ url, path, connections: CONNECTIONS, durationMs, perSecond: null });
  const cpuUs = ((cpuMs(pid) - cpuBefore) * 1000) / flatOut.requests;
  const paced: LoadResult = await load({
    url,
    path,
    connections: CONNECTIONS,
    durationMs,
    perSecond: LATENCY_PER_SECOND,
  });
  return {
    cpuUs,
    perSecond: flatOut.perSecond,
    p50Ms: quantile(paced.latencies, 0.5),
    p99Ms: quantile(paced.latencies, 0.99),
    failures: flatOut.failures + paced.failures,
  };
}

function against(): string | null {
  const at = process.argv.indexOf(AGAINST);
  return at === -1 ? null : (process.argv[at + 1] ?? null);
}

async function startBare(
  backendUrl: string,
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = fork(new URL("./bare.ts", import.meta.url), [backendUrl]);
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return { child, url: `http://127.0.0.1:${port}` };
}

export function proxyRules(oldUrl: string, newUrl: string): string {
  return `version: 1
backends:
  legacy: { url: "${oldUrl}" }
  modern: { url: "${newUrl}" }
defaults: { old: legacy, new: modern }
routes:
  - { name: plain, match: { path: "/plain/**" } }
  - { name: canary, match: { path: "/canary/**" }, key: [header:x-user], canary: 5% }
  - { name: shadow, match: { path: "/shadow/**" }, shadow: 100% }
`;
}

export async function benchProxy(quick: boolean): Promise<void> {
  const rounds = quick ? 5 : 15;
  const durationMs = quick ? 1_000 : 1_500;
  const isPinned = pin(process.pid, LOAD_CORE);
  using old = await Backend.start(LOAD_CORE);
  using fresh = await Backend.start(LOAD_CORE);
  const rules = proxyRules(old.url, fresh.url);
  await using gateway = await BenchGateway.start({ rules, threads: 1, core: PROXY_CORE });
  await using logging = await BenchGateway.start({ rules, threads: 1, core: PROXY_CORE, accessLog: "all" });
  const bare = await startBare(old.url);
  pin(bare.child.pid as number, PROXY_CORE);
  const ofGateway = (name: string, path: string): Case => ({
    name,
    url: gateway.proxyUrl,
    path,
    pid: gateway.pid,
  });
  const cases: Case[] = [
    { name: "bare node:http + undici", url: bare.url, path: "/plain/items", pid: bare.child.pid as number },
    ofGateway("plain", "/plain/items"),
    ofGateway("5% canary by key", "/canary/items"),
    ofGateway("100% shadow, compared", "/shadow/items"),
    { name: "plain, access log of all", url: logging.proxyUrl, path: "/plain/items", pid: logging.pid },
  ];
  const other = against();
  await using base =
    other === null
      ? null
      : await BenchGateway.start({ rules, threads: 1, core: PROXY_CORE, checkout: other });
  if (base !== null) {
    for (const path of ["plain", "shadow"]) {
      cases.push({ name: `${path}, ${other}`, url: base.proxyUrl, path: `/${path}/items`, pid: base.pid });
    }
  }
  const measured = cases.map((): Round[] => []);
  for (const each of cases) await measure(each, durationMs / 2); // warm up
  for (let round = 0; round < rounds; round++) {
    for (const [index, each] of cases.entries()) measured[index]?.push(await measure(each, durationMs));
  }
  bare.child.disconnect();
  console.log(
    `proxy: ${rounds} rounds, ${CONNECTIONS} connections, 890-byte answers, one core for the proxy` +
      `${isPinned ? "" : " (NOT pinned: no taskset here)"}; latency at ${LATENCY_PER_SECOND}/s`,
  );
  const [least] = measured as [Round[]];
  print(
    [
      "",
      "CPU µs a request: min",
      "median",
      "to bare: min",
      "median",
      "requests/s",
      "p50 ms",
      "p99 ms",
      "failures",
    ],
    measured.map((rows, index) => rowOf(cases[index]?.name ?? "", rows, least)),
  );
}

/** Ratios are taken round by round: a neighbour on the machine slows down both. */
function rowOf(name: string, rows: readonly Round[], base: readonly Round[]): string[] {
  const cpu = rows.map(({ cpuUs }) => cpuUs);
  const baseCpu = base.map(({ cpuUs }) => cpuUs);
  const ratios = cpu.map((us, round) => us / (baseCpu[round] ?? Number.NaN));
  return [
    name,
    fixed(Math.min(...cpu)),
    fixed(median(cpu)),
    fixed(Math.min(...cpu) / Math.min(...baseCpu), 2),
    fixed(median(ratios), 2),
    Math.round(median(rows.map(({ perSecond }) => perSecond))).toLocaleString("en"),
    fixed(median(rows.map(({ p50Ms }) => p50Ms)), 2),
    fixed(median(rows.map(({ p99Ms }) => p99Ms)), 2),
    String(rows.reduce((sum, { failures }) => sum + failures, 0)),
  ];
}

if (isMain(import.meta.url)) await benchProxy(isQuick());
