/** What is remembered of one sort of difference of a route. */

import { createIdMapping, type IdMapping, isIdMapping, joinIdMappings, learnIds } from "./id-mapping.ts";
import type { Difference } from "./reports.ts";

export interface Cluster {
  /** Of the place it has now. */
  id: string;
  template: string;
  /** Segments of the path; places that may be folded into one have equally many. 0: no path. */
  readonly depth: number;
  readonly kind: Difference["kind"];
  firstAt: string;
  lastAt: string;
  /** Pairs of the route that had been compared before the first of these. */
  comparedBefore: number;
  /** Pairs that differed at a sibling too: counted twice should the two be folded into one. */
  overlaps: number;
  example: { old: string | null; new: string | null };
  /** How often by name; a few names. */
  readonly relations: Map<string, number>;
  ids: IdMapping | null;
  transients: number;
  maxDelayMs: number;
  /** The latest. */
  readonly delaysMs: number[];
}

const MAX_RELATIONS = 8;
const MAX_DELAYS = 64;
/** A name that fits fewer of the pairs says little of them. */
const LEAST_RELATION_SHARE = 0.1;

export function createCluster(
  begun: Pick<Cluster, "id" | "template" | "depth" | "kind" | "comparedBefore">,
  at: string,
): Cluster {
  return {
    ...begun,
    firstAt: at,
    lastAt: at,
    overlaps: 0,
    example: { old: null, new: null },
    relations: new Map(),
    ids: null,
    transients: 0,
    maxDelayMs: 0,
    delaysMs: [],
  };
}

/** Takes in what one pair shows at this place, in one or several differences. */
export function learnDifferences(
  cluster: Cluster,
  differences: readonly Difference[],
  withExamples: boolean,
): void {
  const [first] = differences;
  if (first === undefined) return;
  if (withExamples && cluster.example.old === null && cluster.example.new === null)
    cluster.example = { old: first.old, new: first.new };
  const isOne = differences.every(({ relation }) => relation === first.relation);
  if (isOne && first.relation !== null) countRelation(cluster.relations, first.relation, 1);
  if (cluster.kind !== "value") return;
  for (const { old, new: fresh, relation } of differences) {
    if (old === null || fresh === null || relation !== null) continue;
    cluster.ids ??= createIdMapping();
    learnIds(cluster.ids, old, fresh);
  }
}

/** A pair that differed here was equal when it was asked again so long after. */
export function learnTransient(cluster: Cluster, delayMs: number): void {
  cluster.transients += 1;
  cluster.maxDelayMs = Math.max(cluster.maxDelayMs, delayMs);
  cluster.delaysMs.push(delayMs);
  if (cluster.delaysMs.length > MAX_DELAYS) cluster.delaysMs.shift();
}

/** The name that fits most of `count` pairs, and how many of them, 0 to 1; null: none worth a word. */
export function relationOf(cluster: Cluster, count: number): { name: string; share: number } | null {
  let name: string | null = null;
  let most = 0;
  for (const [each, times] of cluster.relations) if (times > most) [name, most] = [each, times];
  if (cluster.ids !== null && isIdMapping(cluster.ids)) {
    const others = [...cluster.relations.values()].reduce((sum, times) => sum + times, 0);
    // Beyond the values that are watched it was not looked at: what holds for those is taken to hold for all.
    const fitting = (count - others) * (cluster.ids.fitting / (cluster.ids.fitting + cluster.ids.conflicts));
    if (fitting > most) [name, most] = ["id mapping", fitting];
  }
  const share = Math.min(1, most / Math.max(1, count));
  return name === null || share < LEAST_RELATION_SHARE ? null : { name, share };
}

export function medianDelayMs({ delaysMs }: Cluster): number {
  const sorted = [...delaysMs].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? 0;
}

/** `into` takes over what is known of a sibling. */
export function joinClusters(into: Cluster, from: Cluster): void {
  if (from.firstAt < into.firstAt) {
    into.firstAt = from.firstAt;
    into.example = from.example;
  }
  if (from.lastAt > into.lastAt) into.lastAt = from.lastAt;
  into.comparedBefore = Math.min(into.comparedBefore, from.comparedBefore);
  for (const [name, times] of from.relations) countRelation(into.relations, name, times);
  if (from.ids !== null) {
    if (into.ids === null) into.ids = from.ids;
    else joinIdMappings(into.ids, from.ids);
  }
  into.transients += from.transients;
  into.maxDelayMs = Math.max(into.maxDelayMs, from.maxDelayMs);
  into.delaysMs.push(...from.delaysMs);
  into.delaysMs.splice(0, into.delaysMs.length - MAX_DELAYS);
}

/** When all names are taken the rarest makes room. */
function countRelation(relations: Map<string, number>, name: string, times: number): void {
  const known = relations.get(name);
  if (known === undefined && relations.size >= MAX_RELATIONS) {
    let rarest = "";
    let least = Number.POSITIVE_INFINITY;
    for (const [each, count] of relations) if (count < least) [rarest, least] = [each, count];
    relations.delete(rarest);
  }
  relations.set(name, (known ?? 0) + times);
}
