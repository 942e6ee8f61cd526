/** What an empty list of mismatches means: a sentence, never silence. */

import type { RouteStatus } from "../model/reports.ts";
import { counted, formatCount, printable } from "./output.ts";
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
  return (
    `${formatCount(mismatch)} of ${counted(compared, "compared pair")}${of} ` +
    `${mismatch === 1 ? "differs" : "differ"}, but no cluster of them is kept: ask again in a moment${tail}`
  );
}

function whyNone(routes: readonly RouteStatus[]): string {
  if (routes.length === 0) return "there are no routes";
  if (routes.every(({ shadow }) => shadow === 0))
    return "nothing is shadowed; write `shadow: 100%` in the rules";
  if (routes.every(({ shadows }) => shadows.sent === 0)) return "no shadow has been sent";
  return "shadows are sent, so either none has been answered, or the rules say `compare: off`";
}
