/**
 * The differences of one route by place and kind: how many pairs, since when, in what regular way. Bounded however
 * diverse they are: the most frequent are counted (`space-saving.ts`), and names that are data fold (`folding.ts`).
 */

import { hash } from "node:crypto";
import {
  type Cluster,
  createCluster,
  joinClusters,
  learnDifferences,
  learnTransient,
  medianDelayMs,
  relationOf,
} from "./cluster.ts";
import { createFolds, type Folds, foldTemplate, learnTemplate, segmentsOf } from "./folding.ts";
import type { Place } from "./pair.ts";
import type { Difference, MismatchCluster } from "./reports.ts";
import {
  countKey,
  createSpaceSaving,
  insertSlot,
  removeSlot,
  type Slot,
  type SpaceSaving,
} from "./space-saving.ts";

export interface Clusters {
  readonly route: string;
  readonly counter: SpaceSaving<Cluster>;
  readonly folds: Folds;
  /** Pairs compared in earlier runs of the gateway. */
  comparedEarlier: number;
  /** Ids that were folded into another one. */
  readonly aliases: Map<string, string>;
}

/** What one pair showed. */
export interface Differing {
  readonly differences: readonly Difference[];
  /** ISO 8601. */
  readonly at: string;
  /** Pairs of the route compared so far, this one too. */
  readonly compared: number;
  /** False: no text of an answer is kept. */
  readonly withExamples: boolean;
  /** Not null: it was equal when it was asked again so long after. */
  readonly transientMs: number | null;
}

/** What became of it. */
export interface Clustered {
  /** Ids of the clusters it belongs to. */
  readonly ids: readonly string[];
  /** Those of them that were not known. */
  readonly begun: readonly string[];
  /** Clusters that are now one: what was stored under `from` belongs to `to`. */
  readonly merged: readonly Merge[];
}

export interface Merge {
  readonly from: readonly string[];
  readonly to: string;
}

export interface ClusterView {
  readonly limit: number;
  /** Pairs of the route compared so far. */
  readonly compared: number;
  /** How often old differs from itself at a place. */
  readonly noiseOf: (place: Place) => { readonly rate: number; readonly triples: number } | null;
}

const MAX_ALIASES = 2_000;

/** Nothing has differed; at most `maxEntries` clusters are kept. */
export function createClusters(route: string, maxEntries: number): Clusters {
  return {
    route,
    counter: createSpaceSaving(maxEntries),
    folds: createFolds(maxEntries),
    comparedEarlier: 0,
    aliases: new Map(),
  };
}

/** 12 hex digits, the same for the same route, place and kind. */
export function clusterId(route: string, { template, kind }: Place): string {
  return hash("sha256", `cluster\0${route}\0${keyOf(kind, template)}`, "hex").slice(0, 12);
}

/** Takes in one pair; it counts once at each place. */
export function addDifferences(clusters: Clusters, pair: Differing): Clustered {
  const { counter, folds, route } = clusters;
  const merged: Merge[] = [];
  for (const { template } of pair.differences)
    learnTemplate(folds, template, () => merged.push(...refold(clusters)));
  const ids: string[] = [];
  const begun: string[] = [];
  const shapes = new Set<string>();
  for (const [key, differences] of byPlace(folds, pair.differences)) {
    const [first] = differences;
    if (first === undefined) continue;
    const template = foldTemplate(folds, first.template);
    const isKnown = counter.slots.has(key);
    const comparedBefore = clusters.comparedEarlier + pair.compared - 1;
    const { value: cluster } = countKey(counter, key, () => {
      const place = { template, kind: first.kind };
      const depth = segmentsOf(template).length;
      return createCluster({ ...place, depth, id: clusterId(route, place), comparedBefore }, pair.at);
    });
    cluster.lastAt = pair.at;
    learnDifferences(cluster, differences, pair.withExamples);
    if (pair.transientMs !== null) learnTransient(cluster, pair.transientMs);
    if (cluster.depth > 0 && isTaken(shapes, `${first.kind} ${cluster.depth}`)) cluster.overlaps += 1;
    ids.push(cluster.id);
    if (!isKnown) begun.push(cluster.id);
  }
  return { ids, begun, merged };
}

/** The most frequent first; those at noisy places after all others. Stored pairs are the caller's to add. */
export function topClusters(clusters: Clusters, view: ClusterView): MismatchCluster[] {
  const all = [...clusters.counter.slots.values()].map((slot) => reportOf(clusters, slot, view));
  const certain = ({ count, overcount }: MismatchCluster) => count - overcount;
  const isNoise = ({ noise }: MismatchCluster) => (noise === null ? 0 : 1);
  all.sort((a, b) => isNoise(a) - isNoise(b) || certain(b) - certain(a) || b.count - a.count);
  return all.slice(0, view.limit);
}

function reportOf(
  clusters: Clusters,
  { value: cluster, count, overcount }: Slot<Cluster>,
  { compared, noiseOf }: ClusterView,
): MismatchCluster {
  const { template, kind, firstAt, lastAt, transients, maxDelayMs, example } = cluster;
  const certain = count - overcount;
  const comparedSince = clusters.comparedEarlier + compared - cluster.comparedBefore;
  const noise = noiseOf({ template, kind });
  return {
    id: cluster.id,
    route: clusters.route,
    place: template,
    kind,
    count,
    overcount,
    share: Math.min(1, certain / Math.max(1, comparedSince)),
    firstAt,
    lastAt,
    noise: noise === null ? null : { rate: noise.rate, triples: noise.triples },
    relation: relationOf(cluster, certain),
    transient:
      transients === 0 ? null : { count: transients, medianMs: medianDelayMs(cluster), maxMs: maxDelayMs },
    example: { ...example },
    samples: [],
  };
}

export function keyOf(kind: Difference["kind"], template: string): string {
  return `${kind} ${template}`;
}

function byPlace(folds: Folds, differences: readonly Difference[]): Map<string, Difference[]> {
  const places = new Map<string, Difference[]>();
  for (const difference of differences) {
    const key = keyOf(difference.kind, foldTemplate(folds, difference.template));
    const known = places.get(key);
    if (known === undefined) places.set(key, [difference]);
    else known.push(difference);
  }
  return places;
}

function isTaken(shapes: Set<string>, shape: string): boolean {
  if (shapes.has(shape)) return true;
  shapes.add(shape);
  return false;
}

/** After a parent's members were folded: clusters that have the same place now become one. */
function refold(clusters: Clusters): Merge[] {
  const { counter, folds, route, aliases } = clusters;
  const moved = new Map<string, Slot<Cluster>[]>();
  for (const slot of counter.slots.values()) {
    const { kind, template } = slot.value;
    const key = keyOf(kind, foldTemplate(folds, template));
    if (key === slot.key) continue;
    moved.set(key, [...(moved.get(key) ?? []), slot]);
  }
  const merges: Merge[] = [];
  for (const [key, slots] of moved) {
    const from = slots.map(({ value }) => value.id);
    const known = counter.slots.get(key);
    const { value } = join(counter, key, known === undefined ? slots : [known, ...slots]);
    value.template = foldTemplate(folds, value.template);
    value.id = clusterId(route, value);
    const to = value.id;
    for (const id of from) aliases.set(id, to);
    for (const [id, target] of aliases) if (from.includes(target)) aliases.set(id, to);
    merges.push({ from, to });
  }
  for (const id of aliases.keys()) {
    if (aliases.size <= MAX_ALIASES) break;
    aliases.delete(id);
  }
  return merges;
}

function join(counter: SpaceSaving<Cluster>, key: string, slots: readonly Slot<Cluster>[]): Slot<Cluster> {
  let count = 0;
  let overcount = 0;
  let into: Cluster | null = null;
  for (const slot of slots) {
    removeSlot(counter, slot);
    count += slot.count;
    // Pairs that differed at two of them were counted at both.
    overcount += slot.overcount + slot.value.overlaps;
    slot.value.overlaps = 0;
    if (into === null) into = slot.value;
    else joinClusters(into, slot.value);
  }
  if (into === null) throw new Error("no clusters to join");
  return insertSlot(counter, { key, count, overcount, value: into });
}
