/** `cutover serve`: flags → a running gateway, signals → its end. */

import { existsSync } from "node:fs";
import type { Gateway } from "../gateway.ts";
import { type Address, type GatewayOptions, StartError } from "../gateway-options.ts";
import type { SharePpm } from "../model/ruleset.ts";
import { readTokenFile } from "./client.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT_DONE, EXIT_NO, EXIT_USAGE } from "./exit.ts";

export interface ServeFlags {
  readonly listen: Address;
  readonly admin: Address;
  readonly threads: GatewayOptions["threads"];
  readonly state: string;
  readonly accessLog: GatewayOptions["accessLog"];
  readonly logFormat: GatewayOptions["logFormat"];
  readonly samples: boolean;
  readonly responseHeaders: boolean;
  readonly adminToken?: string;
  readonly tokenFile?: string;
  readonly forceToken?: string;
  readonly forceTokenFile?: string;
  readonly drainDelay: number;
  readonly drainTimeout: number;
  readonly webhook?: string;
  readonly otlp?: string;
  readonly traceSample?: SharePpm;
}

const DEFAULT_RULES = "rules";

/** The rules that were named, or `rules/` where there is one. Throws CliError 2 otherwise. */
export function rulesOrDefault(rules: readonly string[], command: string): readonly string[] {
  if (rules.length > 0) return rules;
  if (existsSync(DEFAULT_RULES)) return [DEFAULT_RULES];
  throw new CliError(
    `no rules: write \`cutover ${command} FILE-OR-FOLDER\`, or run it where there is a folder ${DEFAULT_RULES}/`,
    EXIT_USAGE,
  );
}

/** Runs until the gateway has drained. 0 after an orderly stop, 1 when it cannot start or is stopped at once. */
export async function serve(rules: readonly string[], flags: ServeFlags, context: Context): Promise<number> {
  checkAddresses(flags);
  const options = gatewayOptions(rulesOrDefault(rules, "serve"), flags, context);
  const { startGateway } = await import("../gateway.ts");
  // Before the gateway says that it listens: whoever reads that may signal at once.
  const signals = drainOnSignals(context);
  let gateway: Gateway;
  try {
    gateway = await startGateway(options);
  } catch (error) {
    if (error instanceof StartError) throw new CliError(error.message, EXIT_NO);
    throw error;
  }
  signals.started(gateway);
  tellDashboard(gateway, context);
  await gateway.finished;
  // Nothing may keep the process: a watcher or an IPC channel of whoever started it would.
  process.exit(EXIT_DONE);
}

/** For a person at a terminal alone: the link holds the token, which belongs in no log. */
function tellDashboard({ dashboardUrl }: Gateway, { streams }: Context): void {
  if (streams.err.isTTY !== true) return;
  streams.err.write(`dashboard: ${dashboardUrl}\n`);
}

function gatewayOptions(rules: readonly string[], flags: ServeFlags, context: Context): GatewayOptions {
  const adminToken = flags.adminToken ?? fromFile(flags.tokenFile, "--token-file");
  const forceToken = flags.forceToken ?? fromFile(flags.forceTokenFile, "--force-token-file");
  return {
    rules,
    listen: flags.listen,
    admin: flags.admin,
    threads: flags.threads,
    state: flags.state,
    accessLog: flags.accessLog,
    logFormat: flags.logFormat,
    samples: flags.samples,
    responseHeaders: flags.responseHeaders,
    adminToken,
    forceToken,
    drainDelayMs: flags.drainDelay,
    drainTimeoutMs: flags.drainTimeout,
    webhook: webhookOptions(flags, context),
    traces: traceOptions(flags),
    env: context.env,
  };
}

/** The secret has no flag: flags are seen by other users of the machine. Throws CliError 2. */
function webhookOptions({ webhook: url }: ServeFlags, { env }: Context): GatewayOptions["webhook"] {
  const secret = env.CUTOVER_WEBHOOK_SECRET ?? null;
  if (url !== undefined) return { url, secret };
  if (secret === null) return null;
  throw new CliError(
    "CUTOVER_WEBHOOK_SECRET is set, and no URL to sign for: give one with --webhook or CUTOVER_WEBHOOK",
    EXIT_USAGE,
  );
}

/** Enough to look at a request of each kind; a collector pays for every span. */
const DEFAULT_TRACE_SHARE_PPM = 10_000;

/** Throws CliError 2. */
function traceOptions({ otlp: url, traceSample: sharePpm }: ServeFlags): GatewayOptions["traces"] {
  if (url !== undefined) return { url, sharePpm: sharePpm ?? DEFAULT_TRACE_SHARE_PPM };
  if (sharePpm === undefined) return null;
  throw new CliError(
    "--trace-sample (or CUTOVER_TRACE_SAMPLE) is set, and no collector to export to: give one with --otlp or CUTOVER_OTLP",
    EXIT_USAGE,
  );
}

/** The second of two servers on one address would only say that it is taken. Throws CliError 2. */
function checkAddresses({ listen, admin }: ServeFlags): void {
  if (listen.port === 0 || listen.port !== admin.port) return;
  const everywhere = [listen.host, admin.host].some((host) => host === "0.0.0.0" || host === "::");
  if (listen.host !== admin.host && !everywhere) return;
  throw new CliError(
    `--listen and --admin are both on port ${listen.port}: give each a port of its own`,
    EXIT_USAGE,
  );
}

function fromFile(path: string | undefined, flag: string): string | null {
  return path === undefined ? null : readTokenFile(path, flag);
}

/** Under npx one Ctrl-C arrives twice: from the terminal, and passed on by npm. Only a later one is impatience. */
const SAME_SIGNAL_MS = 1_000;

/** The first signal drains, as soon as there is a gateway; a later one ends the process. */
function drainOnSignals(context: Context): { started(gateway: Gateway): void } {
  let running: Gateway | null = null;
  let first: { readonly signal: NodeJS.Signals; readonly atMs: number } | null = null;
  const onSignal = (signal: NodeJS.Signals) => {
    const nowMs = performance.now();
    if (first === null) {
      first = { signal, atMs: nowMs };
      running?.drain(signal);
    } else if (nowMs - first.atMs > SAME_SIGNAL_MS) {
      context.streams.err.write(`cutover: ${signal} again: stopping at once, requests in flight are lost\n`);
      process.exit(EXIT_NO);
    }
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return {
    started(gateway) {
      running = gateway;
      if (first !== null) gateway.drain(first.signal);
    },
  };
}
