/** The composition root: builds every part, hands each what it needs, and takes them down in order. */

import { startAdmin } from "./admin/server.ts";
import { createMetricsSource } from "./control/metrics-source.ts";
import { openControlRoom } from "./gateway/control-room.ts";
import { createDesk } from "./gateway/desk.ts";
import { type Plane, startPlane, threadCount } from "./gateway/plane.ts";
import { say } from "./gateway/say.ts";
import { asStartError } from "./gateway/start-error.ts";
import { openState } from "./gateway/state.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { createMetrics } from "./observe/metrics.ts";

export interface Gateway {
  readonly proxyUrl: string;
  readonly adminUrl: string;
  /** A link for a browser on this machine; it holds the admin token. */
  readonly dashboardUrl: string;
  /** Begins the orderly end; `finished` resolves when it has come. Safe to repeat. */
  drain(reason: string): void;
  readonly finished: Promise<void>;
}

/** Throws a StartError when it cannot start; nothing is left running then. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  // Taken down in the opposite order of what was built: at the end, or when a later step fails.
  const built = new AsyncDisposableStack();
  try {
    return await build(options, built);
  } catch (error) {
    await built.disposeAsync();
    throw asStartError(error, options);
  }
}

async function build(options: GatewayOptions, built: AsyncDisposableStack): Promise<Gateway> {
  const startedMs = performance.now();
  const threads = threadCount(options.threads);
  const state = await openState(options.state, options.adminToken, built);
  const control = await openControlRoom(options, state, threads, built);
  const plane = await startPlane(options, state, control, threads, built);
  const { announcer, rules } = control;

  let draining = false;
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  const drain = (reason: string): void => {
    if (draining) return;
    draining = true;
    announcer.log("draining", { reason });
    void takeDown(options, plane, built, (cutOff) => announcer.log("stopped", { reason, cutOff })).then(
      finish,
    );
  };
  const metrics = createMetrics(
    createMetricsSource({
      ...control,
      store: state.store,
      replacements: () => plane.replacements,
      spans: () => plane.spans(),
    }),
  );
  const desk = createDesk({
    ...control,
    store: state.store,
    metrics,
    threads,
    forceToken: options.forceToken,
    startedMs,
    nowMs: () => performance.now(),
    isDraining: () => draining,
    drain,
  });
  const admin = await startAdmin({
    host: options.admin.host,
    port: options.admin.port,
    desk,
    token: state.adminToken,
    onError: (error) => say(`admin API: ${error instanceof Error ? (error.stack ?? error.message) : error}`),
  });
  built.defer(() => admin.close());
  const onHangup = (): void => void rules.reload("operator", "SIGHUP");
  process.on("SIGHUP", onHangup);
  built.defer(() => void process.off("SIGHUP", onHangup));

  const proxyUrl = urlOf(options.listen.host, plane.port);
  announcer.log("listening", { proxy: proxyUrl, admin: admin.url, threads, rules: rules.ruleset.version });
  const dashboardUrl = dashboardLink(options.admin.host, admin.port, state.adminToken);
  return { proxyUrl, adminUrl: admin.url, dashboardUrl, drain, finished };
}

/** Not ready; a grace time in which balancers look away; no new connections; the last answers; everything down. */
async function takeDown(
  options: GatewayOptions,
  plane: Plane,
  built: AsyncDisposableStack,
  stopped: (cutOff: number) => void,
): Promise<void> {
  plane.drain();
  await new Promise((resolve) => setTimeout(resolve, options.drainDelayMs));
  stopped(await plane.close(options.drainTimeoutMs));
  await built.disposeAsync();
}

/** The token is in the fragment, which no browser sends and the page takes out. */
function dashboardLink(host: string, port: number, token: string): string {
  const isEverywhere = host === "0.0.0.0" || host === "::";
  return `${urlOf(isEverywhere ? "localhost" : host, port)}/#token=${encodeURIComponent(token)}`;
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
