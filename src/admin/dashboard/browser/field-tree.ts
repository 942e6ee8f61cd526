/** Clusters by the fields that they are at: `$.items[*].price` is below `items[*]`. */

import type { MismatchCluster } from "../../../model/reports.ts";

export interface Field {
  /** The last part of the path: ".price", "[*]"; a place that is no path stands for itself. */
  readonly name: string;
  readonly clusters: readonly MismatchCluster[];
  readonly fields: readonly Field[];
  /** Of the cluster with most pairs here and below. */
  readonly most: number;
}

interface Growing {
  readonly name: string;
  readonly clusters: MismatchCluster[];
  readonly fields: Map<string, Growing>;
}

const MAX_DEPTH = 12;
const PARTS = /\.\.?[^.[\]]+|\.?\.?\[(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]'"]*)\]/gy;

/** The parts of a place from the root; one part where it is no path, or a strange one. */
export function partsOf(place: string): readonly string[] {
  if (!place.startsWith("$")) return [place];
  const rest = place.slice(1);
  const parts = rest.match(PARTS) ?? [];
  if (parts.join("") !== rest) return [place];
  return parts.length <= MAX_DEPTH
    ? ["$", ...parts]
    : ["$", ...parts.slice(0, MAX_DEPTH - 1), parts.slice(MAX_DEPTH - 1).join("")];
}

export function fieldTree(clusters: readonly MismatchCluster[]): readonly Field[] {
  const root: Growing = { name: "", clusters: [], fields: new Map() };
  for (const cluster of clusters) {
    let at = root;
    for (const part of partsOf(cluster.place)) {
      let next = at.fields.get(part);
      if (next === undefined) {
        next = { name: part, clusters: [], fields: new Map() };
        at.fields.set(part, next);
      }
      at = next;
    }
    at.clusters.push(cluster);
  }
  return grown(root).fields;
}

/** The greatest first. */
function grown({ name, clusters, fields }: Growing): Field {
  const below = [...fields.values()].map(grown).sort((a, b) => b.most - a.most);
  const most = Math.max(0, ...clusters.map(({ count }) => count), ...below.map((field) => field.most));
  return { name, clusters, fields: below, most };
}
