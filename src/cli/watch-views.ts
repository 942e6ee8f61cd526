/** What `cutover status -w` watches: all routes, or one; each with its trend, which begins with the gateway's history. */

import type { RouteStatus, StatusReport } from "../model/reports.ts";
import type { AdminClient } from "./client.ts";
import { type Histories, historiesOf } from "./histories.ts";
import { fetchRoute, fetchStatus } from "./status-fetch.ts";
import { troubleFirst } from "./status-text.ts";
import { NO_TREND, type Trend, withHistory, withLook } from "./trend.ts";
import type { View } from "./watch-live.ts";
import { watchRoute } from "./watch-route.ts";
import { watchTable } from "./watch-table.ts";

/** So many routes have their history asked for: more than any screen shows. */
const MOST_HISTORIES = 100;

/** All routes of the gateway. */
export function tableView(client: AdminClient): View {
  let report: StatusReport | null = null;
  let trends = new Map<string, Trend>();
  const histories = historiesOf(client, (route, history) => {
    trends.set(route, withHistory(trends.get(route) ?? NO_TREND, history, Date.now()));
  });
  return {
    async look() {
      const next = await reached(fetchStatus(client), histories);
      const atMs = Date.now();
      trends = new Map(
        next.routes.map((route) => [
          route.name,
          withLook(trends.get(route.name) ?? NO_TREND, { atMs, route }),
        ]),
      );
      report = next;
      // Those that are shown where there is no room for all.
      const routes = next.routes.length > MOST_HISTORIES ? troubleFirst(next.routes) : next.routes;
      histories.want(routes.slice(0, MOST_HISTORIES).map(({ name }) => name));
    },
    picture: (drawing) => (report === null ? [] : watchTable(report, trends, drawing)),
    note: histories.note,
  };
}

/** One route in full. */
export function routeView(client: AdminClient, name: string): View {
  let route: RouteStatus | null = null;
  let trend = NO_TREND;
  const histories = historiesOf(client, (_route, history) => {
    trend = withHistory(trend, history, Date.now());
  });
  return {
    async look() {
      route = await reached(fetchRoute(client, name), histories);
      trend = withLook(trend, { atMs: Date.now(), route });
      histories.want([name]);
    },
    picture: (drawing) => (route === null ? [] : watchRoute(route, trend, drawing)),
    note: histories.note,
  };
}

/** After a time without an answer the gateway knows what was not seen here. */
async function reached<T>(asked: Promise<T>, histories: Histories): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    histories.forget();
    throw error;
  }
}
