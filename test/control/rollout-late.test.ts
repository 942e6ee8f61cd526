/** What acted while the store could not be written is in the audit trail afterwards. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeStore, createSlowDisk, full } from "./fake-store.ts";
import { openRoom, SECOND, stagedOf, step, TRIP } from "./rollout-room.ts";

const THREE = [step(0), step(5), step(100)];
const ROUTE = stagedOf(THREE);
const settle = (): Promise<unknown> => new Promise(setImmediate);

test("a pause keeps its audit line, with its time, and a resume comes after it", async () => {
  const store = createFakeStore();
  const { room, late, rollouts, ticks } = await openRoom(store, [ROUTE]);
  await ticks(3);
  room.iso = "2026-05-01T11:00:00.000Z";
  store.disk = full;
  const paused = await rollouts.pause("profiles", "lunch");
  assert.ok(paused.ok);
  assert.match(paused.message, /not kept it yet/);
  assert.equal(late.count("profiles"), 1);
  const refused = await rollouts.resume("profiles", "back");
  assert.ok(!refused.ok);
  store.disk = async () => {};
  room.iso = "2026-05-01T12:00:00.000Z";
  assert.equal((await rollouts.resume("profiles", "back")).ok, true);
  assert.deepEqual(
    room.announced.slice(-2).map(({ action, at, reason }) => [action, at, reason]),
    [
      ["pause", "2026-05-01T11:00:00.000Z", "lunch"],
      ["resume", "2026-05-01T12:00:00.000Z", "back"],
    ],
  );
  assert.equal(late.count("profiles"), 0);
  assert.deepEqual(
    (await store.audit({ route: null, limit: 10 })).map(({ action }) => action),
    ["resume", "pause", "promote", "promote"],
  );
});

test("what edits of the rules moved is written in their order", async () => {
  const store = createFakeStore();
  const { room, late, follow, ticks } = await openRoom(store, [ROUTE]);
  await ticks(3);
  store.disk = full;
  await follow([stagedOf([step(0), step(2), step(100)])]);
  await follow([stagedOf([step(0), step(1), step(100)])]);
  await ticks(2);
  assert.equal(late.count("profiles"), 2);
  store.disk = async () => {};
  await late.retry();
  const told = room.announced.slice(-2);
  assert.deepEqual(
    told.map(({ from, to }) => [from, to]),
    [
      ["step 1 (canary 5%, shadow 100%)", "step 1 (canary 2%, shadow 100%)"],
      ["step 1 (canary 2%, shadow 100%)", "step 1 (canary 1%, shadow 100%)"],
    ],
  );
});

test("a rollback behind a pause that is not stored comes after it in the trail, and a reset after both", async () => {
  const store = createFakeStore();
  const { room, late, latches, rollouts, book, ticks } = await openRoom(store, [ROUTE]);
  await ticks(3);
  store.disk = full;
  await rollouts.pause("profiles", "strange");
  await latches.rollback(book(), TRIP);
  assert.equal(late.count("profiles"), 2);
  store.disk = async () => {};
  await latches.reset("profiles", "operator", "mended");
  assert.deepEqual(
    room.announced.slice(-3).map(({ action }) => action),
    ["pause", "rollback", "reset"],
  );
  assert.deepEqual([store.kept.size, late.count("profiles")], [0, 0]);
});

test("an audit line that waits is written without the state of its time, which is older", async () => {
  const store = createFakeStore();
  const { late, rollouts, ticks, standing } = await openRoom(store, [ROUTE]);
  await ticks(3);
  store.disk = full;
  await rollouts.pause("profiles", "lunch");
  store.disk = async () => {};
  await ticks(1);
  const kept = store.rolloutRecords.get("profiles");
  store.rolloutRecords.clear();
  await late.retry();
  assert.deepEqual([kept?.state.phase, standing().state.phase], ["paused", "paused"]);
  assert.equal(store.rolloutRecords.size, 0, "the line alone");
});

test("nothing is promoted while what happened before it is not in the trail", async () => {
  const store = createFakeStore();
  const { rollouts, canary, ticks } = await openRoom(store, [ROUTE]);
  await ticks(1);
  const { append } = store;
  store.append = async () => {
    throw new Error("no room for this");
  };
  const { disk } = store;
  store.disk = full;
  await rollouts.pause("profiles", "lunch");
  store.disk = disk;
  const refused = await rollouts.promote("profiles", { reason: "go", toPpm: 1_000_000, fromStep: null });
  assert.ok(!refused.ok);
  assert.match(refused.why, /does not take what happened before/);
  assert.equal(canary(), 0);
  store.append = append;
  assert.equal(
    (await rollouts.promote("profiles", { reason: "go", toPpm: 1_000_000, fromStep: null })).ok,
    true,
  );
  assert.equal(canary(), 100);
});

for (const [kind, before, after] of [
  ["promotion", { phase: "baking", canary: 0 }, "step 1 (canary 5%, shadow 100%)"],
  ["beginning", { phase: "baking", canary: 0 }, "step 0 (canary 20%, shadow 100%)"],
  ["resume", { phase: "paused", canary: 0 }, "step 0 (canary 20%, shadow 100%)"],
] as const) {
  test(`a pause while a disk hangs with a ${kind} is answered, and new gets no more when it comes back`, async (t) => {
    const store = createFakeStore();
    const slow = createSlowDisk();
    const steps = [step(20), step(100)];
    const route =
      kind === "promotion" ? ROUTE : stagedOf(steps, { start: kind === "resume" ? "paused" : "running" });
    if (kind === "beginning") store.disk = slow.disk;
    const { room, rollouts, ticks, canary, standing, actions } = await openRoom(store, [route]);
    if (kind === "promotion") await ticks(1);
    store.disk = slow.disk;
    room.nowMs += SECOND;
    void rollouts.tick();
    const resuming = kind === "resume" ? rollouts.resume("profiles", "go") : null;
    await settle();
    assert.equal(standing().state.phase, before.phase);
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const pausing = rollouts.pause("profiles", "stop");
    await settle();
    t.mock.timers.tick(2_000);
    const paused = await pausing;
    assert.ok(paused.ok);
    assert.match(paused.message, /^paused at .*not kept it yet/);
    assert.equal(standing().state.phase, "paused");
    store.disk = async () => {};
    while (slow.waiting > 0) {
      slow.answerOne();
      await settle();
    }
    if (resuming !== null) {
      const refused = await resuming;
      assert.ok(!refused.ok);
      assert.equal(refused.why, "it was paused meanwhile (stop)");
    }
    await ticks(3);
    assert.deepEqual([canary(), standing().state.phase], [before.canary, "paused"]);
    assert.match(standing().state.why, /^paused: stop/);
    assert.equal(store.rolloutRecords.get("profiles")?.state.phase, "paused");
    assert.equal(actions().at(-1), "pause by operator");
    assert.equal(room.announced.at(-1)?.from, after, "the trail goes on from where it had come");
    assert.equal((await rollouts.resume("profiles", "on")).ok, true);
  });
}

test("a pause that is stopped by nothing is one line, at its place", async () => {
  const { room, rollouts, ticks, actions } = await openRoom(createFakeStore(), [ROUTE]);
  await ticks(3);
  await rollouts.pause("profiles", "lunch");
  assert.equal(actions().at(-1), "pause by operator");
  assert.equal(room.announced.at(-1)?.from, room.announced.at(-1)?.to);
});

test("a pause while a disk hangs with a move that fails then keeps its line too", async (t) => {
  const store = createFakeStore();
  const { room, late, rollouts, ticks, canary, actions } = await openRoom(store, [ROUTE]);
  await ticks(1);
  const fails = Promise.withResolvers<void>();
  store.disk = () => fails.promise;
  room.nowMs += SECOND;
  void rollouts.tick();
  await settle();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const pausing = rollouts.pause("profiles", "stop");
  await settle();
  t.mock.timers.tick(2_000);
  assert.equal((await pausing).ok, true);
  fails.reject(new Error("the disk is gone"));
  await settle();
  store.disk = async () => {};
  await late.retry();
  await ticks(5);
  assert.deepEqual([canary(), actions().at(-1)], [0, "pause by operator"]);
});
