/**
 * What clients feel of a shadow whose new is dead, stuck, slow or endless: throughput, latency and failures on
 * a route with a 100% shadow, each beside the same without one, in the same gateway, one after the other in
 * turn; and what the gateway's memory grows by. The promise: a shadow can only lose the shadow.
 *
 *   node bench/isolation.ts [--quick]
 */

import type { RouteStatus } from "../src/model/reports.ts";
import { Backend, type BackendMode } from "./support/backend.ts";
import { BenchGateway } from "./support/gateway.ts";
import { rssMiB } from "./support/linux.ts";
import { type LoadResult, load } from "./support/load.ts";
import { isMain, isQuick } from "./support/script.ts";
import { fixed, median, print, quantile } from "./support/stats.ts";

const PER_SECOND = 1_500;
const CONNECTIONS = 32;
/** Nobody listens there. */
const DEAD_URL = "http://127.0.0.1:9";

type Trouble = "well" | "dead" | Exclude<BackendMode, "well" | "failing">;
const TROUBLES: readonly Trouble[] = ["well", "dead", "stuck", "slow", "huge"];

interface Measured {
  readonly flatOut: LoadResult;
  readonly paced: LoadResult;
}

async function measure(url: string, path: string, durationMs: number): Promise<Measured> {
  const options = { url, path, connections: CONNECTIONS, durationMs };
  return {
    flatOut: await load({ ...options, perSecond: null }),
    paced: await load({ ...options, perSecond: PER_SECOND }),
  };
}

function rulesWith(oldUrl: string, newUrl: string): string {
  return `version: 1
backends:
  legacy: { url: "${oldUrl}" }
  modern: { url: "${newUrl}" }
defaults: { old: legacy, new: modern }
routes:
  - { name: alone, match: { path: "/alone/**" } }
  - { name: shadowed, match: { path: "/shadowed/**" }, shadow: 100% }
`;
}

async function underTrouble(trouble: Trouble, rounds: number, durationMs: number): Promise<string[]> {
  using old = await Backend.start();
  using fresh = await Backend.start();
  if (trouble !== "dead") await fresh.mode(trouble);
  const rules = rulesWith(old.url, trouble === "dead" ? DEAD_URL : fresh.url);
  await using gateway = await BenchGateway.start({ rules, threads: 1 });
  const alone: Measured[] = [];
  const shadowed: Measured[] = [];
  await measure(gateway.proxyUrl, "/alone/items", durationMs / 2); // warm up
  const rssBefore = rssMiB(gateway.pid);
  let rssPeak = rssBefore;
  const watch = setInterval(() => {
    rssPeak = Math.max(rssPeak, rssMiB(gateway.pid));
  }, 100);
  for (let round = 0; round < rounds; round++) {
    alone.push(await measure(gateway.proxyUrl, "/alone/items", durationMs));
    shadowed.push(await measure(gateway.proxyUrl, "/shadowed/items", durationMs));
  }
  clearInterval(watch);
  const { routes } = await gateway.status();
  const shadows = (routes.find(({ name }) => name === "shadowed") as RouteStatus).shadows;
  const throughput = ratios(alone, shadowed, ({ flatOut }) => flatOut.perSecond);
  const p99Of = ({ paced }: Measured): number => quantile(paced.latencies, 0.99);
  return [
    trouble,
    fixed(median(throughput), 2),
    `${fixed(median(alone.map(p99Of)), 2)} → ${fixed(median(shadowed.map(p99Of)), 2)}`,
    fixed(Math.max(...shadowed.map(({ paced }) => paced.latencies.at(-1) ?? 0)), 0),
    String(shadowed.reduce((sum, { flatOut, paced }) => sum + flatOut.failures + paced.failures, 0)),
    `+${fixed(rssPeak - rssBefore, 0)}`,
    Object.entries(shadows)
      .filter(([, count]) => count > 0)
      .map(([result, count]) => `${result} ${count.toLocaleString("en")}`)
      .join(", "),
  ];
}

function ratios(
  base: readonly Measured[],
  other: readonly Measured[],
  of: (m: Measured) => number,
): number[] {
  return other.map((each, round) => of(each) / of(base[round] as Measured));
}

export async function benchIsolation(quick: boolean): Promise<void> {
  const rounds = quick ? 2 : 6;
  const durationMs = quick ? 1_000 : 2_000;
  console.log(
    `isolation: 100% shadow beside none, ${rounds} rounds in turn, one data thread, p99 at ${PER_SECOND}/s`,
  );
  const rows: string[][] = [];
  for (const trouble of TROUBLES) rows.push(await underTrouble(trouble, rounds, durationMs));
  print(
    [
      "new is",
      "throughput to none",
      "p99 ms: none → shadowed",
      "longest ms",
      "failures",
      "RSS MiB",
      "shadows",
    ],
    rows,
  );
}

if (isMain(import.meta.url)) await benchIsolation(isQuick());
