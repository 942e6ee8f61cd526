import assert from "node:assert/strict";
import { test } from "node:test";
import { Books, countComparison } from "../../src/control/books.ts";
import { type Cause, Latches } from "../../src/control/latches.ts";
import { LateWrites } from "../../src/control/late-writes.ts";
import { evidenceOf, observe } from "../../src/model/detector.ts";
import type { AuditEntry } from "../../src/model/reports.ts";
import type { Route } from "../../src/model/ruleset.ts";
import { routeOf } from "../model/rules.ts";
import { batchOf, failure, guardOf } from "../model/traffic.ts";
import { NO_ROLLOUTS } from "./fake-rollouts.ts";
import { createFakeStore, createSlowDisk, type FakeStore, full, never } from "./fake-store.ts";
import { mismatchAt } from "./findings.ts";

const CAUSE: Cause = {
  cause: "errors",
  by: "guard",
  reason: "too many errors",
  summary: "errors: 30 of 100 answers of new failed",
};
const ROUTE = routeOf({ name: "profiles", guard: guardOf(), revision: 3 });

/** A control room's latches at work on one store; the same store again is a restart. */
async function start(store: FakeStore, routes: readonly Route[] = [ROUTE]) {
  const books = new Books(1, 0);
  const announced: AuditEntry[] = [];
  const logged: string[] = [];
  const troubles: unknown[] = [];
  const told = {
    announce: (entry: AuditEntry) => void announced.push(entry),
    storeFailed: (error: unknown) => void troubles.push(error),
  };
  const latches = new Latches({
    store,
    books,
    rollouts: NO_ROLLOUTS,
    late: new LateWrites(told),
    rulesVersion: () => "0123456789ab",
    nowMs: () => 5000,
    nowIso: () => "2026-05-01T10:00:00.000Z",
    log: (msg) => logged.push(msg),
    ...told,
  });
  await latches.restore();
  const follow = async (next: readonly Route[]) => {
    books.follow(next, 5000);
    await latches.apply(next);
  };
  await follow(routes);
  const book = (name = "profiles") => {
    const found = books.named(name);
    assert.ok(found, `no book of ${name}`);
    return found;
  };
  return { books, latches, announced, logged, troubles, follow, book };
}

test("a rollback acts before the store answers, also when it never does", async () => {
  const store = createFakeStore();
  store.disk = never;
  const { latches, book, announced } = await start(store);
  void latches.rollback(book(), CAUSE);
  assert.equal(book().tile.latched, true);
  assert.equal(latches.of("profiles")?.cause, "errors");
  assert.equal(latches.counts("profiles").get("errors"), 1);
  assert.deepEqual(announced, [], "what is not stored is not announced");
});

test("a rollback is stored with its cause, its evidence and the revision, and is announced", async () => {
  const store = createFakeStore();
  const { latches, book, announced } = await start(store);
  const { detector } = book();
  assert.ok(detector);
  observe(
    detector,
    batchOf({ cleanNew: 7, events: [failure("new")], old: { answers: 90, errors: 2 } }),
    5000,
  );
  await latches.rollback(book(), CAUSE);
  assert.deepEqual(store.kept.get("profiles"), {
    route: "profiles",
    cause: "errors",
    at: "2026-05-01T10:00:00.000Z",
    by: "guard",
    reason: "too many errors",
    evidence: {
      summary: CAUSE.summary,
      samples: { old: 90, new: 8 },
      errors: { old: 2, new: 1 },
      evidence: evidenceOf(detector),
      rulesVersion: "0123456789ab",
    },
    revision: 3,
  });
  assert.deepEqual(
    announced.map(({ id, action, by, route, from, to }) => [id, action, by, route, from, to]),
    [[1, "rollback", "guard", "profiles", "serving", "rolled-back"]],
  );
});

test("a store that cannot be written is said aloud and does not undo a rollback", async () => {
  const store = createFakeStore();
  store.disk = full;
  const { latches, book, troubles } = await start(store);
  await latches.rollback(book(), CAUSE);
  assert.equal(book().tile.latched, true);
  assert.match(String(troubles), /disk is full/);
});

test("a latch that could not be stored is stored when the store can again, and announced then", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const store = createFakeStore();
  store.disk = full;
  const { latches, book, announced, troubles } = await start(store);
  await latches.rollback(book(), CAUSE);
  t.mock.timers.tick(1000);
  await flushed();
  assert.deepEqual([store.kept.size, troubles.length], [0, 2]);
  store.disk = async () => {};
  t.mock.timers.tick(1000);
  await flushed();
  assert.equal(store.kept.get("profiles")?.cause, "errors");
  assert.deepEqual(
    announced.map(({ action }) => action),
    ["rollback"],
  );
});

test("a latch that could not be stored and was reset since is not stored any more", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const store = createFakeStore();
  store.disk = full;
  const { latches, book } = await start(store);
  await latches.rollback(book(), CAUSE);
  store.disk = async () => {};
  await latches.reset("profiles", "operator", "mended");
  t.mock.timers.tick(60_000);
  await flushed();
  assert.equal(store.kept.size, 0);
});

/** All promises that could go on have. */
function flushed(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("a latch lasts through a restart, and is set before the rules act", async () => {
  const store = createFakeStore();
  const before = await start(store);
  await before.latches.rollback(before.book(), CAUSE);
  const after = await start(store);
  assert.equal(after.book().tile.latched, true);
  assert.equal(after.latches.of("profiles")?.reason, "too many errors");
});

test("a latch lasts through the removal and return of the route by the same name", async () => {
  const { latches, book, books, follow } = await start(createFakeStore());
  await latches.rollback(book(), CAUSE);
  await follow([]);
  assert.equal(books.named("profiles"), undefined);
  assert.deepEqual(latches.names, ["profiles"]);
  await follow([routeOf({ name: "renamed" }), ROUTE]);
  assert.equal(book().tile.latched, true);
  assert.equal(book("renamed").tile.latched, false, "a renamed route starts fresh");
});

test("a reset is stored first: until then the route stays latched", async () => {
  const store = createFakeStore();
  const { latches, book, announced } = await start(store);
  await latches.rollback(book(), CAUSE);
  const slow = createSlowDisk();
  store.disk = slow.disk;
  const resetting = latches.reset("profiles", "operator", "mended");
  assert.equal(book().tile.latched, true);
  slow.answerOne();
  await resetting;
  assert.equal(book().tile.latched, false);
  assert.equal(latches.of("profiles"), undefined);
  assert.equal(store.kept.size, 0);
  assert.deepEqual(announced.at(-1)?.action, "reset");
});

test("a reset that cannot be stored leaves the route latched, and can be tried again", async () => {
  const store = createFakeStore();
  const { latches, book } = await start(store);
  await latches.rollback(book(), CAUSE);
  store.disk = full;
  await assert.rejects(latches.reset("profiles", "operator", "mended"), /disk is full/);
  assert.equal(book().tile.latched, true);
  assert.equal(latches.of("profiles")?.cause, "errors");
  store.disk = async () => {};
  await latches.reset("profiles", "operator", "mended");
  assert.equal(book().tile.latched, false);
});

test("a rollback while a reset is being stored wins: the route stays on old", async () => {
  const store = createFakeStore();
  const { latches, book } = await start(store);
  await latches.rollback(book(), CAUSE);
  const slow = createSlowDisk();
  store.disk = slow.disk;
  const resetting = latches.reset("profiles", "operator", "mended");
  const rolling = latches.rollback(book(), { ...CAUSE, cause: "operator", by: "operator" });
  slow.answerOne();
  await resetting;
  assert.equal(book().tile.latched, true);
  slow.answerOne();
  await rolling;
  assert.equal(book().tile.latched, true);
  assert.equal(latches.of("profiles")?.cause, "operator");
  assert.equal(store.kept.get("profiles")?.cause, "operator", "memory and disk agree");
});

test("after a reset the evidence of before counts for nothing, and the kill streak begins anew", async () => {
  const { latches, book } = await start(createFakeStore());
  const { tile, detector } = book();
  assert.ok(detector);
  for (let i = 0; i < 5; i += 1) tile.addToKillStreak(0);
  observe(detector, batchOf({ events: [failure("new"), failure("new")] }), 5000);
  book().events.push(failure("new"));
  countComparison(book(), mismatchAt(["$.name"]));
  await latches.rollback(book(), CAUSE);
  await latches.reset("profiles", "operator", "mended");
  assert.deepEqual(evidenceOf(detector), { errors: 0, "client-errors": 0 });
  assert.deepEqual([book().events, book().docket.units, tile.killStreak], [[], [], 0]);
});

test("a revision above the one at the latch clears it, at a reload and at a start; the same or a lower one does not", async () => {
  for (const [revision, isLatched] of [
    [2, true],
    [3, true],
    [4, false],
  ] as const) {
    const raised = { ...ROUTE, revision };
    const store = createFakeStore();
    const running = await start(store);
    await running.latches.rollback(running.book(), CAUSE);
    const restarted = await start(createFakeStore([...store.kept.values()]), [raised]);
    assert.equal(restarted.book().tile.latched, isLatched, `start with revision ${revision}`);
    await running.follow([raised]);
    assert.equal(running.book().tile.latched, isLatched, `reload with revision ${revision}`);
    assert.equal(store.kept.size, isLatched ? 1 : 0);
    if (!isLatched) {
      const { by, reason } = running.announced.at(-1) ?? {};
      assert.deepEqual([by, reason], ["rules", "revision 3 → 4"]);
    }
  }
});

test("a revision that cannot be stored leaves the latch, says so, and the next reload tries again", async () => {
  const store = createFakeStore();
  const { latches, book, follow, troubles } = await start(store);
  await latches.rollback(book(), CAUSE);
  store.disk = full;
  await follow([{ ...ROUTE, revision: 4 }]);
  assert.equal(book().tile.latched, true);
  assert.match(String(troubles), /disk is full/);
  store.disk = async () => {};
  await follow([{ ...ROUTE, revision: 4 }]);
  assert.equal(book().tile.latched, false);
});

test("a damaged store closes every route, also those that a reload brings, and says why", async () => {
  const store = createFakeStore();
  store.health = { kind: "damaged", why: "the file is not a database" };
  const { latches, book, follow } = await start(store);
  await follow([ROUTE, routeOf({ name: "orders" })]);
  for (const name of ["profiles", "orders"]) {
    assert.deepEqual([book(name).tile.latched, book(name).tile.closed], [true, true], name);
    const record = latches.of(name);
    assert.equal(record?.cause, "store-damaged");
    assert.equal(record?.by, "gateway", "nobody has judged");
    assert.doesNotMatch(record?.evidence.summary ?? "", /not a database/, "said once, not for every route");
  }
  assert.deepEqual([latches.damage?.kind, latches.damage?.why], ["damaged", "the file is not a database"]);
  await follow([{ ...ROUTE, revision: 99 }]);
  assert.equal(book().tile.closed, true, "no revision opens what nobody knows");
});

test("rollbacks are counted by cause", async () => {
  const { latches, book } = await start(createFakeStore());
  for (const cause of ["errors", "killSwitch", "errors"]) {
    await latches.rollback(book(), { ...CAUSE, cause });
    await latches.reset("profiles", "operator", "mended");
  }
  assert.deepEqual(
    [...latches.counts("profiles")],
    [
      ["errors", 2],
      ["killSwitch", 1],
    ],
  );
  assert.equal(latches.counts("other").size, 0);
});

test("one route's rollback is nobody else's", async () => {
  const { latches, book } = await start(createFakeStore(), [ROUTE, routeOf({ name: "orders" })]);
  await latches.rollback(book(), CAUSE);
  assert.equal(book("orders").tile.latched, false);
  assert.equal(latches.of("orders"), undefined);
});

test("a rollback is in the log as soon as it acts, whatever the store does", async () => {
  const store = createFakeStore();
  store.disk = never;
  const { latches, logged, book } = await start(store);
  void latches.rollback(book(), CAUSE);
  assert.deepEqual(logged, ["rollback"]);
});

test("a disk that hangs holds up neither an operator's answer nor a reload", async () => {
  const store = createFakeStore();
  const { latches, follow, book } = await start(store);
  assert.equal(await latches.rollback(book(), CAUSE), "stored");
  store.disk = never;
  await follow([{ ...ROUTE, revision: 4 }]);
  assert.ok(book().tile.latched, "cleared only once that is stored");
  assert.ok(latches.isClearing("profiles"));
  assert.equal(await latches.rollback(book(), CAUSE), "not stored yet");
  assert.ok(book().tile.latched);
});

test("a store that was damaged while the gateway ran gets every latch again", async () => {
  const store = createFakeStore();
  const { latches, book } = await start(store);
  await latches.rollback(book(), CAUSE);
  store.kept.clear();
  await latches.storeAgain();
  assert.deepEqual([...store.kept.keys()], ["profiles"]);
});

test("a store that cannot be read closes every route like a damaged one, by its own name", async () => {
  const store = createFakeStore();
  store.health = { kind: "unreadable", why: "its disk is full" };
  const { latches, book } = await start(store);
  assert.deepEqual([book().tile.closed, latches.of("profiles")?.cause], [true, "store-unreadable"]);
});

test("a rollback of a route that the rules do not name any more can be reset: it returns fresh", async () => {
  const store = createFakeStore();
  const { latches, book, announced, follow } = await start(store);
  await latches.rollback(book(), CAUSE);
  await follow([]);
  await latches.reset("profiles", "operator", "gone for good");
  assert.deepEqual([latches.names, store.kept.size, announced.at(-1)?.action], [[], 0, "reset"]);
  await follow([ROUTE]);
  assert.equal(book().tile.latched, false);
});

test("a route that returns while its reset is being stored is open once it is", async () => {
  const store = createFakeStore();
  const { latches, book, follow } = await start(store);
  await latches.rollback(book(), CAUSE);
  await follow([]);
  const slow = createSlowDisk();
  store.disk = slow.disk;
  const resetting = latches.reset("profiles", "operator", "mended");
  await follow([ROUTE]);
  assert.equal(book().tile.latched, true, "stored first");
  slow.answerOne();
  await resetting;
  assert.equal(book().tile.latched, false);
});

test("the audit trail names a guard's cause once", async () => {
  const { latches, book, announced } = await start(createFakeStore());
  await latches.rollback(book(), { ...CAUSE, reason: "errors: 7 of 9 failed" });
  assert.equal(announced.at(-1)?.reason, "errors: 7 of 9 failed");
  await latches.rollback(book(), { ...CAUSE, by: "operator", cause: "operator", reason: "I say so" });
  assert.equal(announced.at(-1)?.reason, "I say so");
});
