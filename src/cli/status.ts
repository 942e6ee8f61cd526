/** `cutover status`: once, watched, or as a probe. */

import type { RemoteFlags } from "./action.ts";
import { type AdminClient, createAdminClient } from "./client.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT_DONE, EXIT_NO, EXIT_USAGE } from "./exit.ts";
import { formatJson } from "./output.ts";
import { describeRoute } from "./route-text.ts";
import { fetchRoute, fetchStatus } from "./status-fetch.ts";
import { describeStatus } from "./status-text.ts";
import { watchStatus } from "./watch.ts";

export interface StatusFlags extends RemoteFlags {
  readonly watch?: boolean;
  readonly ready?: boolean;
}

/** Prints what the gateway says of itself. 0 done, 3 when none answers; with --ready, 1 while it is not. */
export async function status(
  route: string | undefined,
  flags: StatusFlags,
  context: Context,
): Promise<number> {
  if (flags.ready) return printReadiness(route, flags, context);
  if (flags.watch) return watchStatus(route, flags, context);
  const client = createAdminClient(flags);
  context.streams.out.write(`${await render(route, client, flags, context)}\n`);
  return EXIT_DONE;
}

async function printReadiness(
  route: string | undefined,
  flags: StatusFlags,
  context: Context,
): Promise<number> {
  if (route !== undefined || flags.watch) {
    throw new CliError("--ready is about the whole gateway, once: leave ROUTE and --watch out", EXIT_USAGE);
  }
  const ready = await createAdminClient(flags).ready();
  const words = ready ? "ready" : "not ready";
  context.streams.out.write(`${flags.output === "json" ? formatJson({ ready }) : words}\n`);
  return ready ? EXIT_DONE : EXIT_NO;
}

async function render(
  route: string | undefined,
  client: AdminClient,
  flags: StatusFlags,
  { streams: { out }, paint }: Context,
): Promise<string> {
  const columns = out.isTTY === true ? (out.columns ?? null) : null;
  if (route === undefined) {
    const report = await fetchStatus(client);
    return flags.output === "json" ? formatJson(report) : describeStatus(report, columns, paint);
  }
  const report = await fetchRoute(client, route);
  return flags.output === "json" ? formatJson(report) : describeRoute(report, columns, paint);
}
