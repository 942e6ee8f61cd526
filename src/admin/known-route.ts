/** Which routes there are to ask for. */

import type { RouteStatus } from "../model/reports.ts";
import type { Desk } from "./desk.ts";
import { Problem, quoted } from "./problem.ts";

/** So many names of routes are in an error. */
const MOST_NAMES = 10;

/** The route that a path names. Throws a Problem (404). */
export function routeOf(
  desk: Desk,
  { names }: { readonly names: Readonly<Record<string, string>> },
): RouteStatus {
  const name = names.name ?? "";
  const route = desk.route(name);
  if (route !== undefined) return route;
  throw noRoute(desk, name);
}

/**
 * What was found of a route. Throws a Problem (404) where nothing was and the rules do not name it: of one that they
 * have dropped there may be records.
 */
export function known<T>(desk: Desk, route: string | null, found: readonly T[]): readonly T[] {
  if (route === null || found.length > 0 || desk.route(route) !== undefined) return found;
  throw noRoute(desk, route);
}

export function noRoute(desk: Desk, name: string): Problem {
  return new Problem(404, `no route is named ${quoted(name)}: ${whichThereAre(desk)}`);
}

function whichThereAre(desk: Desk): string {
  const names = desk.status().routes.map((route) => quoted(route.name));
  if (names.length === 0) return "the rules name none";
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  return `the rules name ${names.slice(0, MOST_NAMES).join(", ")}${more} (GET /api/v1/status lists them)`;
}
