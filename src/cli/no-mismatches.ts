/** What an empty list of mismatches means: a sentence, never silence. */

import { counted, formatCount } from "../model/figures.ts";
import type { RouteStatus } from "../model/reports.ts";
import { printable, shortTime } from "./output.ts";
import { reasonWords } from "./route-text.ts";

/** For one route by its name, or for all of them (null). */
export function describeNone(routes: readonly RouteStatus[], name: string | null): string {
  const sum = (read: (route: RouteStatus) => number) =>
    routes.reduce((total, route) => total + read(route), 0);
  const [match, mismatch, noise, transient, uncompared] = [
    sum(({ comparisons }) => comparisons.match),
    sum(({ comparisons }) => comparisons.mismatch),
    sum(({ comparisons }) => comparisons.noise),
    sum(({ comparisons }) => comparisons.transient),
    sum(({ comparisons }) => comparisons.uncompared),
  ];
  const compared = match + mismatch + noise + transient;
  const of = name === null ? "" : ` of ${printable(name)}`;
  const reasons = reasonWords(routes.map((route) => route.uncompared));
  const why = reasons === "" ? "" : ` (${reasons})`;
  if (compared === 0 && uncompared > 0)
    return `none of ${counted(uncompared, "pair")}${of} could be compared${why}`;
  if (compared === 0) return `no pairs compared yet${of}: ${whyNone(routes)}`;
  const rest = [
    ...(noise === 0 ? [] : [`${formatCount(noise)} only in noise`]),
    ...(transient === 0 ? [] : [`${formatCount(transient)} were equal when asked again`]),
    ...(uncompared === 0 ? [] : [`${formatCount(uncompared)} more could not be compared${why}`]),
  ];
  const tail = rest.length === 0 ? "" : `; ${rest.join("; ")}`;
  if (mismatch === 0) return `compared ${counted(compared, "pair")}${of}: none differs${tail}`;
  const since = sinceOf(routes);
  const differing = `${formatCount(mismatch)} of ${counted(compared, "compared pair")}${of} ${mismatch === 1 ? "differs" : "differ"}`;
  if (since === null || since.mismatches > 0)
    return `${differing}, but no cluster of them is kept: ask again in a moment${tail}`;
  const pairs = since.compared === 0 ? "no pair" : counted(since.compared, "pair");
  return (
    `no difference${of} since the rules of comparison changed (${shortTime(since.at)}, ${pairs} compared since); ` +
    `before, ${formatCount(mismatch)} of ${counted(compared - since.compared, "pair")} differed${tail}`
  );
}

/** The routes whose mismatches were counted before their clusters began anew; null: not known of all of them. */
function sinceOf(routes: readonly RouteStatus[]): NonNullable<RouteStatus["comparisonsSince"]> | null {
  const sum = { at: "", compared: 0, mismatches: 0 };
  for (const { comparisons, comparisonsSince } of routes) {
    const since = comparisonsSince ?? null;
    if (since === null && comparisons.mismatch > 0) return null;
    if (since === null) continue;
    sum.compared += since.compared;
    sum.mismatches += since.mismatches;
    if (comparisons.mismatch > since.mismatches && since.at > sum.at) sum.at = since.at;
  }
  return sum;
}

function whyNone(routes: readonly RouteStatus[]): string {
  if (routes.length === 0) return "there are no routes";
  if (routes.every(({ shadow }) => shadow === 0))
    return "nothing is shadowed; write `shadow: 100%` in the rules";
  if (routes.every(({ shadows }) => shadows.sent === 0)) return "no shadow has been sent";
  return "shadows are sent, so either none has been answered, or the rules say `compare: off`";
}
