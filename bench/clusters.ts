/**
 * Memory and time of clusters: a million mismatches, each at a place of its own or of few, beside what is really there:
 * `node --expose-gc bench/clusters.ts`. Exits with 1 where they take more than 64 MB, or hide the most frequent.
 */

import { addDifferences, type Clusters, createClusters, topClusters } from "../src/model/clusters.ts";
import type { Difference } from "../src/model/reports.ts";
import { seeded } from "../test/model/traffic.ts";

const PAIRS = 1_000_000;
const MAX_MB = 64;

function difference(template: string, i: number): Difference {
  const kind = template.startsWith("$") ? "value" : "header";
  return { place: template, template, kind, old: `"old ${i}"`, new: `"new ${i * 7}"`, relation: null };
}

function heapMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

let isWell = true;
const PLACES: Record<string, (i: number) => string> = {
  headers: (i) => `header:rare${i}`,
  "paths of distinct names": (i) => `$.a.rare${i}`,
  "deep paths of distinct names": (i) => `$.a${i % 97}.b${i % 89}.c${i % 83}.d${i}`,
};
for (const [name, rare] of Object.entries(PLACES)) {
  const random = seeded(1);
  const exact = new Map<string, number>();
  const before = heapMb();
  const began = process.cpuUsage();
  const clusters: Clusters = createClusters("bench", 1000);
  for (let i = 0; i < PAIRS; i += 1) {
    // One in twenty is at one of a hundred places, the first of them most often.
    const frequent = `header:h${Math.floor(1 / random()) % 100}`;
    const template = i % 20 === 0 ? frequent : rare(i);
    if (i % 20 === 0) exact.set(template, (exact.get(template) ?? 0) + 1);
    addDifferences(clusters, {
      differences: [difference(template, i)],
      at: "2026-01-01T00:00:00.000Z",
      compared: i + 1,
      withExamples: true,
      transientMs: null,
    });
  }
  const { user, system } = process.cpuUsage(began);
  const grownMb = heapMb() - before;
  const head = [...exact].sort((a, b) => b[1] - a[1]).slice(0, 5);
  const found = topClusters(clusters, { limit: 20, compared: PAIRS, noiseOf: () => null });
  const missing = head.filter(([place]) => !found.some((cluster) => cluster.place === place));
  if (grownMb > MAX_MB || missing.length > 0) isWell = false;
  console.log(
    `${name}: ${clusters.counter.slots.size} clusters, ${grownMb.toFixed(1)} MB, ` +
      `${((user + system) / PAIRS).toFixed(1)} µs a pair, ${missing.length} of the 5 most frequent missing`,
  );
}
if (!isWell) process.exit(1);
