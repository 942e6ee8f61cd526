/** `cutover status` as text: the whole gateway. (route-text.ts: one route in full.) */

import type { RouteStatus, StatusReport } from "../model/reports.ts";
import { gatewayLines } from "./gateway-lines.ts";
import type { Paint } from "./output.ts";
import { routeTable } from "./status-table.ts";

/** The gateway's own lines, then its routes, in the width of the terminal; `columns` null: nothing is cut. */
export function describeStatus(report: StatusReport, columns: number | null, paint: Paint): string {
  const table = report.routes.length === 0 ? ["no routes"] : routeTable(report.routes, columns, paint);
  return [...gatewayLines(report, columns, paint), "", ...table].join("\n");
}

/** Those that a person must look at first: latched before everything, then by how near a trip is. */
export function troubleFirst(routes: readonly RouteStatus[]): RouteStatus[] {
  return routes.toSorted((a, b) => trouble(b) - trouble(a));
}

function trouble(route: RouteStatus): number {
  return route.latched ? 1_000 : Math.max(0, ...Object.values(route.evidence));
}
