/** What the gateway says of itself and its routes, asked for and looked at. */

import type { HistoryReport } from "../model/history-report.ts";
import type { RouteStatus, StatusReport } from "../model/reports.ts";
import { routePath } from "./action.ts";
import { type AdminClient, notAGateway } from "./client.ts";

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

/** What a route did in the last hour, the last minutes in stretches of five seconds. Throws CliError. */
export async function fetchHistory(client: AdminClient, route: string): Promise<HistoryReport> {
  const report = await client.get(`/api/v1/history?${new URLSearchParams({ route, hours: "1" })}`);
  if (!isHistoryReport(report)) throw notAGateway(client.url);
  return report;
}

function isHistoryReport(value: unknown): value is HistoryReport {
  return (
    typeof value === "object" &&
    value !== null &&
    "points" in value &&
    Array.isArray(value.points) &&
    value.points.every(
      (point: unknown) =>
        typeof point === "object" && point !== null && "at" in point && typeof point.at === "string",
    ) &&
    "limits" in value &&
    typeof value.limits === "object" &&
    value.limits !== null
  );
}
