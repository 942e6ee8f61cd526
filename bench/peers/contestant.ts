/** A proxy as it takes part in a scenario: started, warm, and measured one round at a time. */

import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cores } from "../support/cores.ts";
import { cpuMs, peakRssMiB } from "../support/linux.ts";
import { load } from "../support/load.ts";
import { quantile, sleep } from "../support/stats.ts";
import type { Backends } from "./backends.ts";
import { Child } from "./child.ts";
import { openIdle } from "./idle.ts";
import { loaderEnv } from "./install.ts";
import type { Round } from "./measured.ts";
import { type Peer, type Plan, urlOf } from "./peer.ts";
import { freePort, reachable } from "./ports.ts";
import { bodyOf, requestTexts } from "./requests.ts";
import type { Scenario } from "./scenarios.ts";
import { flatOut, type Wrk } from "./wrk.ts";

export const CONNECTIONS = 32;
export const PACED_PER_SECOND = 4_000;
/** What a shadow may still be busy with when the load is over belongs to the load. */
const AFTERMATH_MS = 100;

export interface Pace {
  readonly seconds: number;
  readonly pacedMs: number;
}

/** So many requests, or so long. */
export interface WarmUp {
  readonly requests: number;
  readonly maxSeconds: number;
}

/** What the rig offers to every contestant. */
export interface Stage {
  readonly backends: Backends;
  readonly cores: Cores;
  readonly wrk: Wrk;
  /** Every contestant gets a folder in it. */
  readonly folder: string;
}

export interface Entry {
  readonly peer: Peer;
  readonly name: string;
  readonly plan: Plan;
}

export class Contestant implements AsyncDisposable {
  readonly name: string;
  readonly peer: Peer;
  readonly remark: string | null;
  readonly url: string;
  readonly rounds: Round[] = [];
  readonly #child: Child;
  readonly #scenario: Scenario;
  readonly #stage: Stage;
  readonly #logs: readonly string[];
  readonly #report: (() => Promise<string>) | null;

  private constructor(
    entry: Entry,
    child: Child,
    url: string,
    scenario: Scenario,
    stage: Stage,
    folder: string,
  ) {
    this.name = entry.name;
    this.peer = entry.peer;
    this.remark = entry.plan.remark ?? null;
    this.#child = child;
    this.url = url;
    this.#scenario = scenario;
    this.#stage = stage;
    this.#report = entry.plan.report ?? null;
    this.#logs = (entry.plan.logs ?? []).map((file) => join(folder, file));
  }

  /** Starts it and asks it once; throws with its complaints. */
  static async start(
    entry: Entry,
    folder: string,
    port: number,
    scenario: Scenario,
    stage: Stage,
  ): Promise<Contestant> {
    const { command, args, env, files, stdoutTo } = entry.plan;
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const child = new Child({
      command,
      args,
      env: { ...loaderEnv(command), ...env },
      cores: stage.cores.proxy,
      ...(stdoutTo === undefined ? {} : { stdoutTo: join(folder, stdoutTo) }),
    });
    const { method, paths, bodyBytes } = scenario.requests;
    const init = bodyBytes === 0 ? { method } : { method, body: bodyOf(bodyBytes) };
    try {
      await reachable(entry.name, urlOf(port) + paths[0], child, scenario.answerBytes, init);
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
    return new Contestant(entry, child, urlOf(port), scenario, stage, folder);
  }

  /** The most memory that it ever had, in MiB. */
  get peakMiB(): number {
    return peakRssMiB(this.#child.pid);
  }

  /** Why it is gone; null: it runs. */
  get complaint(): string | null {
    return this.#child.complaint;
  }

  /** What it says itself of its work; null: nothing. */
  async report(): Promise<string | null> {
    return this.#report === null ? null : this.#report();
  }

  /** Load that nobody looks at: what a busy machine slows down is not warm after the same time. */
  async warmUp({ requests, maxSeconds }: WarmUp): Promise<void> {
    let sent = 0;
    for (let second = 0; second < maxSeconds && sent < requests; second++) {
      sent += (await this.#load(1)).requests;
      this.#emptyLogs();
    }
  }

  /** A round of its own: as fast as it is answered. */
  async flatOut(seconds: number): Promise<void> {
    using _idle = await this.#idle();
    const before = await this.#counts();
    const wrk = await this.#load(seconds);
    await sleep(AFTERMATH_MS);
    const after = await this.#counts();
    const spentMs = after.cpuMs - before.cpuMs;
    this.#emptyLogs();
    // Of nothing there is no cost: whoever hangs is left out from now on, with this reason.
    if (wrk.requests === 0) throw new Error(`answered nothing within ${seconds} s`);
    this.rounds.push({
      cpuUs: (spentMs * 1000) / wrk.requests,
      perSecond: (wrk.requests / wrk.tookMs) * 1000,
      busy: spentMs / wrk.tookMs,
      failures: wrk.failures,
      requests: wrk.requests,
      toNew: after.new.requests - before.new.requests,
      toOld: after.old.requests - before.old.requests,
      connections:
        after.old.connections + after.new.connections - before.old.connections - before.new.connections,
      paced: null,
    });
  }

  /** Adds latency at a fixed rate to the round that was last. */
  async atRate(durationMs: number): Promise<void> {
    using _idle = await this.#idle();
    const { latencies, failures } = await load({
      url: this.url,
      path: this.#path,
      connections: CONNECTIONS,
      durationMs,
      perSecond: PACED_PER_SECOND,
      requests: requestTexts(this.url, this.#scenario.requests),
    });
    this.#emptyLogs();
    const round = this.rounds.pop();
    if (round === undefined) throw new Error("a round begins with flatOut");
    const [p50Ms, p99Ms, p999Ms] = [0.5, 0.99, 0.999].map((share) => quantile(latencies, share)) as [
      number,
      number,
      number,
    ];
    this.rounds.push({ ...round, paced: { p50Ms, p99Ms, p999Ms, failures } });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }

  get #path(): string {
    return this.#scenario.requests.paths[0] ?? "/";
  }

  #load(seconds: number): ReturnType<typeof flatOut> {
    return flatOut(this.#stage.wrk, this.url, this.#scenario.requests, CONNECTIONS, seconds);
  }

  async #idle(): Promise<Disposable | null> {
    const { idleConnections } = this.#scenario;
    return idleConnections > 0 ? openIdle(this.url, this.#path, idleConnections) : null;
  }

  async #counts() {
    return { ...(await this.#stage.backends.counts()), cpuMs: cpuMs(this.#child.pid) };
  }

  /** They are all added to at the end, so a file that is cut goes on from its start. */
  #emptyLogs(): void {
    for (const log of this.#logs) truncateSync(log);
  }
}

/** Where it will listen, and the plan for it; null: it has no equal, and why. */
export async function planned(
  peer: Peer,
  name: string,
  scenario: Pick<Scenario, "shape" | "requests">,
  stage: Stage,
  threads = 1,
): Promise<
  { readonly entry: Entry; readonly folder: string; readonly port: number } | { readonly lacks: string }
> {
  if (scenario.requests.bodyBytes > 0 && peer.noBodies) return { lacks: "forwards no bodies" };
  const { oldPort, newPort } = stage.backends;
  const folder = join(stage.folder, name.replaceAll(/[^a-z0-9]+/gi, "-"));
  const [port, adminPort] = [await freePort(), await freePort()];
  const plan = peer.plan(scenario.shape, { folder, listenPort: port, adminPort, oldPort, newPort, threads });
  return "lacks" in plan ? plan : { entry: { peer, name, plan }, folder, port };
}
