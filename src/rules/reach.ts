/** Routes that no request can reach, because an earlier one takes all of theirs. */

import { type PathTemplate, parseTemplate } from "../model/path.ts";
import type { Condition, Route } from "../model/ruleset.ts";

const EVERYTHING: Condition = { path: null, methods: null, hosts: null, headers: {}, query: {} };

interface Reach extends Condition {
  readonly template: PathTemplate | null;
}

/** Each route that no request can reach, with the first earlier one that takes everything of it. */
export function hiddenRoutes(routes: readonly Route[]): Map<Route, Route> {
  const hidden = new Map<Route, Route>();
  const earlier: { readonly route: Route; readonly reaches: readonly Reach[] }[] = [];
  for (const route of routes) {
    const reaches = reachesOf(route);
    const hider = earlier.find((other) =>
      reaches.every((narrow) => other.reaches.some((wide) => covers(wide, narrow))),
    );
    if (hider) hidden.set(route, hider.route);
    earlier.push({ route, reaches });
  }
  return hidden;
}

function reachesOf(route: Route): Reach[] {
  const conditions = route.match.length === 0 ? [EVERYTHING] : route.match;
  return conditions.map((condition) => ({
    ...condition,
    template: condition.path === null ? null : parseTemplate(condition.path),
  }));
}

/** Does every request of `narrow` fit `wide`? When in doubt, no. */
function covers(wide: Reach, narrow: Reach): boolean {
  return (
    coversPath(wide.template, narrow.template) &&
    coversList(wide.methods, narrow.methods, (a, b) => a === b) &&
    coversList(wide.hosts, narrow.hosts, coversHost) &&
    isSubset(wide.headers, narrow.headers) &&
    isSubset(wide.query, narrow.query)
  );
}

function coversList(
  wide: readonly string[] | null,
  narrow: readonly string[] | null,
  fits: (wide: string, narrow: string) => boolean,
): boolean {
  if (wide === null) return true;
  return narrow?.every((item) => wide.some((each) => fits(each, item))) ?? false;
}

function coversHost(wide: string, narrow: string): boolean {
  return wide === narrow || (wide.startsWith("*.") && narrow.endsWith(wide.slice(1)));
}

function isSubset(fewer: Readonly<Record<string, string>>, more: Readonly<Record<string, string>>): boolean {
  return Object.entries(fewer).every(([name, value]) => Object.hasOwn(more, name) && more[name] === value);
}

function coversPath(a: PathTemplate | null, b: PathTemplate | null): boolean {
  // Every path begins with "/", but for the "*" of OPTIONS, which no rule is about.
  if (a === null || (a.subtree && a.segments.length === 0)) return true;
  if (b === null) return false;
  if (b.subtree && !a.subtree) return false;
  if (a.subtree ? b.segments.length < a.segments.length : b.segments.length !== a.segments.length)
    return false;
  return a.segments.every((segment, index) => {
    const other = b.segments[index];
    // An empty segment ("/a/") is nobody's {id}.
    return segment === null ? other !== "" : segment === other;
  });
}
