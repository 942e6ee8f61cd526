/** Clusters as plain JSON, to be kept over restarts. */

import type { Cluster } from "./cluster.ts";
import { type Clusters, createClusters, keyOf } from "./clusters.ts";
import type { IdMapping } from "./id-mapping.ts";
import { insertSlot, type Slot } from "./space-saving.ts";

const VERSION = 1;

type PlainCluster = Omit<Cluster, "relations" | "ids"> & {
  readonly relations: [string, number][];
  readonly ids: PlainIds | null;
};

interface PlainIds {
  readonly toNew: [number, number][];
  readonly repeated: number[];
  readonly fitting: number;
  readonly repeats: number;
  readonly conflicts: number;
}

interface PlainSlot {
  readonly count: number;
  readonly overcount: number;
  readonly cluster: PlainCluster;
}

export interface ClusterSnapshot {
  readonly version: typeof VERSION;
  /** Pairs of the route compared until then. */
  readonly compared: number;
  readonly folded: readonly string[];
  readonly aliases: readonly [string, string][];
  /** The most frequent first. */
  readonly clusters: readonly PlainSlot[];
}

/** The `limit` most frequent clusters; `compared`: pairs of the route compared in this run. */
export function snapshotClusters(clusters: Clusters, compared: number, limit: number): ClusterSnapshot {
  const slots = [...clusters.counter.slots.values()].sort(
    (a, b) => b.count - b.overcount - (a.count - a.overcount),
  );
  return {
    version: VERSION,
    compared: clusters.comparedEarlier + compared,
    folded: [...clusters.folds.parents],
    aliases: [...clusters.aliases],
    clusters: slots.slice(0, limit).map(plainSlot),
  };
}

/** The clusters as they were; null: `snapshot` is none of this version. */
export function restoreClusters(route: string, maxEntries: number, snapshot: unknown): Clusters | null {
  if (!isSnapshot(snapshot)) return null;
  const clusters = createClusters(route, maxEntries);
  clusters.comparedEarlier = snapshot.compared;
  for (const parent of snapshot.folded) clusters.folds.parents.add(parent);
  for (const [from, to] of snapshot.aliases) clusters.aliases.set(from, to);
  for (const { count, overcount, cluster } of snapshot.clusters.slice(0, maxEntries)) {
    const key = keyOf(cluster.kind, cluster.template);
    insertSlot(clusters.counter, { key, count, overcount, value: clusterOf(cluster) });
  }
  return clusters;
}

function plainSlot({ count, overcount, value }: Slot<Cluster>): PlainSlot {
  const { relations, ids } = value;
  return {
    count,
    overcount,
    cluster: { ...value, relations: [...relations], ids: ids === null ? null : plainIds(ids) },
  };
}

function plainIds({ toNew, repeated, fitting, repeats, conflicts }: IdMapping): PlainIds {
  return { toNew: [...toNew], repeated: [...repeated], fitting, repeats, conflicts };
}

function clusterOf(plain: PlainCluster): Cluster {
  return {
    ...plain,
    delaysMs: [...plain.delaysMs],
    relations: new Map(plain.relations),
    ids: plain.ids === null ? null : idsOf(plain.ids),
  };
}

function idsOf({ toNew, repeated, fitting, repeats, conflicts }: PlainIds): IdMapping {
  const toOld = new Map(toNew.map(([oldId, newId]) => [newId, oldId] as const));
  return { toNew: new Map(toNew), toOld, repeated: new Set(repeated), fitting, repeats, conflicts };
}

/** What the gateway wrote itself, under a checksum or not: a look at the outside of each part is enough. */
function isSnapshot(value: unknown): value is ClusterSnapshot {
  if (!isRecord(value) || value.version !== VERSION || typeof value.compared !== "number") return false;
  const { folded, aliases, clusters } = value;
  if (!Array.isArray(folded) || !Array.isArray(aliases) || !Array.isArray(clusters)) return false;
  return aliases.every(Array.isArray) && clusters.every(isPlainSlot);
}

function isPlainSlot(value: unknown): boolean {
  if (!isRecord(value) || !isRecord(value.cluster)) return false;
  const { count, overcount, cluster } = value;
  const { id, template, kind, firstAt, lastAt, relations, delaysMs, example, ids } = cluster;
  return (
    [count, overcount, cluster.comparedBefore, cluster.transients].every(Number.isFinite) &&
    [id, template, kind, firstAt, lastAt].every((text) => typeof text === "string") &&
    [relations, delaysMs].every(Array.isArray) &&
    isRecord(example) &&
    (ids === null || (isRecord(ids) && Array.isArray(ids.toNew) && Array.isArray(ids.repeated)))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
