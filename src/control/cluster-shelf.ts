/** The clusters of one route with what control knows of them. */

import { hash } from "node:crypto";
import { restoreClusters, snapshotClusters } from "../model/cluster-snapshot.ts";
import { type Clusters, createClusters } from "../model/clusters.ts";
import { DEFAULT_COMPARE } from "../model/default-compare.ts";
import { foldTemplate } from "../model/folding.ts";
import type { Place } from "../model/pair.ts";
import type { Difference, RouteStatus } from "../model/reports.ts";
import type { Route } from "../model/ruleset.ts";
import type { Book } from "./books.ts";
import { comparisonCounts } from "./status.ts";

/** Of all routes together; shared out evenly, but for the least and the most that a route has. */
const MAX_ENTRIES = 20_000;
const LEAST_ENTRIES = 50;
const MOST_ENTRIES = 1_000;

export interface Shelf {
  readonly clusters: Clusters;
  /** Of the rules that they are found under. */
  readonly compareSha256: string;
  readonly withExamples: boolean;
  isChanged: boolean;
  savedMs: number;
  /** Pairs that were not looked at, because there was no time. */
  passedOver: number;
  /** When these clusters began, and what was counted of the route until then. */
  readonly begun: { readonly at: string; readonly comparisons: RouteStatus["comparisons"] };
}

/** Nothing was found yet. */
export function shelfFor(
  route: Route,
  maxEntries: number,
  nowMs: number,
  at: string,
  book: Book | undefined,
): Shelf {
  return {
    clusters: createClusters(route.name, maxEntries),
    compareSha256: sha256Of(route),
    withExamples: route.compare?.samples ?? false,
    isChanged: false,
    savedMs: nowMs,
    passedOver: 0,
    begun: { at, comparisons: book === undefined ? NONE_COMPARED : comparisonCounts(book) },
  };
}

const NONE_COMPARED = { match: 0, mismatch: 0, noise: 0, transient: 0, uncompared: 0 };

/** What was counted since these clusters began, which is all that they can show. */
export function comparedSince(
  { begun: { at, comparisons: before } }: Shelf,
  book: Book,
): NonNullable<RouteStatus["comparisonsSince"]> {
  const now = comparisonCounts(book);
  const compared = comparedOf(now) - comparedOf(before);
  // What is noise is only known later: it was a mismatch until then.
  const mismatches = Math.max(0, now.mismatch - before.mismatch);
  return { at, compared: Math.max(mismatches, compared), mismatches };
}

function comparedOf({ match, mismatch, noise, transient }: RouteStatus["comparisons"]): number {
  return match + mismatch + noise + transient;
}

/** Each place once, in the order of `addDifferences`. */
export function placesOf({ folds }: Clusters, differences: readonly Difference[]): readonly Place[] {
  const places = new Map<string, Place>();
  for (const { template, kind } of differences) {
    const folded = foldTemplate(folds, template);
    const name = `${kind} ${folded}`;
    if (!places.has(name)) places.set(name, { template: folded, kind });
  }
  return [...places.values()];
}

export function entriesFor(routes: number): number {
  const share = Math.floor(MAX_ENTRIES / Math.max(1, routes));
  return Math.min(MOST_ENTRIES, Math.max(LEAST_ENTRIES, share));
}

/** With more routes there is less room for each. */
export function withRoomFor(clusters: Clusters, maxEntries: number): Clusters {
  if (clusters.counter.max <= maxEntries) return clusters;
  const smaller = restoreClusters(clusters.route, maxEntries, snapshotClusters(clusters, 0, maxEntries));
  return smaller ?? clusters;
}

/** Pairs that could be compared and were looked at. */
export function comparedPairs({ passedOver }: Shelf, book: Book): number {
  return comparedOf(comparisonCounts(book)) - passedOver;
}

/** Of all that decides what is found. How much is measured, and what is asked again, changes nothing about it. */
export function sha256Of({ compare, old, new: fresh }: Route): string {
  return hash(
    "sha256",
    JSON.stringify([{ ...compare, noisePpm: 0, confirmAfterMs: null }, old, fresh]),
    "hex",
  );
}

/** Of all that decides whether a pair differs: not what of it may be stored. */
export function judgementOf({ compare, ...route }: Route): string {
  const { redact, samples } = DEFAULT_COMPARE;
  return sha256Of({ ...route, compare: compare && { ...compare, redact, samples } });
}
