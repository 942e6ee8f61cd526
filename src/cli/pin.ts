/** `cutover pin` and `cutover unpin`: one key on one side, whatever shares and rollbacks say; and which keys are. */

import type { PinReport } from "../model/reports.ts";
import { act, type RemoteFlags, routePath } from "./action.ts";
import { type AdminClient, createAdminClient, notAGateway } from "./client.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT_DONE, EXIT_USAGE } from "./exit.ts";
import { formatJson, printable } from "./output.ts";
import { describePins } from "./pin-table.ts";
import { fetchRoute } from "./status-fetch.ts";

export interface PinFlags extends RemoteFlags {
  readonly reason?: string;
  /** As written: "2h". */
  readonly for?: string;
}

export interface UnpinFlags extends RemoteFlags {
  readonly reason: string;
}

/** What stands on the command line, in this order. */
export interface PinWords {
  readonly route: string | undefined;
  readonly key: string | undefined;
  readonly side: string | undefined;
}

/** 0 once the pin acts; without a key 0 with the list, also when nothing is pinned; 1 when the gateway refuses. */
export async function pin(
  { route, key, side }: PinWords,
  flags: PinFlags,
  context: Context,
): Promise<number> {
  if (route === undefined || key === undefined) return list(route, flags, context);
  if (side !== "old" && side !== "new") {
    const problem = side === undefined ? "name the side" : `"${side}" is no side`;
    throw new CliError(`${problem}: write \`cutover pin ${route} KEY old --reason …\`, or new`, EXIT_USAGE);
  }
  if (flags.reason === undefined) throw new CliError("say why: add --reason TEXT", EXIT_USAGE);
  const body = {
    key,
    side,
    reason: flags.reason,
    ...(flags.for === undefined ? {} : { for: flags.for }),
  };
  return act(`${routePath(route)}/pins`, body, `"${key}" of ${route} is pinned to ${side}`, flags, context);
}

/** 0 once the rules decide about the key again, also where it was not pinned; 1 when the gateway refuses. */
export async function unpin(
  route: string,
  key: string,
  flags: UnpinFlags,
  context: Context,
): Promise<number> {
  const body = { key, reason: flags.reason };
  return act(
    `${routePath(route)}/unpin`,
    body,
    `"${key}" of ${route} is not pinned any more`,
    flags,
    context,
  );
}

async function list(route: string | undefined, flags: PinFlags, context: Context): Promise<number> {
  if (flags.reason !== undefined || flags.for !== undefined) {
    throw new CliError(
      "name the key and the side: write `cutover pin ROUTE KEY old --reason …`; without a key the pins are listed",
      EXIT_USAGE,
    );
  }
  const client = createAdminClient(flags);
  const pins = await fetchPins(client, route);
  // A name that is misspelt has no pins either.
  if (pins.length === 0 && route !== undefined) await fetchRoute(client, route);
  const { out } = context.streams;
  const columns = out.isTTY === true ? (out.columns ?? null) : null;
  const view = { withRoute: route === undefined, columns, nowMs: Date.now() };
  const text =
    pins.length > 0 ? describePins(pins, view, context.paint) : `no key${ofRoute(route)} is pinned`;
  out.write(`${flags.output === "json" ? formatJson(pins) : text}\n`);
  return EXIT_DONE;
}

function ofRoute(route: string | undefined): string {
  return route === undefined ? "" : ` of ${printable(route)}`;
}

async function fetchPins(client: AdminClient, route: string | undefined): Promise<readonly PinReport[]> {
  const filter = route === undefined ? "" : `?route=${encodeURIComponent(route)}`;
  const pins = await client.get(`/api/v1/pins${filter}`);
  if (!Array.isArray(pins) || !pins.every(isPin)) throw notAGateway(client.url);
  return pins;
}

// Enough to tell a gateway from something else; a gateway's own fields are its promise.
function isPin(value: unknown): value is PinReport {
  return typeof value === "object" && value !== null && "key" in value && typeof value.key === "string";
}
