/** `cutover status -w`: again and again until Ctrl-C, in place on a terminal and one after the other elsewhere. */

import { setTimeout as sleep } from "node:timers/promises";
import type { RemoteFlags } from "./action.ts";
import { type AdminClient, createAdminClient } from "./client.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT_DONE, EXIT_UNREACHABLE, failureReport } from "./exit.ts";
import { formatJsonLine, printable } from "./output.ts";
import { isLive } from "./redraw.ts";
import { describeRoute } from "./route-text.ts";
import { fetchRoute, fetchStatus } from "./status-fetch.ts";
import { describeStatus } from "./status-text.ts";
import { watchLive } from "./watch-live.ts";
import { routeView, tableView } from "./watch-views.ts";

const INTERVAL_MS = 1_000;

/**
 * Prints until SIGINT or SIGTERM, then 0. A gateway that is away for a while is said to be away, once it has been
 * reached: whoever watches a restart wants to go on. Throws CliError where it is not reached at all.
 */
export async function watchStatus(
  route: string | undefined,
  flags: RemoteFlags,
  context: Context,
): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  // Not `once`: log-update kills the process at a signal for which it finds no listener but its own.
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const client = createAdminClient({ ...flags, signal: stop.signal });
  const { out } = context.streams;
  try {
    if (flags.output === "json" || !isLive(out, context.env))
      await watchPlain(route, client, flags, context, stop.signal);
    else {
      const view = route === undefined ? tableView(client) : routeView(client, route);
      await watchLive(view, INTERVAL_MS, context, stop.signal);
    }
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
  return EXIT_DONE;
}

/** Texts parted by empty lines, or a document of JSON a line; no character moves a cursor. */
async function watchPlain(
  route: string | undefined,
  client: AdminClient,
  flags: RemoteFlags,
  context: Context,
  stop: AbortSignal,
): Promise<void> {
  const isJson = flags.output === "json";
  let isFirst = true;
  while (!stop.aborted) {
    const text = await render(route, client, isJson, context).catch((error: unknown) => {
      if (stop.aborted) return null;
      // Never reached: more likely a wrong address than a restart.
      if (isFirst || !(error instanceof CliError) || error.exitCode !== EXIT_UNREACHABLE) throw error;
      return isJson ? formatJsonLine(failureReport(error)) : context.paint("red", printable(error.message));
    });
    if (text !== null) context.streams.out.write(`${isFirst || isJson ? "" : "\n"}${text}\n`);
    isFirst = false;
    await sleep(INTERVAL_MS, undefined, { signal: stop }).catch(() => undefined);
  }
}

async function render(
  route: string | undefined,
  client: AdminClient,
  isJson: boolean,
  { streams: { out }, paint }: Context,
): Promise<string> {
  const columns = out.isTTY === true ? (out.columns ?? null) : null;
  if (route === undefined) {
    const report = await fetchStatus(client);
    return isJson ? formatJsonLine(report) : describeStatus(report, columns, paint);
  }
  const report = await fetchRoute(client, route);
  return isJson ? formatJsonLine(report) : describeRoute(report, columns, paint);
}
