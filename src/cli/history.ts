/** `cutover history`: the audit trail, or the report of a route's rollout. */

import type { AuditEntry } from "../model/reports.ts";
import type { RemoteFlags } from "./action.ts";
import { routePath } from "./action.ts";
import { type AdminClient, createAdminClient, notAGateway } from "./client.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT_DONE, EXIT_USAGE } from "./exit.ts";
import { describeHistory } from "./history-text.ts";
import { formatJson, printable, printableLines } from "./output.ts";
import { fetchRoute } from "./status-fetch.ts";

export interface HistoryFlags extends RemoteFlags {
  readonly limit?: number;
  readonly report?: boolean;
}

/** Entries that are asked for where nobody says how many. */
const DEFAULT_LIMIT = 50;

/** Prints it. 0 done, also when nothing has happened; 1 when the gateway knows no such route. */
export async function history(
  route: string | undefined,
  flags: HistoryFlags,
  context: Context,
): Promise<number> {
  const client = createAdminClient(flags);
  if (flags.report === true) await printReport(route, client, flags, context);
  else await printTrail(route, client, flags, context);
  return EXIT_DONE;
}

async function printReport(
  route: string | undefined,
  client: AdminClient,
  flags: HistoryFlags,
  { streams: { out } }: Context,
): Promise<void> {
  if (route === undefined) {
    throw new CliError("--report is about one route: write `cutover history ROUTE --report`", EXIT_USAGE);
  }
  if (flags.limit !== undefined)
    throw new CliError("--limit is about the list: leave it out with --report", EXIT_USAGE);
  const report = await client.getText(`${routePath(route)}/report`);
  // Enough to tell a gateway from something else.
  if (!report.startsWith("# ")) throw notAGateway(client.url);
  out.write(flags.output === "json" ? `${formatJson({ route, report })}\n` : printableLines(report));
}

async function printTrail(
  route: string | undefined,
  client: AdminClient,
  flags: HistoryFlags,
  { streams: { out }, paint }: Context,
): Promise<void> {
  const limit = flags.limit ?? DEFAULT_LIMIT;
  const entries = await fetchAudit(client, route, limit);
  if (flags.output === "json") {
    out.write(`${formatJson(entries)}\n`);
    return;
  }
  if (entries.length === 0) {
    // A route that nobody knows has no history either: the refusal says so.
    if (route !== undefined) await fetchRoute(client, route);
    out.write(
      `nothing is in the audit trail${route === undefined ? "" : ` of ${printable(route)}`} yet: ` +
        "promotions, pauses, rollbacks, resets and reloads are\n",
    );
    return;
  }
  const columns = out.isTTY === true ? (out.columns ?? null) : null;
  const text = describeHistory(entries, { withRoute: route === undefined, columns }, paint);
  const hint = entries.length < limit ? "" : `\n${paint("dim", `the newest ${limit}: --limit shows more`)}\n`;
  out.write(`${text}\n${hint}`);
}

async function fetchAudit(
  client: AdminClient,
  route: string | undefined,
  limit: number,
): Promise<readonly AuditEntry[]> {
  const query = new URLSearchParams({ ...(route === undefined ? {} : { route }), limit: String(limit) });
  const answer = await client.get(`/api/v1/audit?${query}`);
  if (!Array.isArray(answer) || !answer.every(isEntry)) throw notAGateway(client.url);
  return answer;
}

// Enough to tell a gateway from something else; a gateway's own fields are its promise.
function isEntry(value: unknown): value is AuditEntry {
  return (
    typeof value === "object" &&
    value !== null &&
    "at" in value &&
    typeof value.at === "string" &&
    "action" in value &&
    typeof value.action === "string" &&
    "reason" in value &&
    typeof value.reason === "string"
  );
}
