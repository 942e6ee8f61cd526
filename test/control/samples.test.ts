import assert from "node:assert/strict";
import { test } from "node:test";
import { SampleKeeper, type SampleKeeperOptions } from "../../src/control/samples.ts";
import { until } from "../support/until.ts";
import { createFakeStore, createSlowDisk, full, never } from "./fake-store.ts";
import { compared, difference, match, mismatchAt } from "./findings.ts";

const AT = "2026-05-01T10:00:00.000Z";

function open(more: Partial<SampleKeeperOptions> = {}) {
  const store = createFakeStore();
  const clock = { nowMs: 0 };
  const keeper = new SampleKeeper({
    store,
    onError: (error) => assert.fail(String(error)),
    nowMs: () => clock.nowMs,
    currentId: (cluster) => (cluster === "folded" ? "into" : cluster),
    ...more,
  });
  /** Keeps a pair of one cluster. */
  const keep = (requestId: string, cluster = requestId): void =>
    keeper.keep(mismatchAt(["$.name"], { requestId }), AT, [cluster], [cluster]);
  const ids = (): string[] => store.groups.flat().map(({ requestId }) => requestId);
  return { store, keeper, clock, keep, ids };
}

test("mismatches are stored together, with time, route, rules, clusters and both answers", async (t) => {
  const { store, keeper, keep } = open();
  t.after(() => keeper.stop());
  keep("r1", "a");
  keep("r2", "b");
  await keeper.flush();
  assert.equal(store.groups.length, 1);
  const answer = { status: 200, headers: {}, body: "{}", whole: true, bodyBytes: 2 };
  assert.deepEqual(store.groups[0]?.[0], {
    at: AT,
    route: "profiles",
    rulesVersion: "0123456789ab",
    clusters: ["a"],
    requestId: "r1",
    method: "GET",
    target: "/profiles/1",
    requestHeaders: { accept: "application/json" },
    differences: [difference("$.name")],
    old: answer,
    new: answer,
  });
});

test("what is no mismatch, has no answers, or is wanted by no cluster is not kept", async (t) => {
  const { store, keeper } = open();
  t.after(() => keeper.stop());
  keeper.keep(match(), AT, ["a"], ["a"]);
  keeper.keep(compared({ kind: "uncompared", why: "too_deep" }), AT, ["a"], ["a"]);
  keeper.keep(mismatchAt(["$.a"], { old: null, new: null }), AT, ["a"], ["a"]);
  keeper.keep(mismatchAt(["$.a"]), AT, ["a"], []);
  await keeper.flush();
  assert.deepEqual(store.groups, []);
});

test("of a frequent cluster the first ones are kept, then one every half minute", async (t) => {
  const { keeper, clock, keep, ids } = open();
  t.after(() => keeper.stop());
  for (let i = 0; i < 100_000; i += 1) {
    clock.nowMs = i;
    keep(`r${i}`, "frequent");
  }
  await keeper.flush();
  assert.deepEqual(ids(), ["r0", "r1", "r30001", "r60001", "r90001"]);
});

test("a frequent cluster does not keep a rare one from its first sample", async (t) => {
  const { keeper, keep, ids } = open();
  t.after(() => keeper.stop());
  for (let i = 0; i < 5_000; i += 1) keep(`r${i}`, "frequent");
  keep("rare");
  await keeper.flush();
  assert.deepEqual(ids(), ["r0", "r1", "rare"]);
});

test("of a flood of different mismatches fifty are stored at a time, and others have their turn after", async (t) => {
  const { keeper, keep, ids } = open();
  t.after(() => keeper.stop());
  for (let i = 0; i < 500; i += 1) keep(`r${i}`);
  await keeper.flush();
  assert.equal(ids().length, 50);
  keep("r499");
  await keeper.flush();
  assert.equal(ids().at(-1), "r499", "it was turned away, not remembered as kept");
});

test("they are stored by themselves within seconds", async (t) => {
  const { store, keeper, keep } = open();
  t.after(() => keeper.stop());
  keep("r1");
  await until("the sample is stored", () => store.groups.length === 1);
});

test("a slow store is given one group at a time", async (t) => {
  const { store, keeper, keep } = open();
  const slow = createSlowDisk();
  store.disk = slow.disk;
  t.after(() => {
    store.disk = async () => {};
    return keeper.stop();
  });
  keep("r1");
  const first = keeper.flush();
  keep("r2");
  const second = keeper.flush();
  assert.equal(slow.waiting, 1);
  slow.answerOne();
  await first;
  store.disk = async () => {};
  await second;
});

test("the end hands over what waits behind a slow group, and is not held up by a disk that hangs", async () => {
  const { store, keeper, keep, ids } = open();
  store.disk = never;
  keep("r1");
  void keeper.flush();
  keep("r2");
  store.disk = async () => {};
  keeper.stop();
  await until("the last group is stored", () => store.groups.length > 0);
  assert.deepEqual(ids(), ["r2"]);
});

test("a store that cannot be written is said, and the next group is tried again", async (t) => {
  const errors: unknown[] = [];
  const { store, keeper, keep, ids } = open({ onError: (error) => errors.push(error) });
  t.after(() => keeper.stop());
  store.disk = full;
  keep("r1");
  await keeper.flush();
  assert.match(String(errors), /disk is full/);
  store.disk = async () => {};
  keep("r2");
  await keeper.flush();
  assert.deepEqual(ids(), ["r2"]);
});

test("a field of the request that was sent twice keeps both values", async (t) => {
  const { store, keeper } = open();
  t.after(() => keeper.stop());
  const requestHeaders = ["Accept", "a/b", "x-team", "1", "accept", "c/d", "__proto__", "x"];
  keeper.keep(mismatchAt(["$.a"], { requestHeaders }), AT, ["a"], ["a"]);
  await keeper.flush();
  const [sample] = store.groups.flat();
  assert.deepEqual(Object.entries(sample?.requestHeaders ?? {}), [
    ["accept", "a/b, c/d"],
    ["x-team", "1"],
    ["__proto__", "x"],
  ]);
});

test("a sample whose cluster was folded while it waited belongs to the one it was folded into", async (t) => {
  const { store, keeper, keep } = open();
  t.after(() => keeper.stop());
  keep("r1", "folded");
  await keeper.flush();
  assert.deepEqual(store.groups.flat()[0]?.clusters, ["into"]);
});

test("what waits of a route whose rules redact more now is not stored", async (t) => {
  const { keeper, keep, ids } = open();
  t.after(() => keeper.stop());
  keep("r1");
  keeper.keep(mismatchAt(["$.name"], { requestId: "r2", route: "orders" }), AT, ["o"], ["o"]);
  keeper.forget("profiles");
  await keeper.flush();
  assert.deepEqual(ids(), ["r2"]);
});
