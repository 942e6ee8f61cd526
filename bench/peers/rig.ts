/** Runs scenarios: starts everybody, warms them up, and measures them in turn, round by round. */

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Contestant, type Pace, planned, type Stage, type WarmUp } from "./contestant.ts";
import { type Absent, type Found, GATEWAY, PLAIN_BESIDE, type Row, type Threads } from "./measured.ts";
import type { Peer } from "./peer.ts";
import type { Progress } from "./progress.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";

export interface RunOptions {
  readonly rounds: number;
  readonly pace: Pace;
  readonly warmUp: WarmUp;
  /** Whose latency is measured, where the scenario has it; null: everybody's. */
  readonly paced: readonly string[] | null;
  /** Of `performance.now()`: no round begins after it but the first. */
  readonly untilMs: number;
}

interface Started {
  readonly contestants: readonly Contestant[];
  readonly lacks: readonly Absent[];
  readonly failures: Absent[];
}

/** One scenario with all the peers that can do it. A peer that fails is reported, and the others go on. */
export async function runScenario(
  scenario: Scenario,
  peers: readonly Peer[],
  stage: Stage,
  options: RunOptions,
  progress: Progress,
): Promise<Found> {
  const folder = join(stage.folder, scenario.name);
  mkdirSync(folder, { recursive: true });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const { contestants, lacks, failures } = await startAll(
    scenario,
    peers,
    { ...stage, folder },
    stack,
    progress,
  );
  const running = new Set(contestants);
  const attempt = async (contestant: Contestant, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      running.delete(contestant);
      failures.push({ name: contestant.name, why: contestant.complaint ?? String(error) });
      progress.failed(contestant.name, contestant.complaint ?? String(error));
    }
  };
  for (const each of running) {
    progress.tell(`${scenario.name}: ${each.name} warms up`);
    await attempt(each, () => each.warmUp(options.warmUp));
  }
  const hasLatency = (name: string): boolean => scenario.paced && (options.paced?.includes(name) ?? true);
  for (let round = 0; round < options.rounds && mayBegin(round, options); round++) {
    const order = turned([...running], round);
    const title = `${scenario.name} ${round + 1}/${options.rounds}`;
    // All of them at one thing and then all at the other: what is compared lies close together in time.
    for (const each of order) {
      progress.step(`${title}: ${each.name}`);
      await attempt(each, () => each.flatOut(options.pace.seconds));
    }
    for (const each of order.filter((one) => running.has(one) && hasLatency(one.name))) {
      progress.tell(`${title}: ${each.name} at a fixed rate`);
      await attempt(each, () => each.atRate(options.pace.pacedMs));
    }
  }
  const rows: Row[] = [];
  for (const each of contestants) if (each.rounds.length > 0) rows.push(await rowOf(each));
  return { scenario, rows, lacks, failures };
}

async function startAll(
  scenario: Scenario,
  peers: readonly Peer[],
  stage: Stage,
  stack: AsyncDisposableStack,
  progress: Progress,
): Promise<Started> {
  const contestants: Contestant[] = [];
  const lacks: Absent[] = [];
  const failures: Absent[] = [];
  const entries: { peer: Peer; name: string; shape: Scenario["shape"] }[] = [];
  for (const peer of peers) {
    if (peer.name === GATEWAY && scenario.besidePlain)
      entries.push({ peer, name: PLAIN_BESIDE, shape: "plain" });
    entries.push({ peer, name: peer.name, shape: scenario.shape });
  }
  for (const { peer, name, shape } of entries) {
    progress.tell(`${scenario.name}: ${name} starts`);
    try {
      const plan = await planned(peer, name, { ...scenario, shape }, stage);
      if ("lacks" in plan) lacks.push({ name, why: plan.lacks });
      else {
        const contestant = await Contestant.start(plan.entry, plan.folder, plan.port, scenario, stage);
        contestants.push(stack.use(contestant));
      }
    } catch (error) {
      failures.push({ name, why: (error as Error).message });
      progress.failed(name, (error as Error).message);
    }
  }
  return { contestants, lacks, failures };
}

function mayBegin(round: number, { untilMs }: RunOptions): boolean {
  return round === 0 || performance.now() < untilMs;
}

/** Nobody is always measured after the same neighbour. */
function turned<T>(items: readonly T[], round: number): readonly T[] {
  const at = items.length === 0 ? 0 : round % items.length;
  const order = [...items.slice(at), ...items.slice(0, at)];
  return round % 2 === 0 ? order : order.toReversed();
}

async function rowOf(contestant: Contestant): Promise<Row> {
  const { name, peer, remark, rounds, peakMiB } = contestant;
  return { name, kind: peer.kind, remark, rounds, peakMiB, report: await reportOf(contestant) };
}

/** A word about itself is not worth the run. */
async function reportOf(contestant: Contestant): Promise<string | null> {
  if (contestant.complaint !== null) return null;
  try {
    return await contestant.report();
  } catch (error) {
    return `says nothing of its work: ${String((error as Error).cause ?? error)}`;
  }
}

/** The gateway with one data thread and with two: throughput where there are cores for it, and memory. */
export async function runThreads(
  peer: Peer,
  stage: Stage,
  options: RunOptions,
  progress: Progress,
): Promise<Threads> {
  const [plain, shadow] = ["plain", "shadow"].map((name) => SCENARIOS.find((one) => one.name === name));
  if (plain === undefined || shadow === undefined)
    throw new Error("the scenarios plain and shadow are needed");
  const hadCores = stage.cores.pair !== null;
  const wide: Stage = { ...stage, cores: { ...stage.cores, proxy: stage.cores.pair ?? stage.cores.proxy } };
  const folder = join(stage.folder, "threads");
  mkdirSync(folder, { recursive: true });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const start = async (
    name: string,
    scenario: Scenario,
    where: Stage,
    threads: number,
  ): Promise<Contestant> => {
    progress.tell(`threads: ${name} starts`);
    const plan = await planned(peer, name, scenario, { ...where, folder }, threads);
    if ("lacks" in plan) throw new Error(plan.lacks);
    const started = await Contestant.start(plan.entry, plan.folder, plan.port, scenario, {
      ...where,
      folder,
    });
    await started.warmUp(options.warmUp);
    return stack.use(started);
  };
  const one = await start("one thread", plain, stage, 1);
  const two = await start("two threads", plain, wide, 2);
  const shadowed = await start("two threads, shadow", shadow, wide, 2);
  for (let round = 0; round < options.rounds && mayBegin(round, options); round++) {
    for (const [name, each] of Object.entries({ one, two, shadowed })) {
      progress.step(`threads ${round + 1}/${options.rounds}: ${name}`);
      await each.flatOut(options.pace.seconds);
    }
  }
  return { one: one.rounds, two: two.rounds, plainMiB: two.peakMiB, shadowMiB: shadowed.peakMiB, hadCores };
}
