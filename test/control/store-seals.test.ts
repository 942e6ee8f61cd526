import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { StateDatabase } from "../../src/control/store/database.ts";
import { SEALED_TABLES } from "../../src/control/store/seals.ts";
import type { PinRecord, RolloutRecord } from "../../src/control/store-types.ts";
import { beginRollout } from "../../src/model/rollout-state.ts";
import { step } from "./rollout-room.ts";
import { auditEntry, latchRecord, sample, temporaryFolder, withoutSeals } from "./store-fixtures.ts";

const STEPS = [step(5), step(100)];

function rollout(route: string, bakedMs = 0): RolloutRecord {
  const state = beginRollout({ start: "running", steps: STEPS, gates: {} });
  return { route, state: { ...state, bakedMs }, shown: null };
}

function pin(key: string, side: PinRecord["side"] = "old"): PinRecord {
  const at = "2026-05-01T10:00:00.000Z";
  return { route: "a", key, side, at, by: "operator", reason: "shy", expiresAt: null };
}

const line = auditEntry("a");

/** A folder whose store was closed with two rows in each sealed table. */
function closedStore(context: TestContext): string {
  const folder = temporaryFolder(context);
  const store = new StateDatabase(folder);
  for (const route of ["a", "b"]) store.latch(latchRecord(route), line);
  store.keepRollouts([rollout("a"), rollout("b")]);
  for (const key of ["acme", "globex"]) store.pin(pin(key), line);
  store.close();
  return folder;
}

/** As a person with a tool, or a backup that was put back in part. */
function byHand(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, "state.db"));
  database.exec(sql);
  database.close();
}

function whyDamaged(folder: string): string {
  const store = new StateDatabase(folder);
  try {
    const { health } = store;
    assert.equal(health.kind, "damaged");
    const found = [store.latches(), store.rollouts(), store.pins(), store.audit({ route: null, limit: 9 })];
    assert.deepEqual(found, [[], [], [], []], "nothing of it is believed");
    return "why" in health ? health.why : "";
  } finally {
    store.close();
  }
}

/** A column that makes another row of the same table, and one that says something. */
const COLUMNS = {
  latches: ["route", "reason"],
  rollouts: ["route", "state_json"],
  pins: ["key", "side"],
  audit: ["id", "reason"],
} as const;

for (const table of SEALED_TABLES) {
  const [key, said] = COLUMNS[table];
  const others = (column: string): string => `SELECT group_concat(name) FROM pragma_table_info('${table}')
    WHERE name <> '${column}'`;
  const copyOf = (database: DatabaseSync): string => {
    const columns = Object.values(database.prepare(others(key)).get() ?? {}).join();
    const another = key === "id" ? "90 + id" : `${key} || ' again'`;
    return `INSERT INTO ${table} (${key}, ${columns}) SELECT ${another}, ${columns} FROM ${table}`;
  };
  const edits: Readonly<Record<string, (database: DatabaseSync) => string>> = {
    "a row taken out": () =>
      `DELETE FROM ${table} WHERE ${key} = (SELECT ${key} FROM ${table} ORDER BY ${key} DESC LIMIT 1)`,
    "all rows taken out": () => `DELETE FROM ${table}`,
    "a row changed": () => `UPDATE ${table} SET ${said} = ${said} || ' '`,
    "a row under another name": () =>
      key === "id" ? "UPDATE audit SET id = id + 90" : `UPDATE ${table} SET ${key} = ${key} || 'x'`,
    "rows put in as copies": copyOf,
    "its seal taken out": () => `DELETE FROM meta WHERE name = 'seal.${table}'`,
    "its seal changed": () => `UPDATE meta SET value = '2 f' WHERE name = 'seal.${table}'`,
  };
  for (const [what, edit] of Object.entries(edits)) {
    test(`${table}: ${what} by hand is damage that names the table`, (context) => {
      const folder = closedStore(context);
      const database = new DatabaseSync(join(folder, "state.db"));
      const sql = edit(database);
      database.close();
      byHand(folder, sql);
      assert.match(whyDamaged(folder), new RegExp(`state\\.db: .*its table ${table} `));
    });
  }
}

test("how many rows are gone is said", (context) => {
  const folder = closedStore(context);
  byHand(folder, "DELETE FROM pins WHERE key = 'acme'");
  assert.match(whyDamaged(folder), /table pins does not match its seal \(1 row where 2 rows should be\)/);
});

const OF_BEFORE: Readonly<Record<string, (store: StateDatabase) => void>> = {
  pins: (store) => store.unpin("a", "acme", line),
  rollouts: (store) => store.keepRollouts([rollout("a", 9_000)]),
  latches: (store) => store.unlatch("a", line),
};

for (const [table, change] of Object.entries(OF_BEFORE)) {
  test(`${table}: a whole row of an older backup, put back, is damage`, (context) => {
    const folder = closedStore(context);
    byHand(folder, `CREATE TABLE backup AS SELECT * FROM ${table}`);
    const store = new StateDatabase(folder);
    assert.equal(store.health.kind, "sound");
    change(store);
    store.close();
    byHand(folder, `INSERT OR REPLACE INTO ${table} SELECT * FROM backup; DROP TABLE backup`);
    assert.match(whyDamaged(folder), new RegExp(`its table ${table} does not match its seal`));
  });
}

test("samples, clusters and history have no seal: what is lost of them sends nobody anywhere", (context) => {
  const folder = closedStore(context);
  const first = new StateDatabase(folder);
  first.addSamples([sample("one"), sample("two")]);
  const at = new Date().toISOString();
  first.saveClusters([{ route: "a", at, compareSha256: "", clusters: "[]" }], ["a"]);
  first.addHistory([{ resolution: 60, from: 0, to: 1, at, seconds: 60, format: 1, routes: "{}" }]);
  first.close();
  byHand(folder, "DELETE FROM samples WHERE id = 1; DELETE FROM clusters; DELETE FROM history");
  const again = new StateDatabase(folder);
  assert.deepEqual(again.health, { kind: "sound" });
  assert.equal(again.latches().length, 2);
  again.close();
});

test("an edit while the gateway runs is found at the next start, also where the row was written since", (context) => {
  const folder = closedStore(context);
  const store = new StateDatabase(folder);
  byHand(folder, "DELETE FROM pins WHERE key = 'acme'");
  store.pin(pin("acme", "new"), line);
  store.close();
  assert.match(
    whyDamaged(folder),
    /its table pins does not match its seal \(2 rows where 3 rows should be\)/,
  );
});

test("a seal that is gone while the gateway runs is damage at the next write, which is not said to be kept", (context) => {
  const folder = closedStore(context);
  const store = new StateDatabase(folder);
  byHand(folder, "DELETE FROM meta WHERE name = 'seal.latches'");
  assert.throws(() => store.latch(latchRecord("c"), line), /a restart would forget it/);
  assert.match(JSON.stringify(store.health), /damaged.*the seal over its table latches is gone/);
  store.reset();
  store.latch(latchRecord("c"), line);
  store.close();
  const again = new StateDatabase(folder);
  assert.deepEqual([again.health.kind, again.latches()], ["sound", [latchRecord("c")]]);
  again.close();
});

/** Puts a store back to how schema 4 had it. */
function asSchema4(folder: string): void {
  const database = new DatabaseSync(join(folder, "state.db"));
  withoutSeals(database, [latchRecord("a"), latchRecord("b")]);
  database.close();
}

test("the state of schema 4 is taken over and sealed as it is", (context) => {
  const folder = closedStore(context);
  asSchema4(folder);
  const store = new StateDatabase(folder);
  assert.deepEqual(store.health, { kind: "sound" });
  assert.deepEqual(store.latches(), [latchRecord("a"), latchRecord("b")]);
  assert.deepEqual([store.pins().length, store.rollouts().length], [2, 2]);
  assert.equal(store.meta("latches.sha256"), undefined);
  assert.deepEqual(sealsOf(folder), recomputed(folder));
  store.unpin("a", "globex", line);
  store.close();
  assert.equal(new StateDatabase(folder).health.kind, "sound");
  byHand(folder, "DELETE FROM rollouts WHERE route = 'b'");
  assert.match(whyDamaged(folder), /its table rollouts does not match its seal/);
});

for (const [what, sql] of [
  ["without a latch that was there", "DELETE FROM latches WHERE route = 'a'"],
  ["without its checksum", "DELETE FROM meta"],
] as const) {
  test(`the state of schema 4 ${what} is damaged, and is not sealed as it is`, (context) => {
    const folder = closedStore(context);
    asSchema4(folder);
    byHand(folder, sql);
    assert.match(whyDamaged(folder), /its table latches does not match its checksum/);
  });
}

/** Longer than there are pages for: the transaction is taken back. */
const TOO_LONG = "x".repeat(600_000);

const names = fc.constantFrom("a", "b", "\ud83d\ude00", "\ud800");
const operation = fc.oneof(
  fc.record({ kind: fc.constant("latch" as const), name: names, revision: fc.nat(3) }),
  fc.record({ kind: fc.constant("pin" as const), name: names, side: fc.constantFrom("old", "new") }),
  fc.record({ kind: fc.constant("keep" as const), names: fc.array(names, { maxLength: 4 }), ms: fc.nat(3) }),
  fc.record({ kind: fc.constant("move" as const), name: names, ms: fc.nat(3) }),
  fc.record({ kind: fc.constant("drop" as const), names: fc.array(names, { maxLength: 3 }) }),
  fc.record({ kind: fc.constantFrom("unlatch", "unpin", "append", "too long", "reopen"), name: names }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function perform(store: StateDatabase, one: Operation): void {
  switch (one.kind) {
    case "latch":
      store.latch(latchRecord(one.name, { revision: one.revision }), line);
      return;
    case "pin":
      store.pin(pin(one.name, one.side), line);
      return;
    case "keep":
      store.keepRollouts(one.names.map((name) => rollout(name, one.ms)));
      return;
    case "move":
      store.moveRollout(rollout(one.name, one.ms), line);
      return;
    case "drop":
      store.dropRollouts(one.names);
      return;
    case "unlatch":
      store.unlatch(one.name, line);
      return;
    case "unpin":
      store.unpin("a", one.name, line);
      return;
    case "too long":
      assert.throws(() => store.latch(latchRecord(one.name), { ...line, reason: TOO_LONG }), /is full/);
      return;
    default:
      store.append({ ...line, route: one.name });
  }
}

/** What `meta` says. */
function sealsOf(folder: string): unknown {
  const database = new DatabaseSync(join(folder, "state.db"), { readOnly: true });
  const rows = database.prepare("SELECT name, value FROM meta WHERE name LIKE 'seal.%' ORDER BY name").all();
  database.close();
  return rows.map(({ name, value }) => [name, value]);
}

/** What it should say, by the description of a seal and not by the code. */
function recomputed(folder: string): unknown {
  const database = new DatabaseSync(join(folder, "state.db"), { readOnly: true });
  const seals = [...SEALED_TABLES].sort().map((table) => {
    const rows = database.prepare(`SELECT * FROM ${table}`).all();
    let sum = 0n;
    for (const row of rows) {
      const fields = Object.keys(row)
        .sort()
        .map((name) => [name, row[name]]);
      sum += BigInt(`0x${createHash("sha256").update(JSON.stringify(fields)).digest("hex")}`);
    }
    const hex = (sum % 2n ** 256n).toString(16).padStart(64, "0");
    return [`seal.${table}`, `${rows.length} ${hex}`];
  });
  database.close();
  return seals;
}

test("whatever is written, taken back or refused, the seals are those of the rows", (context) => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 25 }), (operations) => {
      const folder = temporaryFolder(context);
      let store = new StateDatabase(folder, { maxPages: 100 });
      for (const one of operations) {
        perform(store, one);
        if (one.kind !== "reopen") continue;
        store.close();
        store = new StateDatabase(folder, { maxPages: 100 });
        assert.equal(store.health.kind, "sound");
      }
      assert.deepEqual(sealsOf(folder), recomputed(folder));
      store.close();
    }),
    { numRuns: 40 },
  );
});
