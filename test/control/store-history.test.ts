import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openStore } from "../../src/control/store/client.ts";
import { StateDatabase } from "../../src/control/store/database.ts";
import type { HistoryRecord, StoredHistory } from "../../src/control/store-types.ts";
import { auditEntry, latchRecord, temporaryFolder, withoutSeals } from "./store-fixtures.ts";

const NOON = Date.parse("2026-05-01T12:00:00.000Z");

function historyRecord(look: number, more: Partial<HistoryRecord> = {}): HistoryRecord {
  const at = new Date(NOON + look * 5000).toISOString();
  return {
    resolution: 60,
    from: look,
    to: look + 12,
    at,
    seconds: 60.004,
    format: 1,
    routes: '{"a":[1]}',
    ...more,
  };
}

/** Everything that is stored, page by page. */
function all(database: StateDatabase): StoredHistory[] {
  const found: StoredHistory[] = [];
  for (let page = database.history(0); page.length > 0; page = database.history(found.at(-1)?.id ?? 0))
    found.push(...page);
  return found;
}

function size(database: DatabaseSync): { readonly count: number; readonly bytes: number } {
  const row = database.prepare("SELECT count(*) AS count, sum(bytes) AS bytes FROM history").get();
  return { count: Number(row?.count), bytes: Number(row?.bytes) };
}

test("history reads back the same after a reopen, in the order in which it was written", async (context) => {
  const folder = temporaryFolder(context);
  const first = await openStore(folder);
  const records = [
    historyRecord(0),
    historyRecord(12, { at: "2020-01-01T00:00:00.000Z" }),
    historyRecord(24),
  ];
  await first.addHistory(records.slice(0, 2));
  await first.addHistory([]);
  await first.addHistory(records.slice(2));
  await first.close();
  const second = await openStore(folder);
  assert.deepEqual(second.health, { kind: "sound" });
  const found = await second.history(0);
  assert.deepEqual(
    found.map(({ record }) => record),
    records,
  );
  assert.deepEqual(await second.history(found.at(-1)?.id ?? 0), []);
  await second.close();
});

test("of each resolution so many rows are kept, whatever the clock says", (context) => {
  const database = new StateDatabase(temporaryFolder(context));
  context.after(() => database.close());
  const records = Array.from({ length: 400 }, (_, i) => {
    const at = new Date(i === 390 ? NOON * 2 : NOON).toISOString();
    const minute = historyRecord(i * 12, { at });
    return i % 5 === 4
      ? [minute, historyRecord((i - 4) * 12, { resolution: 300, to: i * 12 + 12 })]
      : [minute];
  }).flat();
  for (let i = 0; i < records.length; i += 48) database.addHistory(records.slice(i, i + 48));
  const found = all(database).flatMap(({ record }) => record ?? []);
  const minutes = found.filter(({ resolution }) => resolution === 60);
  assert.equal(minutes.length, 360);
  assert.equal(minutes[0]?.from, 40 * 12);
  assert.equal(found.filter(({ resolution }) => resolution === 300).length, 80);
});

test("its bytes have an end: the oldest rows go", (context) => {
  const folder = temporaryFolder(context);
  const database = new StateDatabase(folder);
  context.after(() => database.close());
  const routes = JSON.stringify({ a: "x".repeat(6 * 1024 * 1024) });
  for (let i = 0; i < 12; i++) database.addHistory([historyRecord(i * 12, { resolution: 300, routes })]);
  const reader = new DatabaseSync(join(folder, "state.db"), { readOnly: true });
  const { count, bytes } = size(reader);
  reader.close();
  assert.equal(count, 10);
  assert.ok(bytes <= 64 * 1024 * 1024, `${bytes}`);
  const page = database.history(0);
  assert.equal(page.length, 1, "a page has its bytes, or one row");
  assert.equal(page[0]?.record?.from, 24);
});

test("a row that was changed by hand costs itself alone: the store is sound", async (context) => {
  const folder = temporaryFolder(context);
  const first = await openStore(folder);
  await first.latch(latchRecord("profiles"), auditEntry("profiles"));
  await first.addHistory([historyRecord(0), historyRecord(12), historyRecord(24)]);
  await first.close();
  const file = new DatabaseSync(join(folder, "state.db"));
  file.exec("UPDATE history SET at = 'noon' WHERE id = 2; UPDATE history SET routes_json = '{' WHERE id = 3");
  file.close();
  const second = await openStore(folder);
  assert.deepEqual(second.health, { kind: "sound" });
  assert.deepEqual(
    (await second.history(0)).map(({ id, record }) => [id, record?.routes ?? null]),
    [
      [1, '{"a":[1]}'],
      [2, null],
      [3, "{"],
    ],
  );
  assert.equal((await second.latches()).length, 1);
  await second.close();
});

test("the state of schema 3 is taken over, with an empty history", async (context) => {
  const folder = temporaryFolder(context);
  await (await openStore(folder)).close();
  const file = new DatabaseSync(join(folder, "state.db"));
  withoutSeals(file, []);
  file.exec("DROP TABLE history; PRAGMA user_version = 3");
  file.close();
  const store = await openStore(folder);
  assert.deepEqual(store.health, { kind: "sound" });
  assert.deepEqual(await store.history(0), []);
  await store.addHistory([historyRecord(0)]);
  assert.equal((await store.history(0)).length, 1);
  await store.close();
});

test("markers are what happened to the route or to the whole gateway since then, oldest first", (context) => {
  const folder = temporaryFolder(context);
  const database = new StateDatabase(folder);
  context.after(() => database.close());
  const at = (minute: number) => new Date(NOON + minute * 60_000).toISOString();
  const lines: [number, string | null, string][] = [
    [0, "a", "promote"],
    [5, null, "reload"],
    [6, "b", "rollback"],
    [7, "a", "pin"],
    [8, "a", "rollback"],
    [9, null, "reset"],
    [10, "a", "completed"],
  ];
  for (const [minute, route, action] of lines)
    database.append({ ...auditEntry(route, action), at: at(minute) });
  assert.deepEqual(
    database.markers("a", NOON + 60_000).map((entry) => [entry.at, entry.action]),
    [
      [at(5), "reload"],
      [at(8), "rollback"],
      [at(9), "reset"],
      [at(10), "completed"],
    ],
  );
  assert.equal(database.markers("a", NOON).length, 5);
  const file = new DatabaseSync(join(folder, "state.db"));
  const insert = file.prepare(
    "INSERT INTO audit (at, action, actor, reason) VALUES (?, 'reload', 'rules', 'a flood')",
  );
  file.exec("BEGIN");
  for (let i = 0; i < 600; i++) insert.run(at(20 + i));
  file.exec("COMMIT");
  file.close();
  const newest = database.markers("a", NOON);
  assert.equal(newest.length, 503, "of a flood the newest");
  assert.equal(newest.at(-1)?.at, at(619));
});
