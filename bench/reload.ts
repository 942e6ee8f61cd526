/**
 * A reload with a key file of a million lines while clients are served: how long any thread stood still, what
 * clients felt, how long it took, and what memory it took. Beside it the same time without a reload.
 *
 *   node bench/reload.ts [--quick]
 */

import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rulesFor } from "../test/support/gateway.ts";
import { Backend } from "./support/backend.ts";
import { BenchGateway } from "./support/gateway.ts";
import { rssMiB } from "./support/linux.ts";
import { type LoadResult, load } from "./support/load.ts";
import { isMain, isQuick } from "./support/script.ts";
import { fixed, median, monotonicMs, print, quantile, sleep } from "./support/stats.ts";
import { printVerdicts, stallVerdict } from "./support/verdict.ts";

const KEYS = 1_000_000;
const PER_SECOND = 1_000;
const THREADS = 2;
/** Load before and after the reload, so that both its ends are within. */
const MARGIN_MS = 500;

/** One line of support/loop-delay.ts. */
interface Slice {
  readonly thread: string;
  readonly atMs: number;
  readonly maxMs: number;
}

interface Measured {
  readonly tookMs: number;
  readonly load: LoadResult;
  /** Longest stand-still by thread. */
  readonly stalls: ReadonlyMap<string, number>;
  readonly rssMiB: number;
}

/** A million tenants; `round` makes each file another. */
function keyFile(round: number): string {
  const lines = [`# round ${round}`];
  for (let key = 0; key < KEYS; key++) lines.push(`tenant-${round}-${key}`);
  return `${lines.join("\n")}\n`;
}

async function during(
  gateway: BenchGateway,
  delays: string,
  work: () => Promise<unknown>,
): Promise<Measured> {
  const stop = new AbortController();
  const loaded = load({
    url: gateway.proxyUrl,
    path: "/items",
    connections: 32,
    durationMs: stop.signal,
    perSecond: PER_SECOND,
  });
  await sleep(MARGIN_MS);
  const beganMs = monotonicMs();
  await work();
  const endedMs = monotonicMs();
  await sleep(MARGIN_MS);
  stop.abort();
  return {
    tookMs: endedMs - beganMs,
    load: await loaded,
    stalls: longestStalls(delays, beganMs, endedMs + MARGIN_MS / 2),
    rssMiB: rssMiB(gateway.pid),
  };
}

function longestStalls(file: string, fromMs: number, toMs: number): Map<string, number> {
  const stalls = new Map<string, number>();
  for (const line of readFileSync(file, "utf8").split("\n").slice(0, -1)) {
    const { thread, atMs, maxMs } = JSON.parse(line) as Slice;
    if (atMs >= fromMs && atMs <= toMs) stalls.set(thread, Math.max(stalls.get(thread) ?? 0, maxMs));
  }
  return stalls;
}

function stallOf(runs: readonly Measured[], isMeant: (thread: string) => boolean): number {
  const each = runs.flatMap(({ stalls }) => [...stalls].filter(([name]) => isMeant(name)));
  return Math.max(...each.map(([, ms]) => ms));
}

const isData = (thread: string): boolean => thread.startsWith("data");

function rowOf(name: string, runs: readonly Measured[]): string[] {
  return [
    name,
    String(runs.length),
    fixed(median(runs.map(({ tookMs }) => tookMs)), 0),
    fixed(stallOf(runs, isData), 1),
    fixed(
      stallOf(runs, (thread) => thread === "control"),
      1,
    ),
    fixed(median(runs.map(({ load: { latencies } }) => quantile(latencies, 0.99))), 1),
    fixed(Math.max(...runs.map(({ load: { latencies } }) => latencies.at(-1) ?? 0)), 1),
    String(runs.reduce((sum, { load: { failures } }) => sum + failures, 0)),
    fixed(runs.at(-1)?.rssMiB ?? 0, 0),
  ];
}

export async function benchReload(quick: boolean): Promise<void> {
  const rounds = quick ? 2 : 6;
  using old = await Backend.start();
  using fresh = await Backend.start();
  const folder = mkdtempSync(join(tmpdir(), "cutover-bench-"));
  using _removed = { [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
  const delays = join(folder, "delays");
  writeFileSync(delays, "");
  const keys = join(folder, "moved.txt");
  writeFileSync(keys, "tenant-0\n");
  const preload = new URL("./support/loop-delay.ts", import.meta.url).href;
  await using gateway = await BenchGateway.start({
    rules: rulesFor(old.url, fresh.url, `key: [header:x-user]\nsplit: { newFile: "${keys}" }`),
    threads: THREADS,
    nodeFlags: ["--import", preload],
    env: { BENCH_LOOP_DELAY: delays },
  });
  await during(gateway, delays, () => sleep(MARGIN_MS)); // warm up
  const quiet: Measured[] = [];
  const reloads: Measured[] = [];
  const rssBefore = rssMiB(gateway.pid);
  for (let round = 0; round < rounds; round++) {
    writeFileSync(`${keys}.next`, keyFile(round));
    quiet.push(await during(gateway, delays, () => sleep(1_000)));
    reloads.push(
      await during(gateway, delays, async () => {
        renameSync(`${keys}.next`, keys);
        const report = await gateway.reload();
        if (!report.ok) throw new Error(report.errors.join("\n"));
      }),
    );
  }
  console.log(
    `reload: a key file of ${KEYS.toLocaleString("en")} lines, ${PER_SECOND}/s over ${THREADS} data threads; ` +
      `RSS before any: ${fixed(rssBefore, 0)} MiB`,
  );
  const head = [
    "",
    "runs",
    "took ms",
    "longest stall ms: data threads",
    "control",
    "clients' p99 ms",
    "max ms",
  ];
  print([...head, "failures", "RSS MiB after"], [rowOf("no reload", quiet), rowOf("reload", reloads)]);
  printVerdicts([
    stallVerdict("a reload with a million keys", stallOf(reloads, isData), stallOf(quiet, isData)),
  ]);
}

if (isMain(import.meta.url)) await benchReload(isQuick());
