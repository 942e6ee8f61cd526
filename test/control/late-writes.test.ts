import assert from "node:assert/strict";
import { test } from "node:test";
import { LateWrites } from "../../src/control/late-writes.ts";
import type { AuditEntry } from "../../src/model/reports.ts";
import { createFakeStore, createSlowDisk, full, never } from "./fake-store.ts";

const ENTRY = { at: "2026-05-01T10:00:00.000Z", by: "operator", reason: "x", evidence: null } as const;

function open() {
  const store = createFakeStore();
  const announced: string[] = [];
  const troubles: string[] = [];
  const late = new LateWrites({
    announce: ({ action }: AuditEntry) => announced.push(action),
    storeFailed: (error) => troubles.push((error as Error).message),
  });
  const keep = (action: string, isVital = false, route = "r") => {
    const write = () => store.append({ ...ENTRY, route, action, from: null, to: null });
    return late.keep({ route, what: `${action} of ${route}`, isVital, write, again: write });
  };
  return { store, late, announced, troubles, keep };
}

const settle = (): Promise<unknown> => new Promise(setImmediate);

test("what the store takes is stored at once, and announced then", async () => {
  const { late, announced, keep } = open();
  assert.equal(await keep("pause"), "stored");
  assert.deepEqual([announced, late.count("r")], [["pause"], 0]);
});

test("what it does not take waits, in order, and is written when it can be, with nobody asking", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { store, late, announced, troubles, keep } = open();
  store.disk = full;
  assert.deepEqual(await Promise.all([keep("a"), keep("b")]), ["not stored yet", "not stored yet"]);
  assert.equal(await keep("c", false, "other"), "not stored yet");
  assert.deepEqual([late.count("r"), late.count("other"), late.count(null)], [2, 1, 0]);
  assert.match(troubles.join(), /disk is full/);
  t.mock.timers.tick(1000);
  await settle();
  assert.deepEqual(announced, []);
  store.disk = async () => {};
  t.mock.timers.tick(1000);
  await settle();
  assert.deepEqual([announced, late.count("r")], [["a", "b", "c"], 0]);
});

test("what comes while others wait comes after them", async () => {
  const { store, announced, keep } = open();
  store.disk = full;
  await keep("a");
  store.disk = async () => {};
  assert.equal(await keep("b"), "stored");
  assert.deepEqual(announced, ["a", "b"]);
});

test("a rollback is sent to the store at once, behind what is older, whatever becomes of that", async () => {
  const { store, announced, keep } = open();
  store.disk = full;
  await keep("a");
  const slow = createSlowDisk();
  store.disk = slow.disk;
  void keep("rollback", true);
  assert.equal(slow.waiting, 2, "both, without waiting for an answer");
  slow.answerOne();
  slow.answerOne();
  await settle();
  assert.deepEqual(announced, ["a", "rollback"]);
});

test("one line that the store never takes holds up no rollback", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { store, late, announced, keep } = open();
  const broken = async (): Promise<AuditEntry> => {
    throw new Error("a bug");
  };
  await late.keep({ route: "r", what: "pause of r", isVital: false, write: broken, again: broken });
  store.disk = full;
  await keep("rollback", true);
  store.disk = async () => {};
  t.mock.timers.tick(1000);
  await settle();
  assert.deepEqual([announced, late.count("r")], [["rollback"], 1]);
});

test("the later attempts may write something else than the first", async () => {
  const { store, late, announced } = open();
  const line = { ...ENTRY, route: "r", from: null, to: null };
  store.disk = full;
  await late.keep({
    route: "r",
    what: "x",
    isVital: false,
    write: () => store.append({ ...line, action: "first" }),
    again: () => store.append({ ...line, action: "again" }),
  });
  store.disk = async () => {};
  assert.equal(await late.retry(), true);
  assert.deepEqual(announced, ["again"]);
});

test("no more than a thousand lines wait; the next one is said to be lost, and a rollback waits all the same", async () => {
  const { store, late, troubles, keep } = open();
  store.disk = full;
  await Promise.all(Array.from({ length: 1000 }, () => keep("pause")));
  assert.equal(await keep("resume"), "not stored yet");
  assert.match(troubles.at(-1) ?? "", /the audit line of resume of r is lost: 1000 wait/);
  assert.equal(late.count("r"), 1000);
  await keep("rollback", true);
  assert.equal(late.count("r"), 1001);
});

test("at the end it is tried once more, and what is lost with the process is named", async () => {
  const { store, late, announced, troubles, keep } = open();
  store.disk = full;
  await keep("pause");
  await keep("rollback", true);
  await late.stop();
  assert.match(troubles.at(-1) ?? "", /never stored, .*: pause of r, rollback of r$/);
  store.disk = async () => {};
  await late.stop();
  assert.deepEqual(announced, ["pause", "rollback"]);
});

test("a disk that hangs keeps nobody from ending", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { store, late, troubles, keep } = open();
  store.disk = never;
  void keep("pause");
  const stopping = late.stop();
  t.mock.timers.tick(1000);
  await stopping;
  assert.match(troubles.at(-1) ?? "", /never stored/);
});
