/** Everything that the demo runs: two services, the gateway, traffic, and eyes on the gateway's status. */

import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type AdminClient, createAdminClient } from "../cli/client.ts";
import { fetchStatus } from "../cli/status-fetch.ts";
import { readAdminToken } from "../control/store/token.ts";
import type { RouteStatus } from "../model/reports.ts";
import {
  type Child,
  type GatewayChild,
  type ServiceChild,
  startGatewayChild,
  startService,
} from "./children.ts";
import { ROUTE, type Scene, writeRules } from "./rules-file.ts";
import { startTraffic, type Traffic } from "./traffic.ts";

export interface Stage {
  readonly old: ServiceChild;
  readonly new: ServiceChild;
  readonly gateway: GatewayChild;
  readonly traffic: Traffic;
  readonly admin: AdminClient;
  readonly folder: string;
  readonly rulesFile: string;
  readonly stateFolder: string;
  /** A link for a browser on this machine; it holds the admin token. */
  readonly dashboardUrl: string;
  /** Rewrites the rules and resolves when the gateway serves by them; `canary` null: by a rollout. */
  setScene(canary: string | null, ignore: readonly string[]): Promise<void>;
  /** The route, as the gateway tells it right now. */
  route(): Promise<RouteStatus>;
  /**
   * Resolves with the first value that is not null, asking again and again; rejects with `what` when none came
   * within `deadlineMs`, when a process died, or when the signal of the stage fired.
   */
  until<T>(what: string, deadlineMs: number, look: () => Promise<T | null> | T | null): Promise<T>;
  /** Rejects when one of the processes ended by itself; never resolves. */
  readonly died: Promise<never>;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ask for the usual ports, where they are free. */
  readonly usualPorts: boolean;
  readonly signal: AbortSignal;
}

const LOOK_INTERVAL_MS = 25;
/** The gateway promises to notice a changed file within 2 s; this is for a machine that is busy. */
const RELOAD_DEADLINE_MS = 30_000;

/** Starts it all. Whatever was started is ended again when something else does not start. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-demo-"));
  const children: Child[] = [];
  const cleanUp = async () => {
    await Promise.all(children.map((child) => child.stop()));
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const keep = <T extends Child>(child: T): T => {
      children.push(child);
      return child;
    };
    const services = await Promise.allSettled([
      startService("old").then(keep),
      startService("new").then(keep),
    ]);
    const [old, fresh] = services.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
    if (old === undefined || fresh === undefined) throw new Error("the profile services did not start");
    return await openGateway(options, folder, keep, cleanUp, old, fresh);
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

async function openGateway(
  options: StageOptions,
  folder: string,
  keep: <T extends Child>(child: T) => T,
  cleanUp: () => Promise<void>,
  old: ServiceChild,
  fresh: ServiceChild,
): Promise<Stage> {
  const rulesFile = join(folder, "rules.yaml");
  const stateFolder = join(folder, "state");
  const scene = (canary: string | null, ignore: readonly string[]): Scene => ({
    oldUrl: old.url,
    newUrl: fresh.url,
    canary,
    ignore,
  });
  await writeRules(rulesFile, scene("0%", []));
  const gateway = keep(
    await startGatewayChild(await serveArgs(options, rulesFile, stateFolder), folder, options.env),
  );
  const admin = createAdminClient({ admin: gateway.adminUrl, state: stateFolder });
  const traffic = startTraffic(gateway.proxyUrl);
  const died = Promise.race([old.died, fresh.died, gateway.died]);
  died.catch(() => undefined);

  const stage: Stage = {
    old,
    new: fresh,
    gateway,
    traffic,
    admin,
    folder,
    rulesFile,
    stateFolder,
    dashboardUrl: `${gateway.adminUrl}/#token=${encodeURIComponent(await readAdminToken(stateFolder))}`,
    async setScene(canary, ignore) {
      const before = (await fetchStatus(admin)).rules.version;
      await writeRules(rulesFile, scene(canary, ignore));
      await stage.until("the gateway reloads its rules", RELOAD_DEADLINE_MS, async () => {
        const { rules } = await fetchStatus(admin);
        if (rules.error !== null) throw new Error(`the gateway refuses the demo's rules: ${rules.error}`);
        return rules.version === before ? null : rules.version;
      });
    },
    route: () => findRoute(admin),
    until: (what, deadlineMs, look) => Promise.race([poll(what, deadlineMs, look, options.signal), died]),
    died,
    async close() {
      await traffic.stop();
      await cleanUp();
    },
  };
  return stage;
}

async function serveArgs(options: StageOptions, rulesFile: string, stateFolder: string): Promise<string[]> {
  const [proxyPort, adminPort] = options.usualPorts
    ? await Promise.all([freePort(8080), freePort(9090)])
    : [0, 0];
  return [
    rulesFile,
    ...["--listen", `127.0.0.1:${proxyPort}`, "--admin", `127.0.0.1:${adminPort}`],
    ...["--state", stateFolder, "--access-log", "errors"],
    // Nobody but the demo sends requests, and it stops before the gateway does.
    ...["--drain-delay", "100ms", "--drain-timeout", "2s"],
  ];
}

/** The port, or 0 where something listens already: asked with an exclusive bind, as the gateway's own are shared. */
export async function freePort(port: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const probe = createServer();
  probe.once("error", () => resolve(0));
  probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => probe.close(() => resolve(port)));
  return promise;
}

async function findRoute(admin: AdminClient): Promise<RouteStatus> {
  const route = (await fetchStatus(admin)).routes.find(({ name }) => name === ROUTE);
  if (route === undefined)
    throw new Error(`the gateway knows no route ${ROUTE}: were the demo's rules changed?`);
  return route;
}

async function poll<T>(
  what: string,
  deadlineMs: number,
  look: () => Promise<T | null> | T | null,
  signal: AbortSignal,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const seen = await look();
    if (seen !== null) return seen;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${deadlineMs / 1_000} s`);
    await sleep(LOOK_INTERVAL_MS, undefined, { signal });
  }
}
