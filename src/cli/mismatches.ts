/** `cutover mismatches`: where new's answers differ from old's; one pair in full; stored pairs judged again. */

import type {
  BackendStatus,
  MismatchCluster,
  MismatchSample,
  RetroReport,
  RouteStatus,
} from "../model/reports.ts";
import type { Side } from "../model/ruleset.ts";
import type { RemoteFlags } from "./action.ts";
import { type AdminClient, createAdminClient, notAGateway } from "./client.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT_DONE, EXIT_NO, EXIT_USAGE } from "./exit.ts";
import { describeClusters } from "./mismatch-table.ts";
import { describeSample } from "./mismatch-text.ts";
import { describeNone } from "./no-mismatches.ts";
import { formatJson } from "./output.ts";
import { describeRetro } from "./retro-text.ts";
import { fetchRoute, fetchStatus } from "./status-fetch.ts";

export interface MismatchesFlags extends RemoteFlags {
  readonly show?: string;
  readonly retro?: boolean;
  readonly limit?: number;
}

/** Clusters that are asked for where nobody says how many. */
const DEFAULT_LIMIT = 50;

/** Prints what was asked for. 0 done, also when there is none; 1 when the gateway knows no such route or id. */
export async function mismatches(
  route: string | undefined,
  flags: MismatchesFlags,
  context: Context,
): Promise<number> {
  checkFlags(flags);
  const client = createAdminClient(flags);
  const { out } = context.streams;
  const view = { columns: out.isTTY === true ? (out.columns ?? null) : null, nowMs: Date.now() };
  if (flags.show !== undefined) await show(flags.show, route, client, flags, view, context);
  else if (flags.retro === true) {
    const report = await fetchRetro(client, { route });
    out.write(
      `${flags.output === "json" ? formatJson(report) : describeRetro(report, view.columns, context.paint)}\n`,
    );
  } else await list(route, client, flags, view, context);
  return EXIT_DONE;
}

function checkFlags({ show, retro, limit }: MismatchesFlags): void {
  if (show !== undefined && retro === true) {
    throw new CliError("--show is about one pair: leave --retro out", EXIT_USAGE);
  }
  if (limit !== undefined && (show !== undefined || retro === true)) {
    throw new CliError("--limit is about the list: leave it out with --show and --retro", EXIT_USAGE);
  }
  if (show !== undefined && !isSampleId(show) && !isClusterId(show)) {
    throw new CliError(
      `"${show}" is not an id: write the number of a pair, or the 12 characters of a cluster from \`cutover mismatches\``,
      EXIT_USAGE,
    );
  }
}

function isSampleId(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}

/** Whether a text is a cluster's id, as `cutover mismatches` prints them. */
export function isClusterId(text: string): boolean {
  return /^[0-9a-f]{12}$/.test(text);
}

interface View {
  readonly columns: number | null;
  readonly nowMs: number;
}

async function list(
  route: string | undefined,
  client: AdminClient,
  flags: MismatchesFlags,
  view: View,
  { streams: { out }, paint }: Context,
): Promise<void> {
  const limit = flags.limit ?? DEFAULT_LIMIT;
  const clusters = await fetchClusters(client, route, limit);
  if (flags.output === "json") {
    out.write(`${formatJson(clusters)}\n`);
    return;
  }
  if (clusters.length === 0) {
    const routes: readonly RouteStatus[] =
      route === undefined ? (await fetchStatus(client)).routes : [await fetchRoute(client, route)];
    out.write(`${describeNone(routes, route ?? null)}\n`);
    return;
  }
  const withRoute = route === undefined && new Set(clusters.map((cluster) => cluster.route)).size > 1;
  const hints = clusters.length < limit ? [] : [`the first ${limit}: --limit shows more`];
  if (out.isTTY === true) hints.push("one pair in full: --show ID; to hide a place: cutover ignore ROUTE ID");
  const lines = hints.map((hint) => paint("dim", hint));
  const table = describeClusters(clusters, { withRoute, ...view }, paint);
  out.write(`${[table, ...(lines.length === 0 ? [] : ["", ...lines])].join("\n")}\n`);
}

async function show(
  id: string,
  route: string | undefined,
  client: AdminClient,
  flags: MismatchesFlags,
  view: View,
  { streams: { out }, paint }: Context,
): Promise<void> {
  const sample = await client.get(`/api/v1/mismatches/${id}`);
  if (!isSample(sample)) throw notAGateway(client.url);
  if (route !== undefined && sample.route !== route) {
    throw new CliError(
      `${id} is of route ${sample.route}: write it in place of ${route}, or no route`,
      EXIT_NO,
    );
  }
  if (flags.output === "json") {
    out.write(`${formatJson(sample)}\n`);
    return;
  }
  const { backends, routes } = await fetchStatus(client);
  const sides = routes.find(({ name }) => name === sample.route)?.backends;
  const origins = sides === undefined ? null : originsOf(sides, backends);
  out.write(`${describeSample(sample, { ...view, origins, backends }, paint)}\n`);
}

/** One address of each side, a healthy one where there is. Null: a side has none. */
function originsOf(
  { old, new: fresh }: Readonly<Record<Side, string | null>>,
  backends: readonly BackendStatus[],
): Readonly<Record<Side, string>> | null {
  const origin = (name: string | null) => {
    const endpoints = backends.find((backend) => backend.name === name)?.endpoints ?? [];
    return (endpoints.find(({ healthy }) => healthy !== false) ?? endpoints[0])?.url;
  };
  const [oldUrl, newUrl] = [origin(old), origin(fresh)];
  return oldUrl === undefined || newUrl === undefined ? null : { old: oldUrl, new: newUrl };
}

/** The clusters of a route, or of all, real ones first. Throws CliError. */
export async function fetchClusters(
  client: AdminClient,
  route: string | undefined,
  limit: number,
): Promise<readonly MismatchCluster[]> {
  const answer = await client.get(withQuery("/api/v1/mismatches", { route, limit: String(limit) }));
  if (!Array.isArray(answer) || !answer.every(isCluster)) throw notAGateway(client.url);
  return answer;
}

/** Stored pairs judged by the rules in force, and by a path to ignore besides. Throws CliError. */
export async function fetchRetro(
  client: AdminClient,
  query: { readonly route: string | undefined; readonly ignore?: string },
): Promise<RetroReport> {
  const report = await client.get(withQuery("/api/v1/retro", query));
  if (!isRetro(report)) throw notAGateway(client.url);
  return report;
}

function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

// Enough to tell a gateway from something else; a gateway's own fields are its promise.
function isCluster(value: unknown): value is MismatchCluster {
  return typeof value === "object" && value !== null && "place" in value && "example" in value;
}

function isSample(value: unknown): value is MismatchSample {
  return (
    typeof value === "object" &&
    value !== null &&
    "differences" in value &&
    Array.isArray(value.differences) &&
    "requestHeaders" in value
  );
}

function isRetro(value: unknown): value is RetroReport {
  return (
    typeof value === "object" &&
    value !== null &&
    "stillMismatch" in value &&
    "clusters" in value &&
    Array.isArray(value.clusters)
  );
}
