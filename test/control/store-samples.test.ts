import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openStore } from "../../src/control/store/client.ts";
import { StateDatabase } from "../../src/control/store/database.ts";
import { SAMPLE_CAPS } from "../../src/control/store/samples.ts";
import type { NewSample } from "../../src/control/store-types.ts";
import { ALL, sample, temporaryFolder } from "./store-fixtures.ts";

const of = (name: string, ...clusters: string[]): NewSample => sample(name, { clusters });
const named = (samples: readonly { readonly requestId: string }[]) =>
  samples.map(({ requestId }) => requestId);

test("of a cluster the first sample and the newest four are kept", (context) => {
  const database = new StateDatabase(temporaryFolder(context));
  context.after(() => database.close());
  for (let i = 1; i <= 9; i++) database.addSamples([of(`a${i}`, "a")]);
  assert.deepEqual(named(database.samples(ALL)), ["a9", "a8", "a7", "a6", "a1"]);
});

test("a rare cluster's only sample is not pushed out by a frequent one", (context) => {
  const caps = { ...SAMPLE_CAPS, maxCount: 4 };
  const database = new StateDatabase(temporaryFolder(context), { caps });
  context.after(() => database.close());
  database.addSamples([of("rare", "r")]);
  for (let i = 1; i <= 50; i++) database.addSamples([of(`a${i}`, "a"), of(`b${i}`, "b")]);
  const kept = named(database.samples(ALL));
  assert.equal(kept.length, 4);
  for (const name of ["rare", "a50", "b50"]) assert.ok(kept.includes(name), `${name} of ${kept}`);
});

test("a sample is kept for whichever of its clusters has the fewest", (context) => {
  const database = new StateDatabase(temporaryFolder(context));
  context.after(() => database.close());
  database.addSamples([of("both", "a", "rare")]);
  for (let i = 1; i <= 9; i++) database.addSamples([of(`a${i}`, "a")]);
  assert.ok(named(database.samples({ ...ALL, cluster: "rare" })).includes("both"));
  assert.equal(database.sampleOfCluster("rare")?.requestId, "both");
  assert.equal(database.sampleOfCluster("a")?.requestId, "a9");
  assert.equal(database.sampleOfCluster("nobody"), undefined);
  assert.deepEqual(database.sampleOfCluster("rare")?.clusters, ["a", "rare"]);
});

test("ids are told by cluster, newest first, and follow clusters that are folded into one", (context) => {
  const database = new StateDatabase(temporaryFolder(context));
  context.after(() => database.close());
  database.addSamples([of("1", "a"), of("2", "b", "x"), of("3", "a", "b")]);
  assert.deepEqual(
    database.clusterSamples(),
    new Map([
      ["a", [3, 1]],
      ["b", [3, 2]],
      ["x", [2]],
    ]),
  );
  database.mergeClusterSamples(["a", "b", "ab"], "ab");
  assert.deepEqual(
    database.clusterSamples(),
    new Map([
      ["ab", [3, 2, 1]],
      ["x", [2]],
    ]),
  );
});

test("a list has no bodies unless they are asked for, and then no more than a bound of them", (context) => {
  const database = new StateDatabase(temporaryFolder(context));
  context.after(() => database.close());
  database.addSamples(
    Array.from({ length: 6 }, (_, i) => sample(`${i}`, { clusters: [`${i}`] }, 4 * 1024 * 1024)),
  );
  assert.equal(database.samples(ALL).length, 6);
  for (const { old, new: fresh } of database.samples(ALL))
    assert.deepEqual([old.body, fresh.body], [null, null]);
  const whole = database.samples({ ...ALL, bodies: true });
  assert.deepEqual(named(whole), ["5", "4", "3"]);
  assert.equal(whole[0]?.old.body?.length, 4 * 1024 * 1024);
});

test("clusters are put in place of those before, and leave with their route", async (context) => {
  const folder = temporaryFolder(context);
  const store = await openStore(folder);
  const record = (route: string, clusters: string, at = new Date().toISOString()) => ({
    route,
    at,
    compareSha256: "0".repeat(64),
    clusters,
  });
  const [one, two] = [record("a", '{"n":1}'), record("b", '{"n":2}')];
  await store.saveClusters([one, two], ["a", "b"]);
  const [later] = [record("a", '{"n":3}')];
  await store.saveClusters([later], ["a", "b"]);
  await store.close();
  const again = await openStore(folder);
  assert.deepEqual(again.health, { kind: "sound" });
  assert.deepEqual(await again.clusters(), [later, two]);
  await again.saveClusters([], ["b"]);
  assert.deepEqual(await again.clusters(), [two]);
  const old = new Date(Date.now() - SAMPLE_CAPS.maxAgeMs - 1_000).toISOString();
  await again.saveClusters([record("b", "{}", old)], ["b"]);
  assert.deepEqual(await again.clusters(), [], "as old as samples may be");
  await again.close();
});

test("what is dropped is gone from the files, log and free pages too", async (context) => {
  const folder = temporaryFolder(context);
  const database = new StateDatabase(folder);
  context.after(() => database.close());
  const secret = "jane.doe@example.com";
  const filled = (name: string, route: string) =>
    sample(name, { route, old: { ...sample(name).old, body: `${name} ${secret} `.repeat(2_000) } });
  database.addSamples([filled("1", "a"), filled("2", "b"), filled("3", "a")]);
  database.saveClusters(
    [{ route: "a", at: new Date().toISOString(), compareSha256: "0", clusters: `["${secret}"]` }],
    ["a"],
  );
  const found = (text: string): boolean =>
    readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(text));
  assert.ok(found(`1 ${secret}`));
  assert.equal(database.dropSamples(["a"]), 2);
  assert.deepEqual(named(database.samples(ALL)), ["2"]);
  assert.deepEqual(database.clusters(), []);
  assert.equal(found(`1 ${secret}`), false);
  assert.ok(found(`2 ${secret}`));
  assert.equal(database.dropSamples(["a", "b"]), 1);
  assert.equal(found(secret), false);
});
