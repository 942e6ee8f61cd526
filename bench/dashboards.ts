/**
 * What 50 open dashboards cost the data plane: latency at a fixed rate, and processor time a request of the data
 * thread, each beside the same without a dashboard, in turn; and what they cost the thread that answers them.
 * A dashboard holds one stream of events, asks for the status every two seconds and now and then for a history.
 *
 *   node bench/dashboards.ts [--quick]
 *
 * The dashboards live in a process of their own (`--pages`), so that what they read is not in the load generator's way.
 */

import { fork } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Backend } from "./support/backend.ts";
import { askAdmin, BenchGateway } from "./support/gateway.ts";
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
const PAGES = "--pages";

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

/** Opens them in a process of their own; resolves when all have their first report. Dispose of it to close them. */
async function openPages({ adminUrl }: BenchGateway): Promise<Disposable> {
  const child = fork(fileURLToPath(import.meta.url), [PAGES, adminUrl]);
  const exit = once(child, "exit").then(([code]) => {
    throw new Error(`the dashboards ended with ${code}`);
  });
  await Promise.race([once(child, "message"), exit]);
  exit.catch(() => {}); // from now on it is ended from here
  return { [Symbol.dispose]: () => child.disconnect() };
}

/** The process of the dashboards: ends when its parent lets go of it. */
async function runPages(adminUrl: string): Promise<void> {
  process.on("disconnect", () => process.exit(0));
  await Promise.all(Array.from({ length: DASHBOARDS }, (_, i) => openPage(adminUrl, i)));
  process.send?.("open");
}

/** They are spread over one interval of polling. */
async function openPage(adminUrl: string, index: number): Promise<void> {
  await sleep((index * POLL_MS) / DASHBOARDS);
  const stream = await askAdmin(adminUrl, "/api/v1/events");
  void stream.body?.pipeTo(new WritableStream());
  await read(adminUrl, "/api/v1/status");
  void poll(adminUrl);
}

async function poll(adminUrl: string): Promise<never> {
  for (let polls = 1; ; polls++) {
    await sleep(POLL_MS);
    await read(adminUrl, "/api/v1/status");
    if (polls % HISTORY_EVERY_POLLS === 0) await read(adminUrl, "/api/v1/history?route=route-1");
  }
}

async function read(adminUrl: string, path: string): Promise<void> {
  const answer = await askAdmin(adminUrl, path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
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
    using _pages = await openPages(gateway);
    with50.push(await measure(gateway, durationMs));
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

if (isMain(import.meta.url)) {
  const [first, adminUrl] = process.argv.slice(2);
  if (first === PAGES && adminUrl !== undefined) await runPages(adminUrl);
  else await benchDashboards(isQuick());
}
