/** `cutover status`: once, watched, or as a probe. */

import { setTimeout as sleep } from "node:timers/promises";
import type { RouteStatus, StatusReport } from "../model/reports.ts";
import { type RemoteFlags, routePath } from "./action.ts";
import { type AdminClient, createAdminClient, notAGateway } from "./client.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT_DONE, EXIT_NO, EXIT_UNREACHABLE, EXIT_USAGE, failureReport } from "./exit.ts";
import { formatJson, formatJsonLine, type OutputForm, printable } from "./output.ts";
import { describeRoute } from "./route-text.ts";
import { describeStatus, type Room } from "./status-text.ts";

export interface StatusFlags extends RemoteFlags {
  readonly watch?: boolean;
  readonly ready?: boolean;
}

const WATCH_INTERVAL_MS = 1_000;

/** Prints what the gateway says of itself. 0 done, 3 when none answers; with --ready, 1 while it is not. */
export async function status(
  route: string | undefined,
  flags: StatusFlags,
  context: Context,
): Promise<number> {
  const client = createAdminClient(flags);
  if (flags.ready) return printReadiness(route, client, flags, context);
  if (flags.watch) return watch(route, client, flags, context);
  const { out } = context.streams;
  const room = { columns: out.isTTY === true ? (out.columns ?? null) : null, rows: null };
  out.write(`${await render(route, client, flags, context, room)}\n`);
  return EXIT_DONE;
}

async function printReadiness(
  route: string | undefined,
  client: AdminClient,
  flags: StatusFlags,
  context: Context,
): Promise<number> {
  if (route !== undefined || flags.watch) {
    throw new CliError("--ready is about the whole gateway, once: leave ROUTE and --watch out", EXIT_USAGE);
  }
  const ready = await client.ready();
  const words = ready ? "ready" : "not ready";
  context.streams.out.write(`${flags.output === "json" ? formatJson({ ready }) : words}\n`);
  return ready ? EXIT_DONE : EXIT_NO;
}

async function render(
  route: string | undefined,
  client: AdminClient,
  flags: StatusFlags,
  context: Context,
  room: Room,
): Promise<string> {
  const json = flags.watch ? formatJsonLine : formatJson;
  if (route === undefined) {
    const report = await fetchStatus(client);
    return flags.output === "json" ? json(report) : describeStatus(report, room, context.paint);
  }
  const report = await fetchRoute(client, route);
  return flags.output === "json" ? json(report) : describeRoute(report, room.columns, context.paint);
}

/** The gateway's status. Throws CliError. */
export async function fetchStatus(client: AdminClient): Promise<StatusReport> {
  const report = await client.get("/api/v1/status");
  if (!isStatusReport(report)) throw notAGateway(client.url);
  return report;
}

/** One route's status. Throws CliError. */
export async function fetchRoute(client: AdminClient, route: string): Promise<RouteStatus> {
  const report = await client.get(routePath(route));
  if (!isRouteStatus(report)) throw notAGateway(client.url);
  return report;
}

// Enough to tell a gateway from something else; a gateway's own fields are its promise.
function isStatusReport(value: unknown): value is StatusReport {
  return (
    typeof value === "object" &&
    value !== null &&
    "rules" in value &&
    "routes" in value &&
    Array.isArray(value.routes)
  );
}

function isRouteStatus(value: unknown): value is RouteStatus {
  return (
    typeof value === "object" &&
    value !== null &&
    "name" in value &&
    "requests" in value &&
    "comparisons" in value
  );
}

/** Until Ctrl-C. A gateway that is away for a while is said to be away: whoever watches a restart wants to go on. */
async function watch(
  route: string | undefined,
  client: AdminClient,
  flags: StatusFlags,
  context: Context,
): Promise<number> {
  const { out } = context.streams;
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  // Not `once`: log-update kills the process at a signal for which it finds no listener but its own.
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const redraw = await createRedraw(out.isTTY === true, flags.output, context);
  let seen = false;
  try {
    while (!stop.signal.aborted) {
      const room =
        out.isTTY === true
          ? { columns: out.columns ?? null, rows: out.rows ?? null }
          : { columns: null, rows: null };
      const text = await render(route, client, flags, context, room).catch((error: unknown) => {
        // Never reached: more likely a wrong address than a restart.
        if (seen && error instanceof CliError && error.exitCode === EXIT_UNREACHABLE)
          return awayText(error, flags, context);
        throw error;
      });
      seen = true;
      redraw.show(text);
      await sleep(WATCH_INTERVAL_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    redraw.done();
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
  return EXIT_DONE;
}

function awayText(error: CliError, flags: StatusFlags, context: Context): string {
  if (flags.output === "json") return formatJsonLine(failureReport(error));
  return context.paint("red", printable(error.message));
}

interface Redraw {
  show(text: string): void;
  done(): void;
}

/** On a terminal the last text is overwritten; elsewhere texts follow each other, parted by an empty line. */
async function createRedraw(terminal: boolean, form: OutputForm, context: Context): Promise<Redraw> {
  if (!terminal || form === "json") {
    let first = true;
    return {
      show(text) {
        context.streams.out.write(`${first || form === "json" ? "" : "\n"}${text}\n`);
        first = false;
      },
      done() {},
    };
  }
  const { default: logUpdate } = await import("log-update");
  return { show: (text) => logUpdate(text), done: () => logUpdate.done() };
}
