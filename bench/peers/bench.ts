/** One run of the rig: gathers the peers, runs the scenarios, and writes what was found. */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { chooseCores } from "../support/cores.ts";
import { pin } from "../support/linux.ts";
import { print } from "../support/stats.ts";
import { startBackends } from "./backends.ts";
import { CONNECTIONS, PACED_PER_SECOND, type Stage } from "./contestant.ts";
import { floorFact } from "./floor.ts";
import { debianProgram, isFound, type Program } from "./install.ts";
import { machineFacts } from "./machine.ts";
import { type Found, GATEWAY, type Threads } from "./measured.ts";
import type { Peer } from "./peer.ts";
import { gather } from "./peers.ts";
import { CACHE, CHECKOUT, runFolder } from "./places.ts";
import { createProgress, type Progress } from "./progress.ts";
import {
  type Facts,
  resultsMarkdown,
  SCENARIO_HEAD,
  scenarioNotes,
  scenarioRows,
  verdictLines,
} from "./results.ts";
import { type RunOptions, runScenario, runThreads } from "./rig.ts";
import type { Scenario } from "./scenarios.ts";
import { judge } from "./targets.ts";

export interface RigOptions {
  readonly scenarios: readonly Scenario[];
  /** Whether the gateway is measured with two threads too. */
  readonly threads: boolean;
  readonly peers: readonly string[];
  /** Whether only the peers that --quick needs take part in each scenario. */
  readonly quick: boolean;
  readonly against: readonly string[];
  /** Null: as many as the kind of run has. */
  readonly rounds: number | null;
  /** Where to write the report; null: it is only shown. */
  readonly out: string | null;
  readonly command: string;
}

const FULL: Omit<RunOptions, "untilMs"> & { readonly budgetMs: number } = {
  rounds: 12,
  pace: { seconds: 1, pacedMs: 2_000 },
  warmUp: { requests: 60_000, maxSeconds: 8 },
  paced: null,
  budgetMs: 5_400_000,
};
const QUICK: typeof FULL = {
  rounds: 3,
  pace: { seconds: 1, pacedMs: 1_000 },
  warmUp: { requests: 8_000, maxSeconds: 2 },
  paced: null,
  budgetMs: 90_000,
};

/** Resolves when all is measured, shown and written. Throws where nginx, wrk or /proc are missing. */
export async function benchPeers(options: RigOptions): Promise<void> {
  const begunMs = performance.now();
  const cores = chooseCores();
  const machine = machineFacts(cores.remark);
  const plan = options.quick ? QUICK : FULL;
  // Who names the rounds gets them all.
  const { budgetMs } = options.rounds === null ? plan : FULL;
  const run = { ...plan, rounds: options.rounds ?? plan.rounds, budgetMs };
  const tell = (what: string): void => void process.stderr.write(`${what}\n`);
  const nginx = await needed("nginx", "it is the backend");
  const wrk = await needed("wrk", "it is the load");
  const { peers, missing } = await gather(options.peers, CHECKOUT, options.against, CACHE, tell);
  for (const { name, why } of missing) tell(`${name} is left out: ${why}`);
  if (cores.rest?.[0] !== undefined) pin(process.pid, cores.rest[0]);

  using home = runFolder();
  const folder = home.path;
  await using stack = new AsyncDisposableStack();
  const backends = stack.use(await startBackends(nginx.path, join(folder, "backends"), cores.rest));
  const stage: Stage = { backends, cores, wrk: { program: wrk.path, folder, cores: cores.rest }, folder };
  const progress = createProgress(process.stderr, run.rounds * sum(sizesOf(options, peers)));
  tell("measuring the backend without a proxy");
  const floor = await floorFact(stage);
  const found: Found[] = [];
  const clock = sharing(performance.now() + run.budgetMs, sizesOf(options, peers));
  for (const scenario of options.scenarios) {
    const paced = options.quick ? (scenario.quick?.paced ?? run.paced) : run.paced;
    const part = { ...run, paced, untilMs: clock() };
    const one = await runScenario(scenario, partOf(scenario, peers, options), stage, part, progress);
    found.push(one);
    progress.done();
    show(one);
  }
  const threads = options.threads
    ? await threadsOf(peers, stage, { ...run, untilMs: clock() }, progress)
    : null;
  progress.done();

  const judged = judge(found, threads);
  console.log(`\n${verdictLines(judged).join("\n")}`);
  const facts: Facts = {
    command: options.command,
    date: new Date().toISOString().slice(0, 10),
    machine,
    versions: [
      ...peers.map(({ name, version }) => [name, version] as const),
      ["backend: nginx", nginx.version],
      ["load: wrk", wrk.version],
      ["Node", process.version],
    ],
    missing,
    method: [...methodOf(run), floor],
    tookMinutes: (performance.now() - begunMs) / 60_000,
  };
  if (options.out !== null) {
    writeFileSync(options.out, resultsMarkdown(facts, judged, found, threads));
    format(options.out);
    console.log(`\nwritten to ${options.out}`);
  }
}

/** As the checkout's linter wants every document; without it the report is only less pretty. */
function format(file: string): void {
  try {
    execFileSync(join(CHECKOUT, "node_modules/.bin/biome"), ["format", "--write", file], { stdio: "ignore" });
  } catch (error) {
    process.stderr.write(`${file} is not formatted: ${(error as Error).message}\n`);
  }
}

async function needed(name: "nginx" | "wrk", why: string): Promise<Program> {
  const found = await debianProgram(name, CACHE);
  if (isFound(found)) return found;
  throw new Error(`the rig needs ${name}, as ${why}: ${found.missing}`);
}

/** --quick measures some scenarios with a few peers alone. */
function partOf(scenario: Scenario, peers: readonly Peer[], { quick }: RigOptions): readonly Peer[] {
  const few = quick ? (scenario.quick?.peers ?? null) : null;
  return few === null ? peers : peers.filter(({ name, kind }) => kind === "gateway" || few.includes(name));
}

/** How many take part in each of the things to measure, the threads last. */
function sizesOf(options: RigOptions, peers: readonly Peer[]): readonly number[] {
  const sizes = options.scenarios.map(
    (scenario) => partOf(scenario, peers, options).length + (scenario.besidePlain ? 1 : 0),
  );
  return options.threads ? [...sizes, 3] : sizes;
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

/** Called before each of the things to measure: until when it may take, so that the last has its share too. */
function sharing(endMs: number, sizes: readonly number[]): () => number {
  const left = [...sizes];
  return () => {
    const all = sum(left);
    const size = left.shift() ?? 0;
    const nowMs = performance.now();
    return nowMs + ((endMs - nowMs) * size) / Math.max(1, all);
  };
}

async function threadsOf(
  peers: readonly Peer[],
  stage: Stage,
  run: RunOptions,
  progress: Progress,
): Promise<Threads | null> {
  const gateway = peers.find(({ name }) => name === GATEWAY);
  if (gateway === undefined) return null;
  try {
    return await runThreads(gateway, stage, run, progress);
  } catch (error) {
    progress.failed("the gateway with two threads", (error as Error).message);
    return null;
  }
}

function show(found: Found): void {
  console.log(`\n${found.scenario.name}: ${found.scenario.title}`);
  print(SCENARIO_HEAD, scenarioRows(found));
  for (const note of scenarioNotes(found)) console.log(note);
  for (const { name, why } of found.lacks) console.log(`- no equal: ${name} ${why}`);
  for (const { name, why } of found.failures) console.log(`- FAILED: ${name}: ${why}`);
}

function methodOf({ rounds, pace }: Pick<RunOptions, "rounds" | "pace">): readonly string[] {
  return [
    `Up to ${rounds} rounds; in each everybody is measured once, in turn: first wrk with ${CONNECTIONS} connections for ${pace.seconds} s, then, once all have had that, ${PACED_PER_SECOND.toLocaleString("en")} requests a second for ${pace.pacedMs / 1000} s.`,
    "CPU: of all threads of the proxy's process, kernel included, in nanoseconds from /proc, divided by the requests that wrk counted. A ratio is taken round by round; its median and spread are shown, and beside them the least of one by the least of the other.",
    "Latency: from when a request was due, so that a stall counts for all who waited (bench/support/load.ts).",
    "busy: processor time for a second. Below about 95% the proxy was not what limited the throughput.",
    "peak: the most memory since it was started. failures: with wrk + at the fixed rate.",
    "Everybody: one worker, one process on one core, HTTP/1.1 with connections kept alive on both sides, no access log where it is not named, answers buffered in memory alone; the header fields that each adds by default.",
  ];
}
