/** `start: running`: what the rules begin is a promotion like any other. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { waitingForStep } from "../../src/control/step-words.ts";
import { beforeBeginning } from "../../src/model/rollout-state.ts";
import { createFakeStore, createSlowDisk, full, never } from "./fake-store.ts";
import { openRoom, SECOND, stagedOf, step, TRIP } from "./rollout-room.ts";

const STEPS = [step(20), step(100)];
const RUNNING = stagedOf(STEPS);
const PAUSED = stagedOf(STEPS, { start: "paused" });
/** Lets everything go on that waits for no disk. */
const settle = (): Promise<unknown> => new Promise(setImmediate);

test("start: running gives new nothing before it is stored, and does not wait a second then", async () => {
  const store = createFakeStore();
  const slow = createSlowDisk();
  store.disk = slow.disk;
  const { room, canary, standing, actions, book } = await openRoom(store, [RUNNING]);
  await settle();
  assert.deepEqual([canary(), standing().state.begun, slow.waiting], [0, false, 1]);
  assert.equal(book().tile.shadowPpm(0), 1_000_000, "shown, not served");
  assert.deepEqual(room.logged, [], "nothing has happened yet");
  slow.answerOne();
  await settle();
  assert.deepEqual([canary(), standing().state.phase, standing().state.step], [20, "baking", 0]);
  assert.deepEqual(actions(), ["promote by rollout"]);
  const [begun] = room.announced;
  assert.deepEqual(
    [begun?.reason, begun?.from, begun?.to, begun?.evidence],
    ["start: running", "not begun", "step 0 (canary 20%, shadow 100%)", null],
  );
  assert.equal(store.rolloutRecords.get("profiles")?.state.begun, true);
  assert.deepEqual(room.logged, ["promote"]);
});

test("a beginning that cannot be stored does not happen, says so, and is tried again ever more seldom", async () => {
  const store = createFakeStore();
  store.disk = full;
  const tried: number[] = [];
  const { moveRollout } = store;
  const rooms = { nowMs: () => 0 };
  store.moveRollout = (...given) => {
    tried.push(rooms.nowMs() / SECOND);
    return moveRollout(...given);
  };
  const { room, ticks, canary, standing } = await openRoom(store, [RUNNING]);
  rooms.nowMs = () => room.nowMs;
  await settle();
  await ticks(20);
  assert.deepEqual([canary(), standing().state.begun, standing().state.bakedMs], [0, false, 0]);
  assert.equal(standing().trouble, "cannot begin: the disk is full");
  assert.deepEqual(tried, [0, 1, 3, 7, 15]);
  assert.equal(room.announced.length, 0);
  store.disk = async () => {};
  await ticks(11);
  assert.deepEqual([canary(), standing().state.bakedMs, standing().trouble], [20, 0, null]);
  assert.deepEqual(
    room.announced.map(({ action, reason }) => `${action} ${reason}`),
    ["promote start: running"],
    "once",
  );
});

test("status says that it begins once it is stored, and why it cannot", () => {
  const state = beforeBeginning({ start: "running", steps: STEPS, gates: {} });
  const judgement = { verdict: "hold", why: "", needs: [], seen: "" } as const;
  const words = (trouble: string | null) => waitingForStep({ state, gates: [], trouble }, judgement, "");
  assert.equal(words(null), "the state folder: it begins once that is stored");
  assert.equal(words("cannot begin: the disk is full"), "cannot begin: the disk is full");
});

test("a disk that hangs holds up no reload, begins nothing, and status says so", async () => {
  const store = createFakeStore();
  store.disk = never;
  const { room, rollouts, follow, canary, standing } = await openRoom(store, [RUNNING]);
  room.nowMs += 3 * SECOND;
  void rollouts.tick();
  await follow([RUNNING]);
  assert.deepEqual([canary(), standing().state.begun], [0, false]);
  assert.match(standing().trouble ?? "", /^cannot begin: the state folder has not answered for 3 s/);
});

test("a rollout that a reload adds with start: running is stored first too", async () => {
  const store = createFakeStore();
  const { follow, ticks, canary, standing } = await openRoom(store, [{ ...RUNNING, rollout: null }]);
  store.disk = full;
  await follow([RUNNING]);
  await settle();
  assert.deepEqual([canary(), standing().state.begun], [0, false]);
  store.disk = async () => {};
  await ticks(1);
  assert.equal(canary(), 20);
});

test("a restart begins what could not be begun before it", async () => {
  const store = createFakeStore();
  const before = await openRoom(store, [RUNNING]);
  store.disk = full;
  await settle();
  await before.ticks(1);
  store.disk = async () => {};
  await before.rollouts.stop();
  for (const [route, record] of store.rolloutRecords) {
    const { state } = record;
    store.rolloutRecords.set(route, { ...record, state: { ...state, begun: false, phase: "baking" } });
  }
  const slow = createSlowDisk();
  store.disk = slow.disk;
  const { canary } = await openRoom(store, [RUNNING]);
  await settle();
  assert.equal(canary(), 0);
  slow.answerOne();
  await settle();
  assert.equal(canary(), 20);
});

test("start: paused in an edit calls off a beginning that is not stored; start: running in one begins nothing", async () => {
  const store = createFakeStore();
  store.disk = full;
  const { room, late, follow, ticks, canary, standing, actions } = await openRoom(store, [RUNNING]);
  await settle();
  await ticks(1);
  await follow([PAUSED]);
  await settle();
  store.disk = async () => {};
  await late.retry();
  await ticks(40);
  assert.deepEqual([canary(), standing().state.phase, standing().state.begun], [0, "paused", false]);
  assert.equal(standing().trouble, null);
  assert.deepEqual(actions(), ["pause by rules"]);
  assert.equal(room.announced[0]?.reason, "not begun: resume begins it");
  await follow([RUNNING]);
  await ticks(3);
  assert.deepEqual([canary(), standing().state.phase], [0, "paused"], "start acts once");
});

test("start: paused in an edit stops a beginning that a disk still holds", async () => {
  const store = createFakeStore();
  const slow = createSlowDisk();
  store.disk = slow.disk;
  const { room, follow, canary, standing, actions } = await openRoom(store, [RUNNING]);
  await settle();
  await follow([PAUSED]);
  while (slow.waiting > 0) {
    slow.answerOne();
    await settle();
  }
  assert.deepEqual([canary(), standing().state.phase], [0, "paused"]);
  assert.deepEqual(actions(), ["promote by rollout", "pause by rules"]);
  assert.equal(room.announced[1]?.from, room.announced[0]?.to);
  assert.equal(store.rolloutRecords.get("profiles")?.state.begun, false, "a restart finds it so");
});

test("a person's pause holds a beginning that is not stored, and a resume tries again", async () => {
  const store = createFakeStore();
  store.disk = full;
  const { rollouts, ticks, canary, standing } = await openRoom(store, [RUNNING]);
  await ticks(1);
  assert.equal((await rollouts.pause("profiles", "not today")).ok, true);
  store.disk = async () => {};
  await ticks(40);
  assert.deepEqual(
    [canary(), standing().state.phase, standing().state.why],
    [0, "paused", "paused: not today"],
  );
  assert.equal((await rollouts.resume("profiles", "today")).ok, true);
  assert.equal(canary(), 20);
});

test("a person who resumes what cannot be begun hears why", async () => {
  const store = createFakeStore();
  store.disk = full;
  const { rollouts, canary } = await openRoom(store, [RUNNING]);
  await settle();
  const refused = await rollouts.resume("profiles", "go");
  assert.ok(!refused.ok);
  assert.match(refused.why, /^cannot begin: the disk is full/);
  store.disk = async () => {};
  assert.equal((await rollouts.resume("profiles", "go")).ok, true);
  assert.equal(canary(), 20);
});

test("a rollback before it is stored leaves nothing that begins by itself", async () => {
  const store = createFakeStore();
  const slow = createSlowDisk();
  store.disk = slow.disk;
  const { latches, book, ticks, canary, standing } = await openRoom(store, [RUNNING]);
  await settle();
  const rolling = latches.rollback(book(), TRIP);
  while (slow.waiting > 0) {
    slow.answerOne();
    await settle();
  }
  await rolling;
  store.disk = async () => {};
  await latches.reset("profiles", "operator", "mended");
  await ticks(5);
  assert.deepEqual([canary(), standing().state.phase, standing().state.begun], [0, "paused", false]);
});

test("no edit of the rules gives new more: what the disk says is not asked", async () => {
  const store = createFakeStore();
  const { follow, ticks, canary } = await openRoom(store, [RUNNING]);
  await ticks(1);
  store.disk = full;
  for (const shares of [[50, 100], [20, 30], [10, 100], [0, 100], [100]]) {
    const before = canary();
    await follow([stagedOf(shares.map((share) => step(share)))]);
    await ticks(1);
    assert.ok(canary() <= before, `${shares}: ${before}% → ${canary()}%`);
  }
});
