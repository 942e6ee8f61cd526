/**
 * What clients feel of a shadow whose new is dead, stuck, slow or endless: throughput, latency and failures on a route
 * with a 100% shadow, beside the same without one; and what the gateway's memory grows by. The promise: a shadow can
 * only lose the shadow. Besides, what clients feel of others who asked for 100 MB and do not read it.
 *
 * Two gateways are asked in turn, one with the trouble and one without, and change their parts at half-time: what a
 * trouble leaves behind meets nobody else's figures, and no process is always the one that suffers. The first row has
 * no trouble at all: what it shows is what this machine can tell apart.
 *
 *   node bench/isolation.ts [--quick]
 */

import { connect } from "node:net";
import type { RouteStatus } from "../src/model/reports.ts";
import { Backend, type BackendMode } from "./support/backend.ts";
import { chooseCores } from "./support/cores.ts";
import { BenchGateway } from "./support/gateway.ts";
import { pin, rssMiB } from "./support/linux.ts";
import { type LoadResult, load } from "./support/load.ts";
import { isMain, isQuick } from "./support/script.ts";
import { fixed, median, print, quantile, resampled, sleep } from "./support/stats.ts";
import { printVerdicts, type Verdict } from "./support/verdict.ts";

const PER_SECOND = 1_500;
const CONNECTIONS = 32;
const FLAT_OUT_MS = 500;
const PACED_MS = 1_500;
/** Until the shadows that are under way have timed out. */
const SETTLE_MS = 6_000;
/** Nobody listens there. */
const DEAD_URL = "http://127.0.0.1:9";
const SLOW_READERS = 32;
/** For some 10 MB each, through the gateway. */
const FILL_MS = 2_000;
/** Of throughput and p99 without the trouble. */
const MOST_FELT = 0.05;
const MOST_MIB = 64;

interface Trouble {
  readonly name: string;
  /** What new does; null: nobody listens there. */
  readonly fresh: BackendMode | null;
  /** What clients ask for where the trouble is; without it they ask for /alone. */
  readonly path: "/alone/items" | "/shadowed/items";
  /** Others, who are there meanwhile. */
  readonly others?: (gateway: BenchGateway) => Promise<Disposable>;
  /** Absent: it may be felt. */
  readonly isPromised?: true;
}

const TROUBLES: readonly Trouble[] = [
  { name: "no shadow", fresh: "well", path: "/alone/items" },
  // A new that is well has shadows to answer, which is work that the peers do too: see bench/peers.
  { name: "new well", fresh: "well", path: "/shadowed/items" },
  { name: "new dead", fresh: null, path: "/shadowed/items", isPromised: true },
  { name: "new stuck", fresh: "stuck", path: "/shadowed/items", isPromised: true },
  { name: "new slow", fresh: "slow", path: "/shadowed/items", isPromised: true },
  { name: "new dripping", fresh: "dripping", path: "/shadowed/items", isPromised: true },
  { name: "new answers 100 MB", fresh: "huge", path: "/shadowed/items", isPromised: true },
  {
    name: `${SLOW_READERS} slow readers`,
    fresh: "huge",
    path: "/alone/items",
    others: askAndNotRead,
    isPromised: true,
  },
];

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

interface Measured {
  readonly flatOut: LoadResult;
  readonly paced: LoadResult;
}

/** One gateway right after the other. */
interface Turn {
  readonly calm: Measured;
  readonly troubled: Measured;
}

async function measure({ proxyUrl: url }: BenchGateway, path: string): Promise<Measured> {
  const options = { url, path, connections: CONNECTIONS };
  return {
    flatOut: await load({ ...options, perSecond: null, durationMs: FLAT_OUT_MS }),
    paced: await load({ ...options, perSecond: PER_SECOND, durationMs: PACED_MS }),
  };
}

interface Outcome {
  readonly trouble: Trouble;
  readonly turns: readonly Turn[];
  /** Of the gateway that had the trouble. */
  readonly grownMiB: number;
  /** What became of its shadows. */
  readonly shadows: RouteStatus["shadows"];
}

async function under(trouble: Trouble, turns: number): Promise<Outcome> {
  const { proxy, rest } = chooseCores();
  const [gatewaysCore = null, othersCore = null] = [proxy?.[0], rest?.[0]];
  if (othersCore !== null) pin(process.pid, othersCore);
  using old = await Backend.start(othersCore);
  using fresh = await Backend.start(othersCore);
  if (trouble.fresh !== null) await fresh.mode(trouble.fresh);
  const rules = rulesWith(old.url, trouble.fresh === null ? DEAD_URL : fresh.url);
  await using one = await BenchGateway.start({ rules, threads: 1, core: gatewaysCore });
  await using other = await BenchGateway.start({ rules, threads: 1, core: gatewaysCore });
  for (const gateway of [one, other]) await measure(gateway, "/alone/items"); // warm up
  const first = await halfOf(trouble, one, other, turns / 2);
  await sleep(SETTLE_MS);
  const second = await halfOf(trouble, other, one, turns / 2);
  const { routes } = await one.status();
  const { shadows } = routes.find(({ name }) => name === "shadowed") as RouteStatus;
  return {
    trouble,
    turns: [...first.turns, ...second.turns],
    grownMiB: Math.max(first.grownMiB, second.grownMiB),
    shadows,
  };
}

async function halfOf(
  { path, others }: Trouble,
  calm: BenchGateway,
  troubled: BenchGateway,
  count: number,
): Promise<Pick<Outcome, "turns" | "grownMiB">> {
  const before = rssMiB(troubled.pid);
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, rssMiB(troubled.pid));
  }, 100);
  using _others = others === undefined ? null : await others(troubled);
  const turns: Turn[] = [];
  for (let turn = 0; turn < count; turn++) {
    if (turn % 2 === 0) {
      const first = await measure(calm, "/alone/items");
      turns.push({ calm: first, troubled: await measure(troubled, path) });
    } else {
      const first = await measure(troubled, path);
      turns.push({ calm: await measure(calm, "/alone/items"), troubled: first });
    }
  }
  clearInterval(watch);
  return { turns, grownMiB: peak - before };
}

/** Others read nothing of a large answer of old. Resolves when the kernel's buffers are full: until then they are readers like others. */
async function askAndNotRead(gateway: BenchGateway): Promise<Disposable> {
  const { hostname, port, host } = new URL(gateway.proxyUrl);
  const sockets = Array.from({ length: SLOW_READERS }, () => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on("error", () => {}); // being cut off is the gateway's right
    socket.write(`GET /large/file HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    return socket.pause();
  });
  await sleep(FILL_MS);
  return { [Symbol.dispose]: () => void sockets.forEach((socket) => void socket.destroy()) };
}

type Part = keyof Turn;

/** In milliseconds; the median of the turns: a moment in which the whole machine stands still is one turn's, not all of theirs. */
function p99(turns: readonly Turn[], part: Part): number {
  return median(turns.map((turn) => quantile(turn[part].paced.latencies, 0.99)));
}

function sent(turns: readonly Turn[], part: Part): number {
  return turns.reduce((sum, turn) => sum + turn[part].flatOut.requests, 0);
}

/** Of the one with the trouble to the other: over all turns, and between which figures 90% of resampled runs lie. */
interface Ratio {
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

function ratioOf(turns: readonly Turn[], of: (turns: readonly Turn[], part: Part) => number): Ratio {
  const ratio = (some: readonly Turn[]): number => of(some, "troubled") / of(some, "calm");
  const [from, to] = resampled(turns, ratio);
  return { value: ratio(turns), from, to };
}

const told = ({ value, from, to }: Ratio): string =>
  `${fixed(value, 2)} (${fixed(from, 2)} to ${fixed(to, 2)})`;

function rowAndVerdicts({ trouble, turns, grownMiB, shadows }: Outcome): {
  readonly row: readonly string[];
  readonly verdicts: readonly Verdict[];
} {
  const throughput = ratioOf(turns, sent);
  const latency = ratioOf(turns, p99);
  const failures = turns.reduce(
    (sum, { troubled: { flatOut, paced } }) => sum + flatOut.failures + paced.failures,
    0,
  );
  const counts = Object.entries(shadows).filter(([, count]) => count > 0);
  const { name } = trouble;
  const row = [
    name,
    told(throughput),
    `${fixed(p99(turns, "calm"), 2)} → ${fixed(p99(turns, "troubled"), 2)}`,
    told(latency),
    String(failures),
    `+${fixed(grownMiB, 0)}`,
    counts.map(([result, count]) => `${result} ${count.toLocaleString("en")}`).join(", "),
  ];
  if (trouble.isPromised === undefined) return { row, verdicts: [] };
  const verdicts: Verdict[] = [
    {
      promise: `${name}: throughput within ${MOST_FELT * 100}%`,
      measured: told(throughput),
      holds: throughput.value >= 1 - MOST_FELT || (throughput.to >= 1 - MOST_FELT ? null : false),
    },
    {
      promise: `${name}: p99 within ${MOST_FELT * 100}%`,
      measured: told(latency),
      holds: latency.value <= 1 + MOST_FELT || (latency.from <= 1 + MOST_FELT ? null : false),
    },
    { promise: `${name}: no request fails`, measured: String(failures), holds: failures === 0 },
    {
      promise: `${name}: memory within ${MOST_MIB} MiB`,
      measured: `+${fixed(grownMiB, 0)}`,
      holds: grownMiB <= MOST_MIB,
    },
  ];
  if (trouble.path === "/shadowed/items") {
    verdicts.push({
      promise: `${name}: what becomes of its shadows is counted`,
      measured: JSON.stringify(shadows),
      holds: counts.some(([result]) => result !== "sent"),
    });
  }
  return { row, verdicts };
}

export async function benchIsolation(quick: boolean): Promise<void> {
  const turns = quick ? 6 : 24;
  console.log(
    `isolation: a gateway in trouble beside one without, ${turns} turns, one data thread each, p99 at ${PER_SECOND}/s; in brackets 90% of resampled runs`,
  );
  const found = [];
  for (const trouble of TROUBLES) found.push(rowAndVerdicts(await under(trouble, turns)));
  print(
    ["", "throughput to calm", "p99 ms: calm → troubled", "its ratio", "failures", "RSS MiB", "shadows"],
    found.map(({ row }) => row),
  );
  printVerdicts(found.flatMap(({ verdicts }) => verdicts));
}

if (isMain(import.meta.url)) await benchIsolation(isQuick());
