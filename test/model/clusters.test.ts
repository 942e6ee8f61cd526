/** Differences by place: right counts, regular ways, bounded memory. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { restoreClusters, snapshotClusters } from "../../src/model/cluster-snapshot.ts";
import {
  addDifferences,
  type Clustered,
  type Clusters,
  clusterId,
  createClusters,
  topClusters,
} from "../../src/model/clusters.ts";
import type { Difference, MismatchCluster } from "../../src/model/reports.ts";
import { seeded } from "./traffic.ts";

function difference(template: string, changes: Partial<Difference> = {}): Difference {
  return { place: template, template, kind: "value", old: '"a"', new: '"b"', relation: null, ...changes };
}

/** One pair; `compared` counts itself up from 1. */
function add(
  clusters: Clusters,
  differences: readonly Difference[],
  changes: Partial<Parameters<typeof addDifferences>[1]> = {},
): Clustered {
  const at = "2026-01-01T00:00:00.000Z";
  return addDifferences(clusters, {
    differences,
    at,
    compared: 1,
    withExamples: true,
    transientMs: null,
    ...changes,
  });
}

/** What is really in use. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

function top(clusters: Clusters, compared = 100, limit = 100): MismatchCluster[] {
  return topClusters(clusters, { limit, compared, noiseOf: () => null });
}

const counts = (clusters: Clusters) => top(clusters).map(({ place, count }) => [place, count]);

test("a pair counts once at each of its places, however often it differs there", () => {
  const clusters = createClusters("r", 100);
  add(clusters, [difference("$.items[*].price"), difference("$.items[*].price"), difference("$.name")]);
  add(clusters, [difference("$.items[*].price")]);
  add(clusters, [difference("$.items[*].price", { kind: "missing", new: null })]);
  assert.deepEqual(
    top(clusters).map(({ place, kind, count, overcount }) => [place, kind, count, overcount]),
    [
      ["$.items[*].price", "value", 2, 0],
      ["$.name", "value", 1, 0],
      ["$.items[*].price", "missing", 1, 0],
    ],
  );
});

test("an id is the same for the same route, place and kind, and no other", () => {
  const clusters = createClusters("r", 100);
  const { ids, begun } = add(clusters, [difference("$.a"), difference("$.b")]);
  assert.deepEqual(ids, [
    clusterId("r", { template: "$.a", kind: "value" }),
    clusterId("r", { template: "$.b", kind: "value" }),
  ]);
  assert.deepEqual(begun, ids);
  assert.match(ids[0] ?? "", /^[0-9a-f]{12}$/);
  assert.deepEqual(add(clusters, [difference("$.a")]).begun, []);
  assert.notEqual(clusterId("r", { template: "$.a", kind: "type" }), ids[0]);
  assert.notEqual(clusterId("s", { template: "$.a", kind: "value" }), ids[0]);
});

test("a cluster says since when, how often of the pairs since then, and shows one example", () => {
  const clusters = createClusters("r", 100);
  add(clusters, [difference("$.a", { old: '"x"', new: '"y"' })], {
    at: "2026-01-01T00:00:01.000Z",
    compared: 51,
  });
  add(clusters, [difference("$.a", { old: '"v"', new: '"w"' })], {
    at: "2026-01-01T00:00:09.000Z",
    compared: 60,
  });
  const [cluster] = top(clusters, 70);
  assert.deepEqual(
    [cluster?.firstAt, cluster?.lastAt, cluster?.share, cluster?.example],
    ["2026-01-01T00:00:01.000Z", "2026-01-01T00:00:09.000Z", 2 / 20, { old: '"x"', new: '"y"' }],
  );
});

test("without examples no text of an answer is kept anywhere", () => {
  const clusters = createClusters("r", 100);
  const secret = difference("$.a", { old: '"s3cret-1"', new: '"s3cret-2"' });
  for (let i = 0; i < 3; i += 1) add(clusters, [secret], { withExamples: false });
  assert.deepEqual(top(clusters)[0]?.example, { old: null, new: null });
  assert.ok(!JSON.stringify(snapshotClusters(clusters, 1, 100)).includes("s3cret"));
});

test("a regular way is named with its share of the pairs, where all differences of the pair go that way", () => {
  const clusters = createClusters("r", 100);
  const cased = difference("$.a", { relation: "case" });
  for (let i = 0; i < 6; i += 1) add(clusters, [cased]);
  for (let i = 0; i < 2; i += 1) add(clusters, [cased, difference("$.a")]);
  for (let i = 0; i < 2; i += 1) add(clusters, [difference("$.a", { relation: "rounding" })]);
  assert.deepEqual(top(clusters)[0]?.relation, { name: "case", share: 0.6 });
});

test("ids that follow one to one are named an id mapping", () => {
  const clusters = createClusters("r", 100);
  const random = seeded(1);
  for (let i = 0; i < 60; i += 1) {
    const id = Math.floor(random() * 10);
    add(clusters, [difference("$.id", { old: `${id * 100}`, new: `"usr_${(id * 37) % 11}"` })]);
    add(clusters, [difference("$.note", { old: '"a"', new: `"n${Math.floor(random() * 1e6)}"` })]);
  }
  const relations = Object.fromEntries(top(clusters).map(({ place, relation }) => [place, relation]));
  assert.deepEqual(relations, { "$.id": { name: "id mapping", share: 1 }, "$.note": null });
});

test("pairs that were equal when asked again are counted with their delays", () => {
  const clusters = createClusters("r", 100);
  for (const transientMs of [900, 1000, 4000]) add(clusters, [difference("$.a")], { transientMs });
  add(clusters, [difference("$.a")]);
  const [cluster] = top(clusters);
  assert.equal(cluster?.count, 4);
  assert.deepEqual(cluster?.transient, { count: 3, medianMs: 1000, maxMs: 4000 });
});

test("noisy places stand after all others, with their rate", () => {
  const clusters = createClusters("r", 100);
  for (let i = 0; i < 9; i += 1) add(clusters, [difference("$.ts")]);
  add(clusters, [difference("$.a")]);
  const noiseOf = ({ template }: { template: string }) =>
    template === "$.ts" ? { rate: 0.4, triples: 200 } : null;
  const found = topClusters(clusters, { limit: 10, compared: 10, noiseOf });
  assert.deepEqual(
    found.map(({ place, noise }) => [place, noise]),
    [
      ["$.a", null],
      ["$.ts", { rate: 0.4, triples: 200 }],
    ],
  );
});

test("names that are data become one cluster, with the sum of their counts, and the old ids lead to it", () => {
  const clusters = createClusters("r", 1000);
  const early = add(clusters, [difference("$.users.user0.email")]).ids[0] ?? "";
  const merged: Clustered["merged"][number][] = [];
  for (let i = 1; i < 80; i += 1)
    merged.push(...add(clusters, [difference(`$.users.user${i}.email`)], { compared: i + 1 }).merged);
  add(clusters, [difference("$.users.user3.name")]);
  assert.deepEqual(counts(clusters), [
    ["$.users[*].email", 80],
    ["$.users[*].name", 1],
  ]);
  const id = clusterId("r", { template: "$.users[*].email", kind: "value" });
  assert.equal(clusters.aliases.get(early), id);
  assert.equal(merged.length, 1);
  assert.equal(merged[0]?.to, id);
  assert.equal(merged[0]?.from.length, 50);
  assert.equal(top(clusters)[0]?.overcount, 0);
});

test("a pair that differed at two names is counted twice by their fold, and the overcount says so", () => {
  const clusters = createClusters("r", 1000);
  for (let i = 0; i < 60; i += 1) add(clusters, [difference(`$.m.k${i}`), difference(`$.m.j${i % 5}`)]);
  const [cluster] = top(clusters);
  assert.equal(cluster?.place, "$.m[*]");
  const { count, overcount } = cluster ?? assert.fail();
  assert.ok(count >= 60 && count - overcount <= 60, `${count} - ${overcount}`);
});

test("whatever folds, no true count is outside what is said of it", () => {
  const name = fc.integer({ min: 0, max: 70 });
  const place = fc.oneof(
    fc.tuple(name, fc.constantFrom("a", "b")).map(([n, field]) => `$.map.n${n}.${field}`),
    fc.constantFrom("$.x", "$.y", "header:etag", "status"),
  );
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(place, { maxLength: 4 }), { maxLength: 250 }), (pairs) => {
      const clusters = createClusters("r", 1000);
      for (const places of pairs)
        add(
          clusters,
          places.map((each) => difference(each)),
        );
      for (const { place: template, count, overcount } of top(clusters, pairs.length, 1000)) {
        const folded = (each: string) =>
          template.includes("[*]") ? each.replace(/^\$\.map\.n\d+/, "$.map[*]") : each;
        const truth = pairs.filter((places) => places.some((each) => folded(each) === template)).length;
        assert.ok(
          count >= truth && count - overcount <= truth,
          `${template}: ${truth}, ${count}-${overcount}`,
        );
      }
    }),
    { numRuns: 60 },
  );
});

// bench/clusters.ts has the million.
test("the most frequent of a flood are right, in bounded memory", () => {
  const clusters = createClusters("r", 1000);
  const before = heapBytes();
  const random = seeded(3);
  const exact = new Map<string, number>();
  for (let i = 0; i < 200_000; i += 1) {
    // Headers do not fold.
    const isFrequent = i % 20 === 0;
    const template = isFrequent ? `header:h${Math.floor(1 / random()) % 1000}` : `header:rare${i}`;
    if (isFrequent) exact.set(template, (exact.get(template) ?? 0) + 1);
    add(clusters, [difference(template, { kind: "header", old: `"${i}"`, new: `"x${i}"` })], {
      compared: i + 1,
    });
  }
  const grownMb = (heapBytes() - before) / 1024 / 1024;
  assert.ok(grownMb < 16, `${grownMb} MB`);
  assert.equal(clusters.counter.slots.size, 1000);
  const head = [...exact].sort((a, b) => b[1] - a[1]).slice(0, 5);
  const found = top(clusters, 200_000, 5);
  assert.deepEqual(
    found.map(({ place }) => place),
    head.map(([place]) => place),
  );
  for (const { place, count, overcount } of found) {
    const truth = exact.get(place) ?? 0;
    assert.ok(count >= truth && count - overcount <= truth);
  }
});

test("very many distinct paths fold into a few clusters", () => {
  const clusters = createClusters("r", 1000);
  for (let i = 0; i < 50_000; i += 1)
    add(clusters, [difference(`$.a${i % 97}.b${i % 89}.c${i}`)], { compared: i + 1 });
  const [first] = top(clusters, 50_000);
  assert.equal(first?.place, "$[*][*][*]");
  const { count, overcount } = first ?? assert.fail();
  assert.ok(count >= 49_000 && count - overcount <= 50_000, `${count} - ${overcount}`);
});

test("clusters survive a restart, with shares that go on", () => {
  const clusters = createClusters("r", 200);
  for (let i = 0; i < 70; i += 1)
    add(clusters, [difference(`$.m.k${i}`, { relation: i % 2 ? "case" : null })], { compared: i + 1 });
  for (let i = 0; i < 30; i += 1)
    add(clusters, [difference("$.id", { old: `"o${i % 5}"`, new: `"n${i % 5}"` })], { compared: 71 + i });
  add(clusters, [difference("$.t")], { transientMs: 5, compared: 100 });
  const plain = JSON.parse(JSON.stringify(snapshotClusters(clusters, 100, 50)));
  const restored = restoreClusters("r", 200, plain) ?? assert.fail("not restored");
  assert.deepEqual(top(restored, 0), top(clusters, 100));
  add(restored, [difference("$.m.k999")], { compared: 1 });
  assert.deepEqual(counts(restored)[0], ["$.m[*]", 71]);
  assert.equal(top(restored, 100).find(({ place }) => place === "$.m[*]")?.share, 71 / 200);
});

test("a snapshot of another version, or none at all, is no clusters", () => {
  for (const value of [
    null,
    7,
    "x",
    {},
    { version: 2 },
    { version: 1, compared: 1, folded: [], aliases: [] },
  ])
    assert.equal(restoreClusters("r", 10, value), null);
  const broken = { version: 1, compared: 1, folded: [], aliases: [], clusters: [{ count: "many" }] };
  assert.equal(restoreClusters("r", 10, broken), null);
});
