/**
 * What clients feel of a shadow whose new is dead, stuck, slow or endless: throughput, latency and failures on
 * a route with a 100% shadow, each beside the same without one, in the same gateway, one after the other in
 * turn; and what the gateway's memory grows by. The promise: a shadow can only lose the shadow. Besides, what
 * clients feel of others who asked for 100 MB and do not read it.
 *
 *   node bench/isolation.ts [--quick]
 */

import { connect } from "node:net";
import type { RouteStatus } from "../src/model/reports.ts";
import { Backend, type BackendMode } from "./support/backend.ts";
import { BenchGateway } from "./support/gateway.ts";
import { rssMiB } from "./support/linux.ts";
import { type LoadResult, load } from "./support/load.ts";
import { isMain, isQuick } from "./support/script.ts";
import { fixed, median, print, quantile, sleep } from "./support/stats.ts";
import { printVerdicts, type Verdict } from "./support/verdict.ts";

const PER_SECOND = 1_500;
const CONNECTIONS = 32;
/** Nobody listens there. */
const DEAD_URL = "http://127.0.0.1:9";

type Trouble = "well" | "dead" | Exclude<BackendMode, "well" | "failing">;
const TROUBLES: readonly Trouble[] = ["well", "dead", "stuck", "slow", "dripping", "huge"];
const SLOW_READERS = 32;
/** For some 10 MB each, through the gateway. */
const FILL_MS = 2_000;
/** Of throughput and p99 without the trouble. */
const MOST_FELT = 0.05;
const MOST_MIB = 64;

interface Measured {
  readonly flatOut: LoadResult;
  readonly paced: LoadResult;
}

/** The same load in turn, without a trouble and with it. */
interface InTurn {
  readonly without: readonly Measured[];
  readonly under: readonly Measured[];
  readonly grownMiB: number;
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
  - { name: large, match: { path: "/large/**" }, old: modern, new: legacy }
`;
}

interface Outcome {
  readonly row: string[];
  readonly verdicts: readonly Verdict[];
}

async function underTrouble(trouble: Trouble, rounds: number, durationMs: number): Promise<Outcome> {
  using old = await Backend.start();
  using fresh = await Backend.start();
  if (trouble !== "dead") await fresh.mode(trouble);
  const rules = rulesWith(old.url, trouble === "dead" ? DEAD_URL : fresh.url);
  await using gateway = await BenchGateway.start({ rules, threads: 1 });
  const inTurn = await measureInTurn(gateway, rounds, durationMs, "/shadowed/items", () => ({
    [Symbol.dispose]: () => {},
  }));
  const { routes } = await gateway.status();
  const { shadows } = routes.find(({ name }) => name === "shadowed") as RouteStatus;
  const counts = Object.entries(shadows).filter(([, count]) => count > 0);
  const counted = {
    promise: `new ${trouble}: what becomes of its shadows is counted`,
    measured: JSON.stringify(shadows),
    holds: counts.some(([result]) => result !== "sent"),
  };
  return {
    row: rowOf(
      trouble,
      inTurn,
      counts.map(([result, count]) => `${result} ${count.toLocaleString("en")}`).join(", "),
    ),
    // A new that is well has shadows to answer, which is work that the peers do too: see bench/peers.
    verdicts: trouble === "well" ? [] : [...verdictsOf(`new ${trouble}`, inTurn), counted],
  };
}

/** Others read nothing of a large answer of old. */
async function underSlowReaders(rounds: number, durationMs: number): Promise<Outcome> {
  using old = await Backend.start();
  using large = await Backend.start();
  await large.mode("huge");
  await using gateway = await BenchGateway.start({ rules: rulesWith(old.url, large.url), threads: 1 });
  const inTurn = await measureInTurn(gateway, rounds, durationMs, "/alone/items", () =>
    askAndNotRead(gateway.proxyUrl),
  );
  const name = `${SLOW_READERS} slow readers`;
  return { row: rowOf(name, inTurn, ""), verdicts: verdictsOf(name, inTurn) };
}

/** Resolves when the kernel's buffers are full: until then they are readers like others. */
async function askAndNotRead(url: string): Promise<Disposable> {
  const { hostname, port, host } = new URL(url);
  const sockets = Array.from({ length: SLOW_READERS }, () => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on("error", () => {}); // being cut off is the gateway's right
    socket.write(`GET /large/file HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    return socket.pause();
  });
  await sleep(FILL_MS);
  return { [Symbol.dispose]: () => void sockets.forEach((socket) => void socket.destroy()) };
}

async function measureInTurn(
  gateway: BenchGateway,
  rounds: number,
  durationMs: number,
  path: string,
  trouble: () => Disposable | Promise<Disposable>,
): Promise<InTurn> {
  const without: Measured[] = [];
  const under: Measured[] = [];
  await measure(gateway.proxyUrl, "/alone/items", durationMs / 2); // warm up
  const before = rssMiB(gateway.pid);
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, rssMiB(gateway.pid));
  }, 100);
  for (let round = 0; round < rounds; round++) {
    without.push(await measure(gateway.proxyUrl, "/alone/items", durationMs));
    using _trouble = await trouble();
    under.push(await measure(gateway.proxyUrl, path, durationMs));
  }
  clearInterval(watch);
  return { without, under, grownMiB: peak - before };
}

const p99Of = ({ paced }: Measured): number => quantile(paced.latencies, 0.99);
const failuresOf = (runs: readonly Measured[]): number =>
  runs.reduce((sum, { flatOut, paced }) => sum + flatOut.failures + paced.failures, 0);

function rowOf(name: string, { without, under, grownMiB }: InTurn, shadows: string): string[] {
  return [
    name,
    fixed(median(ratios(without, under, ({ flatOut }) => flatOut.perSecond)), 2),
    `${fixed(median(without.map(p99Of)), 2)} → ${fixed(median(under.map(p99Of)), 2)}`,
    fixed(Math.max(...under.map(({ paced }) => paced.latencies.at(-1) ?? 0)), 0),
    String(failuresOf(under)),
    `+${fixed(grownMiB, 0)}`,
    shadows,
  ];
}

function verdictsOf(name: string, { without, under, grownMiB }: InTurn): Verdict[] {
  const throughput = ratios(without, under, ({ flatOut }) => flatOut.perSecond);
  const p99 = ratios(without, under, p99Of);
  const spread = (of: readonly number[]): string =>
    `${fixed(median(of), 2)}, rounds ${fixed(Math.min(...of), 2)} to ${fixed(Math.max(...of), 2)}`;
  return [
    {
      promise: `${name}: throughput within ${MOST_FELT * 100}%`,
      measured: spread(throughput),
      holds: median(throughput) >= 1 - MOST_FELT,
    },
    {
      promise: `${name}: p99 within ${MOST_FELT * 100}%`,
      measured: spread(p99),
      holds: median(p99) <= 1 + MOST_FELT,
    },
    {
      promise: `${name}: no request fails`,
      measured: String(failuresOf(under)),
      holds: failuresOf(under) === 0,
    },
    {
      promise: `${name}: memory within ${MOST_MIB} MiB`,
      measured: `+${fixed(grownMiB, 0)}`,
      holds: grownMiB <= MOST_MIB,
    },
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
  const outcomes: Outcome[] = [];
  for (const trouble of TROUBLES) outcomes.push(await underTrouble(trouble, rounds, durationMs));
  outcomes.push(await underSlowReaders(rounds, durationMs));
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
    outcomes.map(({ row }) => row),
  );
  printVerdicts(outcomes.flatMap(({ verdicts }) => verdicts));
}

if (isMain(import.meta.url)) await benchIsolation(isQuick());
