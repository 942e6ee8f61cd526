import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Recorder } from "../../src/board/recorder.ts";
import { Books, countComparison } from "../../src/control/books.ts";
import { HistoryKeeper } from "../../src/control/history.ts";
import type { HistoryPoint, HistoryReport } from "../../src/model/history-report.ts";
import { REASON_INDEX } from "../../src/model/reasons.ts";
import type { Route, Side } from "../../src/model/ruleset.ts";
import { canaryOf, routeOf } from "../model/rules.ts";
import { guardOf } from "../model/traffic.ts";
import { createFakeStore, createSlowDisk, type FakeStore, full, never } from "./fake-store.ts";
import { compared, mismatchAt } from "./findings.ts";

const NOON = Date.parse("2026-05-01T12:00:00.000Z");
const OK = 0;
const ROUTE = routeOf({ name: "a", canary: canaryOf({ sharePpm: 50_000 }), guard: guardOf() });

interface Clock {
  nowMs: number;
  wallMs: number;
}

/** A gateway's books with a history of them; the same store again is a restart. */
async function open(
  context: TestContext,
  store: FakeStore,
  routes: readonly Route[] = [ROUTE],
  clock: Clock = { nowMs: 1_000, wallMs: NOON },
) {
  const books = new Books(2, clock.nowMs);
  books.follow(routes, clock.nowMs);
  const said: string[] = [];
  const troubles: string[] = [];
  const keeper = new HistoryKeeper({
    store,
    books,
    nowMs: () => clock.nowMs,
    wallMs: () => clock.wallMs,
    say: (text) => void said.push(text),
    storeFailed: (error) => void troubles.push(String(error)),
  });
  context.after(() => keeper.stop());
  await keeper.start();
  const room = {
    books,
    keeper,
    clock,
    said,
    troubles,
    book: (name = "a") => books.named(name) ?? assert.fail(`no book of ${name}`),
    answers(side: Side, count: number, name = "a") {
      const recorder = new Recorder(room.book(name).tile, 1);
      for (let i = 0; i < count; i++) recorder.request(side, REASON_INDEX["canary-share"], OK, 3_000);
    },
    pass(seconds = 5) {
      clock.nowMs += seconds * 1000;
      clock.wallMs += seconds * 1000;
      for (const book of books.all) book.account.read(clock.nowMs);
      keeper.look();
    },
    async report(name = "a", hours = 24): Promise<HistoryReport> {
      return (await keeper.report(name, hours)) ?? assert.fail(`no history of ${name}`);
    },
  };
  return room;
}

function requests(points: readonly HistoryPoint[]): Record<Side, number> {
  const sum = (side: Side) => points.reduce((all, point) => all + (point.requests?.[side] ?? 0), 0);
  return { old: sum("old"), new: sum("new") };
}

/** Until what was handed to the store is written. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a point is what happened since the one before, with shares, limits and evidence", async (context) => {
  const room = await open(context, createFakeStore());
  const recorder = new Recorder(room.book().tile, 0);
  room.answers("old", 7);
  room.answers("new", 3);
  recorder.leg("old", "well", false, 3_000);
  recorder.leg("new", "error", false, 200_000);
  recorder.comparison("match");
  recorder.comparison("uncompared");
  countComparison(room.book(), mismatchAt(["$.name"]));
  countComparison(room.book(), compared({ kind: "uncompared", why: "too_deep" }));
  room.pass();
  room.answers("old", 2);
  room.pass();
  const { points, limits, route } = await room.report();
  assert.deepEqual([route, limits], ["a", { mismatches: null, errors: 0.05 }]);
  assert.equal(points.length, 2);
  const [first, second] = points as [HistoryPoint, HistoryPoint];
  assert.deepEqual([first.at, first.seconds], ["2026-05-01T12:00:00.000Z", 5]);
  assert.deepEqual([second.at, second.seconds], ["2026-05-01T12:00:05.000Z", 5]);
  assert.deepEqual(
    [first.requests, second.requests],
    [
      { old: 7, new: 3 },
      { old: 2, new: 0 },
    ],
  );
  assert.deepEqual(
    [first.errors, second.errors],
    [
      { old: 0, new: 1 },
      { old: 0, new: 0 },
    ],
  );
  assert.deepEqual(first.comparisons, { match: 1, mismatch: 1, noise: 0, transient: 0, uncompared: 2 });
  assert.deepEqual([first.canary, first.shadow, first.latched], [0.05, 0, false]);
  assert.deepEqual(Object.keys(first.evidence ?? {}), ["errors", "client-errors"]);
  const { p50Ms, p99Ms } = first;
  assert.ok(p50Ms?.old && p50Ms.old > 2.8 && p50Ms.old < 3.2, JSON.stringify(p50Ms));
  assert.ok(p99Ms?.new && p99Ms.new > 185 && p99Ms.new < 215, JSON.stringify(p99Ms));
});

test("without answers there are no latencies, without a guard no limits and no evidence", async (context) => {
  const room = await open(context, createFakeStore(), [routeOf({ name: "a" })]);
  room.pass();
  room.book().tile.latch();
  room.pass();
  const { points, limits } = await room.report();
  const [first, second] = points as [HistoryPoint, HistoryPoint];
  assert.deepEqual(
    [first.p50Ms, first.p99Ms, first.evidence, limits],
    [null, null, {}, { mismatches: null, errors: null }],
  );
  assert.deepEqual(first.requests, { old: 0, new: 0 }, "it ran, and nobody asked");
  assert.deepEqual([second.canary, second.latched], [0, true]);
});

test("after a restart the history goes on, with a gap for the time between and nothing twice", async (context) => {
  const store = createFakeStore();
  const first = await open(context, store);
  for (let i = 0; i < 30; i++) {
    first.answers("old", 10);
    first.answers("new", 1);
    first.pass();
  }
  first.answers("new", 5); // not looked at by anybody when the end comes
  first.clock.nowMs += 2_000;
  first.clock.wallMs += 2_000;
  first.keeper.stop();
  await settled();
  const second = await open(context, store, [ROUTE], { nowMs: 77, wallMs: first.clock.wallMs + 90_000 });
  second.answers("old", 4);
  second.pass();
  const { points } = await second.report();
  assert.deepEqual(requests(points), { old: 304, new: 35 });
  assert.deepEqual(
    points.map(({ seconds, requests: counted }) => [seconds, counted === null ? null : counted.old]),
    [
      [60, 120],
      [60, 120],
      [32, 60],
      [90, null],
      [5, 4],
    ],
  );
  const third = await open(context, store, [ROUTE], { nowMs: 1, wallMs: second.clock.wallMs });
  assert.deepEqual(requests((await third.report()).points), { old: 300, new: 35 }, "the second was killed");
});

test("a killed gateway loses at most the last minute", async (context) => {
  const store = createFakeStore();
  const first = await open(context, store);
  for (let i = 0; i < 179; i++) {
    first.answers("old", 1);
    first.pass();
    await settled();
  }
  const second = await open(context, store, [ROUTE], { nowMs: 1, wallMs: first.clock.wallMs + 10_000 });
  const { points } = await second.report();
  assert.deepEqual(requests(points), { old: 168, new: 0 });
  await settled();
  const coarse = store.historyRecords.filter(({ resolution }) => resolution === 300);
  assert.deepEqual(
    coarse.map(({ seconds }) => seconds),
    [300, 300, 240],
    "five minutes have what the minutes have",
  );
});

test("a route that comes back under its name has its history, one that never was has none", async (context) => {
  const store = createFakeStore();
  const room = await open(context, store);
  room.answers("old", 3);
  room.pass();
  room.books.follow([routeOf({ name: "b" })], room.clock.nowMs);
  room.pass();
  assert.deepEqual((await room.report("a")).limits, { mismatches: null, errors: null });
  room.books.follow([ROUTE, routeOf({ name: "b" })], room.clock.nowMs);
  room.answers("old", 2);
  room.pass();
  const { points } = await room.report();
  assert.deepEqual(
    points.map((point) => point.requests?.old ?? null),
    [3, null, 2],
  );
  assert.equal(await room.keeper.report("nobody", 24), undefined);
  assert.equal((await room.report("b", 1)).points.length, 2);
});

test("names that mean something to JavaScript are names like others, over a restart too", async (context) => {
  const store = createFakeStore();
  const routes = ["__proto__", "constructor", "toString"].map((name) => routeOf({ name }));
  const first = await open(context, store, routes);
  for (const { name } of routes) first.answers("old", 4, name);
  first.pass();
  first.keeper.stop();
  await settled();
  const second = await open(context, store, routes, { nowMs: 1, wallMs: first.clock.wallMs });
  for (const { name } of routes)
    assert.deepEqual(requests((await second.report(name)).points), { old: 4, new: 0 }, name);
});

test("a store that hangs holds nothing up, and what waits for it has an end", async (context) => {
  const store = createFakeStore();
  const room = await open(context, store);
  const slow = createSlowDisk();
  store.disk = slow.disk;
  for (let i = 0; i < 12 * 60; i++) room.pass();
  assert.equal(slow.waiting, 1, "one write at a time");
  assert.equal((await room.report()).points.length > 180, true);
  store.disk = async () => {};
  slow.answerOne();
  await settled();
  await settled();
  assert.equal(store.historyRecords.length, 1 + 18);
  assert.equal(
    store.historyRecords.at(-1)?.to,
    store.historyRecords.reduce((to, each) => Math.max(to, each.to), 0),
  );
  store.disk = never;
  room.keeper.stop();
});

test("a store that fails is said, and the charts go on", async (context) => {
  const store = createFakeStore();
  const room = await open(context, store);
  store.disk = full;
  for (let i = 0; i < 25; i++) room.pass();
  await settled();
  assert.deepEqual(room.troubles, ["Error: the disk is full"]);
  store.disk = async () => {};
  for (let i = 0; i < 12; i++) room.pass();
  await settled();
  assert.ok(store.historyRecords.length >= 1);
  assert.equal((await room.report()).points.length, 37);
});

test("with a damaged store nothing is read or written, and the charts begin anew", async (context) => {
  const store = createFakeStore();
  store.health = { kind: "damaged", why: "torn" };
  store.addHistory = async () => assert.fail("written");
  store.history = async () => assert.fail("read");
  const room = await open(context, store);
  for (let i = 0; i < 13; i++) room.pass();
  assert.equal((await room.report()).points.length, 13);
  assert.deepEqual(room.troubles, []);
});

test("stored rows that cannot be read are said and left out; a store that cannot be read begins the charts anew", async (context) => {
  const store = createFakeStore();
  const first = await open(context, store);
  for (let i = 0; i < 36; i++) {
    first.answers("old", 1);
    first.pass();
    await settled();
  }
  const records = store.historyRecords;
  assert.equal(records.length, 3);
  records[0] = { ...(records[0] as (typeof records)[0]), routes: '{"a":[1,2]}' };
  records[1] = { ...(records[1] as (typeof records)[0]), format: 99 };
  const clock = { nowMs: 1, wallMs: first.clock.wallMs };
  const second = await open(context, store, [ROUTE], { ...clock });
  assert.deepEqual(requests((await second.report()).points), { old: 12, new: 0 });
  assert.deepEqual(second.said, ["the charts have gaps: 2 stored stretches of their history cannot be read"]);
  store.history = async () => {
    throw new Error("unreadable");
  };
  const third = await open(context, store, [ROUTE], { ...clock });
  third.pass();
  assert.deepEqual(third.troubles, ["Error: unreadable"]);
  assert.equal((await third.report()).points.length, 1);
});

test("a clock that is set back an hour moves no point and loses none", async (context) => {
  const store = createFakeStore();
  const room = await open(context, store);
  for (let i = 0; i < 40; i++) {
    if (i === 20) room.clock.wallMs -= 3_600_000;
    room.answers("old", 1);
    room.pass();
  }
  const { points } = await room.report("a", 1);
  assert.deepEqual(requests(points), { old: 40, new: 0 });
  for (const [index, point] of points.entries())
    assert.equal(Date.parse(point.at), room.clock.wallMs - (40 - index) * 5_000);
  room.keeper.stop();
  await settled();
  const again = await open(context, store, [ROUTE], { nowMs: 1, wallMs: room.clock.wallMs });
  const restored = (await again.report("a", 1)).points;
  assert.deepEqual(requests(restored), { old: 40, new: 0 });
  assert.deepEqual(
    restored.map(({ at }) => at),
    restored.map(({ at }) => at).toSorted(),
  );
});
