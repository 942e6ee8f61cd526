/** Stored samples judged again: under the rules in force, with what is known of noise, and one place ignored besides. */

import type { RetroResult } from "../admin/desk.ts";
import { type Books, noiseOf } from "../control/books.ts";
import type { Store } from "../control/store-types.ts";
import { checkPath } from "../model/jsonpath.ts";
import type { Place } from "../model/pair.ts";
import type { MismatchSample } from "../model/reports.ts";
import type { Compare, Ruleset } from "../model/ruleset.ts";
import { judgeAgainInThread } from "../workers/retro.ts";

export interface RetroParts {
  readonly store: Store;
  readonly books: Books;
}

export interface RetroFilter {
  readonly route: string | null;
  /** A JSONPath, "header:NAME", "status" or "body". Needs a route. */
  readonly ignore: string | null;
}

export async function judgeSamples(
  filter: RetroFilter,
  { routes, version }: Ruleset,
  { store, books }: RetroParts,
): Promise<RetroResult> {
  const { route, ignore } = filter;
  if (route !== null && !routes.some(({ name }) => name === route)) {
    return { ok: false, status: 404, why: `no route is named ${JSON.stringify(route)}` };
  }
  const mistake = ignore === null ? null : placeMistake(ignore);
  if (mistake !== null) return { ok: false, status: 400, why: mistake };

  const samples = await store.samples({ route, cluster: null, bodies: true });
  const noisy = noisyPlaces(samples, books);
  const compares: Record<string, Compare> = {};
  for (const { name, compare } of routes) {
    if (compare === null) continue;
    let left = compare;
    for (const template of noisy.get(name) ?? []) left = withoutPlace(left, template);
    // What is no path of a body is not the judge's business.
    compares[name] =
      name === route && ignore !== null && !isBodyPath(ignore) ? withoutPlace(left, ignore) : left;
  }
  const ignoring = route !== null && ignore !== null && isBodyPath(ignore) ? { route, path: ignore } : null;
  try {
    const report = await judgeAgainInThread({ samples, compares, ignoring, rulesVersion: version });
    return { ok: true, report: { ...report, ignoring: ignore } };
  } catch (error) {
    return { ok: false, status: 503, why: error instanceof Error ? error.message : String(error) };
  }
}

/** A comparison that does not look at a place: what `ignore`, `headers`, `status` or `body` would say in the rules. */
export function withoutPlace(compare: Compare, template: string): Compare {
  if (template === "status") return { ...compare, status: null };
  if (template === "body") return { ...compare, body: "off" };
  if (isBodyPath(template)) {
    return checkPath(template) === null ? { ...compare, ignore: [...compare.ignore, template] } : compare;
  }
  const header = /^header:(.+)$/.exec(template)?.[1]?.toLowerCase();
  // A line of a text has no place that rules could name.
  if (header === undefined) return compare;
  return { ...compare, headers: compare.headers.filter((name) => name !== header) };
}

/** By route, the places of its samples at which old differs from itself. */
function noisyPlaces(
  samples: readonly MismatchSample[],
  books: Books,
): ReadonlyMap<string, ReadonlySet<string>> {
  const noisy = new Map<string, Set<string>>();
  for (const { route, differences } of samples) {
    const book = books.named(route);
    if (book === undefined) continue;
    const isNoise = (place: Place): boolean => noiseOf(book, place) !== null;
    const templates = noisy.get(route) ?? new Set();
    for (const place of differences) if (isNoise(place)) templates.add(place.template);
    noisy.set(route, templates);
  }
  return noisy;
}

function isBodyPath(place: string): boolean {
  return place.startsWith("$");
}

/** Why it is no place, and what to write; null: it is one. */
function placeMistake(place: string): string | null {
  if (place === "status" || place === "body" || /^header:[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(place))
    return null;
  if (isBodyPath(place)) return checkPath(place);
  return "ignore must be a JSONPath such as $.updatedAt, or header:NAME, status or body";
}
