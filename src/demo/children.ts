/** The demo's processes: started, listened to, ended. */

import { type ChildProcess, fork } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Generation, ServiceReady } from "./profile-service.ts";

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Rejects when the process ends without having been asked to; never resolves. */
  readonly died: Promise<never>;
  /** Asks it to end, then makes it; resolves when it has. */
  stop(): Promise<void>;
}

export interface ServiceChild extends Child {
  readonly url: string;
  readonly controlUrl: string;
}

export interface GatewayChild extends Child {
  readonly proxyUrl: string;
  readonly adminUrl: string;
}

/** Starting Node and compiling the sources takes well under a second, on a busy machine a few. */
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 3_000;
const STDERR_KEPT = 4_000;
const MAX_LOG_BYTES = 16 * 1024 * 1024;

/** Starts one generation of the profile service; resolves when it accepts requests. */
export async function startService(generation: Generation): Promise<ServiceChild> {
  const { child, process: running } = spawn(
    `the ${generation} profile service`,
    "profile-service",
    [generation],
    {},
  );
  running.stdout?.resume();
  const { promise, resolve } = Promise.withResolvers<ServiceReady>();
  running.on("message", (message) => {
    if (isReady(message)) resolve(message);
  });
  const { url, controlUrl } = await started(child, promise);
  return { ...child, url, controlUrl };
}

function isReady(message: unknown): message is ServiceReady {
  return typeof message === "object" && message !== null && "kind" in message && message.kind === "ready";
}

/**
 * Starts `cutover serve` with these arguments; its log goes to `folder`, which it removes should this process end
 * without. Resolves when it takes traffic.
 */
export async function startGatewayChild(
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<GatewayChild> {
  const { child, process: running } = spawn(
    "the gateway",
    "gateway-child",
    [folder, ...args],
    withoutSettings(env),
  );
  const { promise, resolve } = Promise.withResolvers<{ proxyUrl: string; adminUrl: string }>();
  const log = createWriteStream(join(folder, "gateway.log"));
  let logged = 0;
  if (running.stdout !== null) {
    createInterface({ input: running.stdout }).on("line", (line) => {
      logged += line.length + 1;
      if (logged <= MAX_LOG_BYTES) log.write(`${line}\n`);
      const urls = listeningLine(line);
      if (urls !== null) resolve(urls);
    });
  }
  running.once("exit", () => log.end());
  const urls = await started(child, promise);
  return { ...child, ...urls };
}

/** The addresses in the gateway's `listening` line; null for every other line. */
export function listeningLine(line: string): { readonly proxyUrl: string; readonly adminUrl: string } | null {
  if (!line.includes('"listening"')) return null;
  try {
    const { msg, proxy, admin } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (msg !== "listening" || typeof proxy !== "string" || typeof admin !== "string") return null;
    return { proxyUrl: proxy.replace(/\/$/, ""), adminUrl: admin.replace(/\/$/, "") };
  } catch {
    return null;
  }
}

/** What configures the user's own gateway must not configure the demo's. */
function withoutSettings(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("CUTOVER_")));
}

function spawn(
  name: string,
  module: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
): { readonly child: Child; readonly process: ChildProcess } {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  // The channel is the leash: it closes when this process ends, however it ends, and the child then ends itself.
  const running = fork(new URL(`./${module}.${extension}`, import.meta.url), args, {
    env,
    execArgv: [],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let stderr = "";
  running.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT);
  });
  let stopping = false;
  const died = Promise.withResolvers<never>();
  const ended = Promise.withResolvers<void>();
  running.once("error", (error) => died.reject(new Error(`${name} could not be started: ${error.message}`)));
  running.once("close", (code, signal) => {
    ended.resolve();
    if (!stopping)
      died.reject(new Error(`${name} ended by itself (${signal ?? `exit ${code}`})\n${stderr}`.trimEnd()));
  });
  // Whoever races it hears of it; until then it must not end the process.
  died.promise.catch(() => undefined);
  const stop = async () => {
    stopping = true;
    if (running.pid === undefined || running.exitCode !== null || running.signalCode !== null) return;
    running.kill("SIGTERM");
    const timer = setTimeout(() => running.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await ended.promise;
    clearTimeout(timer);
  };
  return { child: { name, pid: running.pid ?? 0, died: died.promise, stop }, process: running };
}

async function started<T>(child: Child, ready: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${child.name} was not ready within ${START_TIMEOUT_MS / 1_000} s`)),
    START_TIMEOUT_MS,
  );
  try {
    return await Promise.race([ready, child.died, late.promise]);
  } catch (error) {
    await child.stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
