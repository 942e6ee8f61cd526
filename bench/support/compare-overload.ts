/** A gateway whose comparison cannot keep up: what its data thread, its clients and its memory feel of it. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Backend } from "./backend.ts";
import { type CompareCase, casesOf } from "./compare-cases.ts";
import { BenchGateway } from "./gateway.ts";
import { rssMiB } from "./linux.ts";
import { load } from "./load.ts";
import { fixed, median, print, quantile } from "./stats.ts";
import { printVerdicts, stallVerdict } from "./verdict.ts";

/** Of a data thread under load: how long its loop stood still, slice by slice. */
interface Calm {
  readonly requests: number;
  readonly blocksMs: readonly number[];
}

interface DelayLine {
  readonly thread: string;
  readonly atMs: number;
  readonly maxMs: number;
}

const CONNECTIONS = 16;
const OVERLOAD_KIB = 100;

function rulesWith(old: string, fresh: string): string {
  return `version: 1
backends:
  legacy: { url: "${old}" }
  modern: { url: "${fresh}" }
defaults: { old: legacy, new: modern, shadow: 100% }
routes:
  - { name: uncompared, match: { path: "/uncompared/**" }, compare: off }
  - { name: compared, match: { path: "/compared/**" } }
`;
}

/** Every answer differs and comparison cannot keep up: beside the same shadows without comparison, in turn. */
export async function benchOverload(quick: boolean): Promise<void> {
  const rounds = quick ? 2 : 6;
  const durationMs = quick ? 1_000 : 4_000;
  const different = casesOf(OVERLOAD_KIB).find(
    ({ name }) => name === "JSON, one item differs",
  ) as CompareCase;
  using old = await Backend.start(null, Buffer.from(different.old).toString());
  using fresh = await Backend.start(null, Buffer.from(different.new).toString());
  const folder = mkdtempSync(join(tmpdir(), "cutover-bench-delays-"));
  using _removed = { [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
  const delays = join(folder, "delays");
  writeFileSync(delays, "");
  await using gateway = await BenchGateway.start({
    rules: rulesWith(old.url, fresh.url),
    threads: 1,
    nodeFlags: ["--import", new URL("./loop-delay.ts", import.meta.url).href],
    env: { BENCH_LOOP_DELAY: delays },
  });
  const runs: Record<"uncompared" | "compared", Calm[]> = { uncompared: [], compared: [] };
  const rss: number[] = [];
  for (let round = -1; round < rounds; round++) {
    for (const path of ["uncompared", "compared"] as const) {
      const calm = await underLoad(gateway, delays, path, durationMs, rss);
      if (round >= 0) runs[path].push(calm);
    }
  }
  const { routes } = await gateway.status();
  const compared = routes.find(({ name }) => name === "compared");
  console.log(
    `overload: ${OVERLOAD_KIB} KiB answers that all differ, 100% shadow, flat out, beside the same without comparison`,
  );
  const rows = (["uncompared", "compared"] as const).map((path) => {
    const blocks = runs[path].flatMap(({ blocksMs }) => blocksMs).toSorted((a, b) => a - b);
    const perSecond = median(runs[path].map(({ requests }) => (requests * 1000) / durationMs));
    return [
      path,
      fixed(perSecond, 0),
      ...[0.5, 0.9, 0.99, 1].map((share) => fixed(quantile(blocks, share), 2)),
    ];
  });
  print(["shadows", "requests/s", "longest block in 50 ms: median", "p90", "p99", "max ms"], rows);
  const longest = (path: "compared" | "uncompared"): number =>
    Math.max(...runs[path].flatMap(({ blocksMs }) => blocksMs));
  const half = rss.length >> 1;
  console.log(
    `comparisons ${JSON.stringify(compared?.comparisons)}, uncompared ${JSON.stringify(compared?.uncompared)}\n` +
      `RSS MiB: first half at most ${fixed(Math.max(...rss.slice(0, half)), 0)}, second half ${fixed(Math.max(...rss.slice(half)), 0)}`,
  );
  printVerdicts([
    stallVerdict("a comparison that cannot keep up", longest("compared"), longest("uncompared")),
    {
      promise: "pairs that are not compared are counted",
      measured: JSON.stringify(compared?.uncompared),
      holds: Object.values(compared?.uncompared ?? {}).some((count) => count > 0),
    },
  ]);
}

async function underLoad(
  gateway: BenchGateway,
  delays: string,
  path: string,
  durationMs: number,
  rss: number[],
): Promise<Calm> {
  const watch = setInterval(() => rss.push(rssMiB(gateway.pid)), 100);
  const before = delayLines(delays).length;
  const { requests } = await load({
    url: gateway.proxyUrl,
    path: `/${path}/items`,
    connections: CONNECTIONS,
    durationMs,
    perSecond: null,
  });
  clearInterval(watch);
  const lines = delayLines(delays).slice(before);
  return {
    requests,
    blocksMs: lines.filter(({ thread }) => thread.startsWith("data")).map(({ maxMs }) => maxMs),
  };
}

function delayLines(file: string): readonly DelayLine[] {
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as DelayLine);
}
