import assert from "node:assert/strict";
import { test } from "node:test";
import { SampleKeeper } from "../../src/control/samples.ts";
import type { Compared } from "../../src/model/pair.ts";
import { until } from "../support/until.ts";
import { createFakeStore, createSlowDisk, full, never } from "./fake-store.ts";

const AT = "2026-05-01T10:00:00.000Z";
const noError = (error: unknown): void => assert.fail(String(error));
const ANSWER = { status: 200, headers: {}, body: "{}", bodyBytes: 2 };

function mismatch(requestId: string, changes: Partial<Compared> = {}): Compared {
  return {
    kind: "compared",
    route: "profiles",
    requestId,
    method: "GET",
    target: "/profiles/1",
    unit: null,
    comparison: {
      kind: "mismatch",
      differences: [{ place: "$.name", kind: "value", old: "a", new: "b" }],
    },
    old: ANSWER,
    new: ANSWER,
    ...changes,
  };
}

test("mismatches are stored together, with time, route and both answers", async (t) => {
  const store = createFakeStore();
  const keeper = new SampleKeeper(store, noError);
  t.after(() => keeper.stop());
  keeper.keep(mismatch("r1"), AT);
  keeper.keep(mismatch("r2"), AT);
  await keeper.flush();
  assert.equal(store.groups.length, 1);
  assert.deepEqual(store.groups[0]?.[0], {
    at: AT,
    route: "profiles",
    requestId: "r1",
    method: "GET",
    target: "/profiles/1",
    differences: [{ place: "$.name", kind: "value", old: "a", new: "b" }],
    old: ANSWER,
    new: ANSWER,
  });
});

test("matches and pairs that could not be compared are not kept", async (t) => {
  const store = createFakeStore();
  const keeper = new SampleKeeper(store, noError);
  t.after(() => keeper.stop());
  keeper.keep(mismatch("r1", { comparison: { kind: "match" }, old: null, new: null }), AT);
  keeper.keep(mismatch("r2", { comparison: { kind: "uncompared", why: "shed" } }), AT);
  await keeper.flush();
  assert.deepEqual(store.groups, []);
});

test("of a flood the last fifty are kept", async (t) => {
  const store = createFakeStore();
  const keeper = new SampleKeeper(store, noError);
  t.after(() => keeper.stop());
  for (let i = 0; i < 500; i += 1) keeper.keep(mismatch(`r${i}`), AT);
  await keeper.flush();
  const ids = store.groups.flat().map(({ requestId }) => requestId);
  assert.deepEqual(
    ids,
    Array.from({ length: 50 }, (_, i) => `r${450 + i}`),
  );
});

test("they are stored by themselves within seconds", async (t) => {
  const store = createFakeStore();
  const keeper = new SampleKeeper(store, noError);
  t.after(() => keeper.stop());
  keeper.keep(mismatch("r1"), AT);
  await until("the sample is stored", () => store.groups.length === 1);
});

test("a slow store is given one group at a time", async (t) => {
  const store = createFakeStore();
  const slow = createSlowDisk();
  store.disk = slow.disk;
  const keeper = new SampleKeeper(store, noError);
  t.after(() => {
    store.disk = async () => {};
    return keeper.stop();
  });
  keeper.keep(mismatch("r1"), AT);
  const first = keeper.flush();
  keeper.keep(mismatch("r2"), AT);
  const second = keeper.flush();
  assert.equal(slow.waiting, 1);
  slow.answerOne();
  await first;
  store.disk = async () => {};
  await second;
});

test("the end hands over what waits behind a slow group, and is not held up by a disk that hangs", async () => {
  const store = createFakeStore();
  store.disk = never;
  const keeper = new SampleKeeper(store, noError);
  keeper.keep(mismatch("r1"), AT);
  void keeper.flush();
  keeper.keep(mismatch("r2"), AT);
  store.disk = async () => {};
  keeper.stop();
  await until("the last group is stored", () => store.groups.length > 0);
  assert.deepEqual(
    store.groups.flat().map(({ requestId }) => requestId),
    ["r2"],
  );
});

test("a store that cannot be written is said, and the next group is tried again", async (t) => {
  const store = createFakeStore();
  const errors: unknown[] = [];
  const keeper = new SampleKeeper(store, (error) => errors.push(error));
  t.after(() => keeper.stop());
  store.disk = full;
  keeper.keep(mismatch("r1"), AT);
  await keeper.flush();
  assert.match(String(errors), /disk is full/);
  store.disk = async () => {};
  keeper.keep(mismatch("r2"), AT);
  await keeper.flush();
  assert.deepEqual(
    store.groups.flat().map(({ requestId }) => requestId),
    ["r2"],
  );
});
