/**
 * What 50 open dashboards cost the data plane: latency at a fixed rate, and processor time a request of the data
 * thread, each beside the same without a dashboard, in turn; and what they cost the thread that answers them.
 * A dashboard holds one stream of events, asks for the status every two seconds and now and then for a history.
 *
 *   node bench/dashboards.ts [--quick]
 */

import { availableParallelism } from "node:os";
import { Backend } from "./support/backend.ts";
import { BenchGateway } from "./support/gateway.ts";
import { cpuMsOfThread } from "./support/linux.ts";
import { load } from "./support/load.ts";
import { isMain, isQuick } from "./support/script.ts";
import { fixed, median, print, quantile, sleep } from "./support/stats.ts";

const DASHBOARDS = 50;
const ROUTES = 20;
const PER_SECOND = 1_000;
const CONNECTIONS = 16;
/** As the page does; see src/admin/dashboard/browser/live.ts. */
const POLL_MS = 2_000;
const HISTORY_EVERY_POLLS = 5;

interface Calm {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the data thread, a request. */
  readonly dataUs: number;
  /** Of the control thread, of one core. */
  readonly controlShare: number;
}

function rulesWith(url: string): string {
  const routes = Array.from(
    { length: ROUTES },
    (_, i) => `  - { name: route-${i}, match: { path: "/r${i}/**" } }`,
  );
  return `version: 1
backends:
  legacy: { url: "${url}" }
  modern: { url: "${url}" }
defaults: { old: legacy, new: modern, canary: 5% }
routes:
${routes.join("\n")}
`;
}

async function measure(gateway: BenchGateway, durationMs: number): Promise<Calm> {
  const before = cpuOf(gateway);
  const { requests, latencies } = await load({
    url: gateway.proxyUrl,
    path: "/r1/items",
    connections: CONNECTIONS,
    durationMs,
    perSecond: PER_SECOND,
  });
  const after = cpuOf(gateway);
  return {
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    dataUs: ((after.data - before.data) * 1000) / requests,
    controlShare: (after.control - before.control) / durationMs,
  };
}

function cpuOf({ pid }: BenchGateway): { readonly data: number; readonly control: number } {
  return { data: cpuMsOfThread(pid, "data"), control: cpuMsOfThread(pid, null) };
}

/** Opens them, spread over one interval of polling; resolves when all have their first report. */
async function open(gateway: BenchGateway, signal: AbortSignal): Promise<void> {
  const opened = Array.from({ length: DASHBOARDS }, async (_, i) => {
    await sleep((i * POLL_MS) / DASHBOARDS);
    void ending(signal, async () => {
      const stream = await gateway.get("/api/v1/events", signal);
      for await (const _bytes of stream.body ?? []);
    });
    await ask(gateway, "/api/v1/status", signal);
    void ending(signal, async () => {
      for (let poll = 1; ; poll++) {
        await sleep(POLL_MS);
        signal.throwIfAborted();
        await ask(gateway, "/api/v1/status", signal);
        if (poll % HISTORY_EVERY_POLLS === 0) await ask(gateway, "/api/v1/history?route=route-1", signal);
      }
    });
  });
  await Promise.all(opened);
}

async function ask(gateway: BenchGateway, path: string, signal: AbortSignal): Promise<void> {
  const answer = await gateway.get(path, signal);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

/** Whatever fails once the page is closed is its closing. */
async function ending(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

export async function benchDashboards(quick: boolean): Promise<void> {
  const rounds = quick ? 3 : 9;
  const durationMs = quick ? 2_000 : 6_000;
  using backend = await Backend.start();
  await using gateway = await BenchGateway.start({ rules: rulesWith(backend.url), threads: 1 });
  await measure(gateway, durationMs); // warm up
  const without: Calm[] = [];
  const with50: Calm[] = [];
  for (let round = 0; round < rounds; round++) {
    without.push(await measure(gateway, durationMs));
    const pages = new AbortController();
    await open(gateway, pages.signal);
    with50.push(await measure(gateway, durationMs));
    pages.abort();
  }
  console.log(
    `dashboards: ${DASHBOARDS} open beside none, ${rounds} rounds in turn, ${PER_SECOND}/s, ${ROUTES} routes, ` +
      `one data thread, ${availableParallelism()} cores for everything`,
  );
  const rows = [
    ["none", without],
    [`${DASHBOARDS} open`, with50],
  ] as const;
  print(
    ["dashboards", "p50 ms", "p99 ms", "data thread µs a request", "control thread, of a core"],
    rows.map(([name, calms]) => [
      name,
      fixed(median(calms.map(({ p50Ms }) => p50Ms)), 2),
      fixed(median(calms.map(({ p99Ms }) => p99Ms)), 2),
      fixed(median(calms.map(({ dataUs }) => dataUs)), 1),
      `${fixed(median(calms.map(({ controlShare }) => controlShare)) * 100)}%`,
    ]),
  );
  const ratio = (of: (calm: Calm) => number): string =>
    fixed(median(with50.map((calm, i) => of(calm) / of(without[i] as Calm))), 2);
  console.log(
    `paired ratios, median: p50 ${ratio(({ p50Ms }) => p50Ms)}, p99 ${ratio(({ p99Ms }) => p99Ms)}, ` +
      `data thread ${ratio(({ dataUs }) => dataUs)}`,
  );
}

if (isMain(import.meta.url)) await benchDashboards(isQuick());
