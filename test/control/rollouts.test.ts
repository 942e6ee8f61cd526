import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeStore, createSlowDisk, full, never } from "./fake-store.ts";
import { HOLD, openRoom, PASS, SECOND, stagedOf, step, TRIP } from "./rollout-room.ts";

const THREE = [step(0), step(5), step(100)];
const ROUTE = stagedOf(THREE);
const PAUSED = stagedOf(THREE, { start: "paused" });
const promotion = (more: object = {}) => ({ reason: "I say so", toPpm: null, fromStep: null, ...more });

test("a rollout goes through its steps to the end, each move with evidence and in the audit trail", async () => {
  const store = createFakeStore();
  const { room, ticks, canary, standing, actions } = await openRoom(store, [ROUTE]);
  assert.deepEqual([canary(), standing().state.phase], [0, "baking"]);
  await ticks(3);
  assert.equal(canary(), 5);
  await ticks(3);
  assert.equal(canary(), 100);
  await ticks(3);
  assert.deepEqual([canary(), standing().state.phase], [100, "completed"]);
  assert.deepEqual(actions(), [
    "promote by rollout",
    "promote by rollout",
    "promote by rollout",
    "completed by rollout",
  ]);
  const [begun, promoted] = room.announced;
  assert.deepEqual([begun?.reason, begun?.evidence], ["start: running", null]);
  assert.match(promoted?.reason ?? "", /^baked 2 s, errors 0\/812 new/);
  assert.equal(promoted?.evidence?.summary, "errors 0/812 new vs 13/81,234 old");
  assert.equal(promoted?.to, "step 1 (canary 5%, shadow 100%)");
  assert.deepEqual(room.logged, ["promote", "promote", "promote", "completed"]);
});

test("nothing is promoted before it is stored", async () => {
  const store = createFakeStore();
  const { room, ticks, rollouts, canary, standing } = await openRoom(store, [ROUTE]);
  await ticks(1);
  const slow = createSlowDisk();
  store.disk = slow.disk;
  room.nowMs += SECOND;
  const moving = rollouts.tick();
  slow.answerOne(); // progress of the first second
  await new Promise(setImmediate);
  assert.deepEqual([canary(), standing().state.step, slow.waiting], [0, 0, 1]);
  room.nowMs += 3 * SECOND;
  void rollouts.tick();
  assert.equal(slow.waiting, 1, "nothing of this route is decided or kept meanwhile");
  assert.match(standing().trouble ?? "", /cannot promote: the state folder has not answered for 3 s/);
  slow.answerOne();
  await moving;
  assert.deepEqual([canary(), standing().state.step, standing().trouble], [5, 1, null]);
  assert.equal(store.rolloutRecords.get("profiles")?.state.step, 1);
});

test("a store that cannot be written stops promotions, says so, and is tried again ever more seldom", async () => {
  const store = createFakeStore();
  const { room, ticks, canary, standing } = await openRoom(store, [ROUTE]);
  await ticks(1);
  const moves: number[] = [];
  const moveRollout = store.moveRollout;
  store.moveRollout = (...given) => {
    moves.push(room.nowMs / SECOND);
    return moveRollout(...given);
  };
  store.disk = full;
  await ticks(20);
  assert.deepEqual([canary(), standing().state.phase, standing().state.step], [0, "baking", 0]);
  assert.equal(standing().trouble, "cannot promote: the disk is full");
  assert.deepEqual(moves, [2, 3, 5, 9, 17]);
  assert.equal(room.announced.length, 1);
  store.disk = async () => {};
  await ticks(30);
  assert.ok(canary() >= 5);
  assert.equal(standing().trouble, null);
});

test("a rollback needs no store, and puts an end to the rollout until it is reset", async () => {
  const store = createFakeStore();
  const { room, latches, book, ticks, standing } = await openRoom(store, [ROUTE]);
  await ticks(3);
  store.disk = full;
  void latches.rollback(book(), TRIP);
  assert.deepEqual([book().tile.latched, standing().state.phase], [true, "rolled-back"]);
  await ticks(10);
  assert.deepEqual([standing().state.step, room.wanted], [1, []]);
});

test("a rollback's audit line says from where, and with what evidence", async () => {
  const { room, latches, book, ticks } = await openRoom(createFakeStore(), [ROUTE]);
  await ticks(3);
  await latches.rollback(book(), TRIP);
  const entry = room.announced.at(-1);
  assert.deepEqual([entry?.from, entry?.to], ["step 1 (canary 5%, shadow 100%)", "rolled-back"]);
  assert.equal(entry?.evidence?.summary, TRIP.summary);
});

test("a rollback while a promotion is being stored wins", async () => {
  const store = createFakeStore();
  const { room, latches, rollouts, book, ticks, standing } = await openRoom(store, [ROUTE]);
  await ticks(1);
  const slow = createSlowDisk();
  store.disk = slow.disk;
  room.nowMs += SECOND;
  const moving = rollouts.tick();
  await new Promise(setImmediate);
  const rolling = latches.rollback(book(), TRIP);
  assert.equal(book().tile.latched, true, "at once");
  while (slow.waiting > 0) {
    slow.answerOne();
    await new Promise(setImmediate);
  }
  await Promise.all([moving, rolling]);
  store.disk = async () => {};
  await ticks(5);
  assert.deepEqual([book().tile.latched, standing().state.phase], [true, "rolled-back"]);
  assert.equal(store.rolloutRecords.get("profiles")?.state.phase, "rolled-back");
});

test("after a reset nothing is on new when the latch opens: the rollout waits before its first step", async () => {
  const store = createFakeStore();
  const route = stagedOf([step(5), step(100)]);
  const { room, latches, book, ticks, canary, standing, rollouts } = await openRoom(store, [route]);
  await ticks(3);
  await latches.rollback(book(), TRIP);
  const { unlatch } = book().tile;
  let canaryAtOpening = -1;
  book().tile.unlatch = () => {
    canaryAtOpening = canary();
    unlatch.call(book().tile);
  };
  await latches.reset("profiles", "operator", "mended");
  assert.equal(canaryAtOpening, 0);
  const { phase, begun, why } = standing().state;
  assert.deepEqual([phase, begun, book().tile.latched], ["paused", false, false]);
  assert.match(why, /resume begins it again/);
  assert.equal(room.announced.at(-1)?.to, "before step 0 (canary 0%, shadow 100%)");
  await ticks(5);
  assert.equal(canary(), 0);
  assert.equal((await rollouts.resume("profiles", "go")).ok, true);
  assert.equal(canary(), 5);
});

test("a reset that cannot be stored leaves the latch, and the rollout behind it", async () => {
  const store = createFakeStore();
  const { latches, book, standing } = await openRoom(store, [ROUTE]);
  await latches.rollback(book(), TRIP);
  store.disk = full;
  await assert.rejects(latches.reset("profiles", "operator", "mended"), /disk is full/);
  assert.deepEqual([book().tile.latched, standing().state.phase], [true, "rolled-back"]);
  store.disk = async () => {};
  store.unlatch = async () => {
    throw new Error("the disk is full");
  };
  await assert.rejects(latches.reset("profiles", "operator", "mended"), /disk is full/);
  assert.deepEqual([book().tile.latched, standing().state.phase], [true, "rolled-back"]);
});

test("a restart goes on in the same step, with what it has baked and shown", async () => {
  const store = createFakeStore();
  const running = await openRoom(store, [ROUTE]);
  running.room.shown = { n: 7 };
  await running.ticks(3); // step 1, a second of it
  await running.rollouts.stop();
  const { room, canary, standing, ticks } = await openRoom(store, [ROUTE]);
  assert.deepEqual([canary(), standing().state.step, standing().state.bakedMs], [5, 1, SECOND]);
  assert.deepEqual(room.restored, [{ n: 7 }]);
  await ticks(1);
  assert.equal(canary(), 100, "the second that was left");
});

test("a latch found at the start is a rollback of the rollout, whatever is stored of that", async () => {
  const store = createFakeStore();
  const running = await openRoom(store, [ROUTE]);
  await running.ticks(3);
  const before = store.rolloutRecords.get("profiles");
  assert.ok(before);
  await running.latches.rollback(running.book(), TRIP);
  store.rolloutRecords.set("profiles", before); // as if it had crashed between the two
  const restarted = await openRoom(store, [ROUTE]);
  assert.deepEqual([restarted.book().tile.latched, restarted.standing().state.phase], [true, "rolled-back"]);
  await restarted.latches.reset("profiles", "operator", "mended");
  assert.deepEqual([restarted.canary(), restarted.standing().state.begun], [0, false]);
});

test("a rollback that is stored of the rollout alone is a reset: it waits, with nothing on new", async () => {
  const store = createFakeStore();
  const running = await openRoom(store, [ROUTE]);
  await running.ticks(3);
  await running.latches.rollback(running.book(), TRIP);
  await running.rollouts.stop();
  store.kept.clear();
  const { canary, standing } = await openRoom(store, [ROUTE]);
  assert.deepEqual([canary(), standing().state.phase, standing().state.begun], [0, "paused", false]);
});

test("a revision that clears a latch at the start begins nothing", async () => {
  const store = createFakeStore();
  const running = await openRoom(store, [ROUTE]);
  await running.ticks(3);
  await running.latches.rollback(running.book(), TRIP);
  const { book, canary, standing } = await openRoom(store, [{ ...ROUTE, revision: 4 }]);
  assert.deepEqual([book().tile.latched, canary(), standing().state.phase], [false, 0, "paused"]);
});

test("a rollout that starts paused shows new something, and lets it serve nobody until it is resumed", async () => {
  const { rollouts, ticks, canary, standing, actions, book } = await openRoom(createFakeStore(), [
    stagedOf([step(5), step(100)], { start: "paused" }),
  ]);
  await ticks(10);
  assert.deepEqual([canary(), standing().state.phase, book().tile.shadowPpm(0)], [0, "paused", 1_000_000]);
  assert.equal((await rollouts.resume("profiles", "go")).ok, true);
  assert.equal(canary(), 5);
  assert.deepEqual(actions(), ["resume by operator"]);
});

test("a pause acts also where nothing can be stored, and says that a restart would forget it", async () => {
  const store = createFakeStore();
  const { rollouts, ticks, standing, canary } = await openRoom(store, [ROUTE]);
  store.disk = full;
  const paused = await rollouts.pause("profiles", "lunch");
  assert.ok(paused.ok);
  assert.match(paused.message, /paused at step 0 .*not kept it yet/);
  await ticks(10);
  assert.deepEqual([standing().state.phase, canary()], ["paused", 0]);
  store.disk = async () => {};
  await ticks(1);
  assert.equal(store.rolloutRecords.get("profiles")?.state.phase, "paused", "tried again");
  assert.equal((await rollouts.resume("profiles", "back")).ok, true);
  assert.equal(standing().state.phase, "baking");
});

test("a resume or promotion that cannot be stored does not happen, and says why", async () => {
  const store = createFakeStore();
  const { rollouts, canary, standing } = await openRoom(store, [PAUSED]);
  store.disk = full;
  for (const result of [
    await rollouts.resume("profiles", "go"),
    await rollouts.promote("profiles", promotion()),
    await rollouts.promote("profiles", promotion({ toPpm: 1_000_000 })),
  ]) {
    assert.deepEqual(result, { ok: false, why: "cannot begin: the disk is full" });
  }
  assert.deepEqual([canary(), standing().state.begun], [0, false]);
});

test("an operator's promotion passes bake and evidence, not a gate; a repeated one is harmless", async () => {
  const gated = [step(0), step(5, { gates: ["lag"] }), step(100)];
  const lag = { kind: "preflight" } as const;
  const { room, rollouts, canary, actions } = await openRoom(createFakeStore(), [
    stagedOf(gated, { gates: { lag } }),
  ]);
  room.judge = () => HOLD;
  assert.equal((await rollouts.promote("profiles", promotion({ fromStep: 0 }))).ok, true);
  const again = await rollouts.promote("profiles", promotion({ fromStep: 0 }));
  assert.ok(again.ok);
  assert.match(again.message, /has left step 0/);
  assert.deepEqual([canary(), room.wanted], [5, ["lag"]]);
  const refused = await rollouts.promote("profiles", promotion());
  assert.ok(!refused.ok);
  assert.match(refused.why, /gate lag does not say yes/);
  room.gates = [{ name: "lag", answer: "yes", why: "lag is 0" }];
  assert.equal((await rollouts.promote("profiles", promotion())).ok, true);
  assert.deepEqual([canary(), actions().length], [100, 3]);
  assert.equal(room.announced.at(-1)?.evidence?.summary, HOLD.why);
});

test("two operators at once move it one step, not two", async () => {
  const { rollouts, canary } = await openRoom(createFakeStore(), [ROUTE]);
  const results = await Promise.all(
    [1, 2].map(() => rollouts.promote("profiles", promotion({ fromStep: 0 }))),
  );
  assert.deepEqual([results.map(({ ok }) => ok), canary()], [[true, true], 5]);
});

test("behind a latch nothing is promoted or resumed, also where control has not seen the kill switch yet", async () => {
  const { rollouts, book, ticks, standing } = await openRoom(createFakeStore(), [ROUTE]);
  const { tile } = book();
  for (let n = 0; n < 5; n += 1) tile.addToKillStreak(0);
  if (!tile.latched) tile.latch();
  await ticks(5);
  for (const result of [
    await rollouts.promote("profiles", promotion()),
    await rollouts.promote("profiles", promotion({ toPpm: 1_000_000 })),
    await rollouts.resume("profiles", "go"),
  ]) {
    assert.ok(!result.ok);
    assert.match(result.why, /cutover reset/);
  }
  assert.equal(standing().state.step, 0);
});

test("an edit of the rules that leaves the step leaves the rollout; one that takes it away lets it wait", async () => {
  const { room, rollouts, follow, ticks, canary, standing, actions } = await openRoom(createFakeStore(), [
    ROUTE,
  ]);
  await ticks(3);
  const steps = room.newSteps;
  await follow([stagedOf([step(0), step(1), step(5, { bakeMs: 60 * SECOND }), step(100)])]);
  assert.deepEqual([canary(), standing().state.step, standing().state.phase], [5, 2, "baking"]);
  assert.ok(standing().state.bakedMs > 0);
  assert.equal(room.newSteps, steps, "what was shown stays");
  await follow([stagedOf([step(0), step(1), step(100)])]);
  assert.deepEqual([canary(), standing().state.step, standing().state.phase], [1, 1, "paused"]);
  await new Promise(setImmediate);
  assert.equal(actions().at(-1), "pause by rules");
  await rollouts.resume("profiles", "go");
  assert.equal(standing().state.phase, "baking");
});

test("an edit that moves a paused rollout's share is in the trail and the log, and keeps the operator's reason", async () => {
  const store = createFakeStore();
  const { room, rollouts, follow, ticks, canary, standing, actions } = await openRoom(store, [ROUTE]);
  await ticks(3);
  await rollouts.pause("profiles", "hold");
  await follow([stagedOf([step(0), step(2), step(100)])]);
  await ticks(1);
  assert.deepEqual([canary(), standing().state.phase], [2, "paused"]);
  assert.match(standing().state.why, /^paused: hold; the step at 5% is gone/);
  assert.deepEqual(actions().slice(-2), ["pause by operator", "pause by rules"]);
  const entry = room.announced.at(-1);
  assert.deepEqual(
    [entry?.from, entry?.to],
    ["step 1 (canary 5%, shadow 100%)", "step 1 (canary 2%, shadow 100%)"],
  );
  assert.equal(room.logged.at(-1), "pause");
  const { room: again, canary: restarted } = await openRoom(store, [stagedOf([step(0), step(1), step(100)])]);
  await new Promise(setImmediate);
  assert.equal(restarted(), 1);
  assert.equal(again.announced.at(-1)?.to, "step 1 (canary 1%, shadow 100%)", "edited while it was down");
});

test("gates are shown while a step waits for them: not behind a latch, not behind the end", async () => {
  const gates = { lag: { kind: "preflight" } } as const;
  const route = stagedOf([step(0), step(5, { gates: ["lag"] })], { gates });
  const { room, ticks, standing } = await openRoom(createFakeStore(), [route]);
  room.gates = [{ name: "lag", answer: "yes", why: "0" }];
  await ticks(3);
  assert.deepEqual(standing().gates, room.gates);
  await ticks(3);
  assert.deepEqual([standing().state.phase, standing().gates], ["completed", []]);
  const { room: other, ...latching } = await openRoom(createFakeStore(), [route]);
  other.gates = [{ name: "lag", answer: "no", why: "9" }];
  await latching.ticks(3);
  assert.deepEqual(latching.standing().gates, other.gates);
  latching.book().tile.latch();
  assert.deepEqual(latching.standing().gates, [], "at once");
  await latching.latches.rollback(latching.book(), TRIP);
  assert.deepEqual(latching.standing().gates, []);
});

test("a rollout that leaves the rules gives the shares back to them; one that returns begins anew", async () => {
  const store = createFakeStore();
  const { room, book, follow, ticks, rollouts, canary } = await openRoom(store, [ROUTE]);
  await ticks(3);
  await follow([{ ...ROUTE, rollout: null }]);
  assert.equal(rollouts.of("profiles"), null);
  assert.equal(book().tile.canaryPpm(20_000), 20_000);
  assert.match(room.said.join(), /dropped the rollout of profiles at step 1/);
  await ticks(1);
  assert.equal(store.rolloutRecords.size, 0);
  await follow([PAUSED]);
  await ticks(1);
  assert.equal(canary(), 0);
  assert.equal(store.rolloutRecords.get("profiles")?.state.begun, false);
});

test("a rollout that leaves the rules is in the trail: from its place to what acts instead", async () => {
  const store = createFakeStore();
  const { room, follow, ticks, latches, book } = await openRoom(store, [ROUTE]);
  const last = () => {
    const { route, action, by, from, to } = room.announced.at(-1) ?? {};
    return [route, action, by, from, to];
  };
  await ticks(3);
  await follow([{ ...ROUTE, rollout: null }]);
  await ticks(1);
  const from = "step 1 (canary 5%, shadow 100%)";
  assert.deepEqual(last(), ["profiles", "reload", "rules", from, "serving (canary 0%, shadow 0%)"]);
  await follow([ROUTE]);
  await ticks(1);
  await follow([]);
  await ticks(1);
  const first = "step 0 (canary 0%, shadow 100%)";
  assert.deepEqual(last(), ["profiles", "reload", "rules", first, "gone from the rules"]);
  await follow([ROUTE]);
  await ticks(1);
  await latches.rollback(book(), TRIP);
  const count = room.announced.length;
  await follow([{ ...ROUTE, rollout: null }]);
  await ticks(1);
  assert.deepEqual(last().slice(3), ["rolled-back", "rolled-back"]);
  assert.equal(room.announced.length, count + 1);
});

test("a route that leaves the rules while it is rolled back comes back rolled back", async () => {
  const store = createFakeStore();
  const { latches, book, follow, ticks, standing } = await openRoom(store, [ROUTE]);
  await latches.rollback(book(), TRIP);
  await follow([]);
  await ticks(1);
  await follow([ROUTE]);
  assert.deepEqual([book().tile.latched, standing().state.phase], [true, "rolled-back"]);
});

test("rules that change while a promotion is being stored are gone by once it is", async () => {
  const store = createFakeStore();
  const { room, rollouts, follow, ticks, canary, standing } = await openRoom(store, [ROUTE]);
  await ticks(1);
  const slow = createSlowDisk();
  store.disk = slow.disk;
  room.nowMs += SECOND;
  const moving = rollouts.tick();
  await new Promise(setImmediate);
  const following = follow([stagedOf([step(0), step(1), step(100)])]);
  while (slow.waiting > 0) {
    slow.answerOne();
    await new Promise(setImmediate);
  }
  await Promise.all([moving, following]);
  assert.deepEqual([canary(), standing().state.phase], [1, "paused"]);
  while (room.announced.at(-1)?.by !== "rules") {
    slow.answerOne();
    await new Promise(setImmediate);
  }
  assert.deepEqual(
    [room.announced.at(-1)?.from, room.announced.at(-1)?.to],
    ["step 1 (canary 5%, shadow 100%)", "step 1 (canary 1%, shadow 100%)"],
  );
});

test("a disk that hangs holds up neither ticks of other routes nor a reload, and no tick piles up", async () => {
  const store = createFakeStore();
  const other = { ...stagedOf([step(5, { bakeMs: 60 * SECOND })]), name: "orders" };
  const { room, rollouts, follow } = await openRoom(store, [ROUTE, other]);
  await new Promise(setImmediate);
  let writes = 0;
  store.disk = () => {
    writes += 1;
    return never();
  };
  for (let n = 0; n < 5; n += 1) {
    room.nowMs += SECOND;
    void rollouts.tick();
  }
  await follow([other, ROUTE]);
  assert.equal(rollouts.of("orders")?.state.bakedMs, 5 * SECOND);
  assert.ok(writes <= 2, `${writes} writes`);
});

test("a judge that throws holds its route, and no other", async () => {
  const other = { ...ROUTE, name: "orders" };
  const { room, ticks, rollouts } = await openRoom(createFakeStore(), [ROUTE, other]);
  room.judge = (book) => {
    if (book.route?.name === "profiles") throw new Error("a bug");
    return PASS;
  };
  await ticks(6);
  assert.deepEqual([rollouts.of("profiles")?.state.step, rollouts.of("orders")?.state.step], [0, 2]);
  assert.equal(rollouts.of("none"), null);
});

test("a route that goes and returns while its reset is being stored serves nothing from new", async () => {
  const store = createFakeStore();
  const route = stagedOf([step(5), step(100)]);
  const { latches, book, follow, ticks, canary, standing } = await openRoom(store, [route]);
  await ticks(1);
  await latches.rollback(book(), TRIP);
  const slow = createSlowDisk();
  store.disk = slow.disk;
  const resetting = latches.reset("profiles", "operator", "mended");
  await new Promise(setImmediate);
  await follow([]);
  await follow([route]);
  assert.equal(book().tile.latched, true);
  for (let n = 0; n < 10; n += 1) {
    slow.answerOne();
    await new Promise(setImmediate);
  }
  await resetting;
  assert.deepEqual([book().tile.latched, canary(), standing().state.phase], [false, 0, "paused"]);
});

test("what the rules have dropped while it was being stored is not there after a restart", async () => {
  const store = createFakeStore();
  const { room, rollouts, follow, ticks } = await openRoom(store, [ROUTE]);
  await ticks(1);
  const slow = createSlowDisk();
  store.disk = slow.disk;
  room.nowMs += SECOND;
  const moving = rollouts.tick();
  await new Promise(setImmediate);
  await follow([{ ...ROUTE, rollout: null }]);
  while (slow.waiting > 0) {
    slow.answerOne();
    await new Promise(setImmediate);
  }
  await moving;
  store.disk = async () => {};
  await ticks(1);
  assert.deepEqual([...store.rolloutRecords.keys()], []);
});

test("a store that nobody could read begins every rollout anew once it is reset, with nothing on new", async () => {
  const store = createFakeStore();
  store.health = { kind: "damaged", why: "no database" };
  const route = stagedOf([step(5), step(100)]);
  const { rollouts, latches, book, ticks, canary, standing } = await openRoom(store, [route]);
  await ticks(5);
  assert.deepEqual([book().tile.closed, standing().state.phase], [true, "rolled-back"]);
  store.health = { kind: "fresh" };
  await rollouts.startOver();
  await latches.restore();
  book().tile.unlatch();
  assert.deepEqual([canary(), standing().state.phase], [0, "paused"]);
  assert.equal(store.rolloutRecords.get("profiles")?.state.begun, false);
});
