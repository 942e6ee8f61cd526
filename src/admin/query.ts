/** Reads and checks what the query of a GET asks for. */

import { Problem } from "./problem.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** The history goes back so far. */
const MAX_HOURS = 48;
const DEFAULT_HOURS = 24;

export const CLUSTER_ID = /^[0-9a-f]{12}$/;

/** Null: of all routes. */
export function routeFilter(query: URLSearchParams): string | null {
  const route = query.get("route");
  return route === "" ? null : route;
}

/** Null: of all clusters. Throws a Problem (400). */
export function clusterFilter(query: URLSearchParams): string | null {
  const cluster = query.get("cluster");
  if (cluster === null || cluster === "") return null;
  if (CLUSTER_ID.test(cluster)) return cluster;
  throw new Problem(
    400,
    "cluster must be the id of a cluster, 12 hexadecimal digits: GET /api/v1/mismatches lists them",
  );
}

/** Throws a Problem (400). */
export function limitOf(query: URLSearchParams): number {
  const sent = query.get("limit");
  if (sent === null || sent === "") return DEFAULT_LIMIT;
  const limit = /^\d{1,6}$/.test(sent) ? Number(sent) : 0;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new Problem(400, `limit must be a whole number from 1 to ${MAX_LIMIT}`);
}

/** Throws a Problem (400). */
export function hoursOf(query: URLSearchParams): number {
  const sent = query.get("hours") ?? "";
  const hours = sent === "" ? DEFAULT_HOURS : /^\d{1,2}$/.test(sent) ? Number(sent) : 0;
  if (hours >= 1 && hours <= MAX_HOURS) return hours;
  throw new Problem(400, `hours must be a whole number from 1 to ${MAX_HOURS}`);
}
