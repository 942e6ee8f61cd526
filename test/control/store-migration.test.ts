import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openStore } from "../../src/control/store/client.ts";
import { checksumOf } from "../../src/control/store/latch-checksum.ts";
import { latchValues } from "../../src/control/store/rows.ts";
import { ALL, latchRecord, sample, temporaryFolder } from "./store-fixtures.ts";

/** A state folder as the version before wrote it. */
const SCHEMA_1 = `
  CREATE TABLE latches (
     route TEXT NOT NULL PRIMARY KEY,
     cause TEXT NOT NULL,
     at TEXT NOT NULL,
     actor TEXT NOT NULL,
     reason TEXT NOT NULL,
     evidence_json TEXT NOT NULL,
     revision INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE audit (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at TEXT NOT NULL,
     route TEXT,
     action TEXT NOT NULL,
     actor TEXT NOT NULL,
     reason TEXT NOT NULL,
     from_value TEXT,
     to_value TEXT
   ) STRICT;
   CREATE INDEX audit_route ON audit (route, id);
   CREATE TABLE samples (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at TEXT NOT NULL,
     route TEXT NOT NULL,
     request_id TEXT NOT NULL,
     method TEXT NOT NULL,
     target TEXT NOT NULL,
     differences_json TEXT NOT NULL,
     old_json TEXT NOT NULL,
     new_json TEXT NOT NULL,
     bytes INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX samples_bytes ON samples (id, bytes);
   CREATE TABLE meta (
     name TEXT NOT NULL PRIMARY KEY,
     value TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   PRAGMA application_id = 1129665615; PRAGMA user_version = 1; PRAGMA journal_mode = WAL`;

function writeSchema1(folder: string): void {
  const database = new DatabaseSync(join(folder, "state.db"));
  database.exec(SCHEMA_1);
  const latch = latchRecord("profiles");
  database
    .prepare(
      `INSERT INTO latches (route, cause, at, actor, reason, evidence_json, revision)
       VALUES (:route, :cause, :at, :actor, :reason, :evidence_json, :revision)`,
    )
    .run(latchValues(latch));
  database.prepare("INSERT INTO meta VALUES ('latches.sha256', ?)").run(checksumOf([latch]));
  database
    .prepare("INSERT INTO samples VALUES (7, ?, 'profiles', 'r7', 'GET', '/p/7', ?, ?, ?, 100)")
    .run(
      new Date().toISOString(),
      '[{"place":"$.a[0]","kind":"value","old":"1","new":"2"}]',
      '{"status":200,"headers":{},"body":"{}","bodyBytes":2}',
      '{"status":200,"headers":{},"body":"{}","bodyBytes":2}',
    );
  database.close();
  writeFileSync(join(folder, "store.made"), "");
}

test("the state of schema 1 is taken over: latches, and samples with what they do not say left empty", async (context) => {
  const folder = temporaryFolder(context);
  writeSchema1(folder);
  const store = await openStore(folder);
  assert.deepEqual(store.health, { kind: "sound" });
  assert.deepEqual(await store.latches(), [latchRecord("profiles")]);
  const [taken] = await store.samples({ ...ALL, bodies: true });
  assert.ok(taken);
  assert.deepEqual(
    [taken.id, taken.rulesVersion, taken.clusters, taken.requestHeaders, taken.old.whole],
    [7, "", [], {}, false],
  );
  assert.deepEqual(taken.differences, [
    { place: "$.a[0]", template: "$.a[0]", kind: "value", old: "1", new: "2", relation: null },
  ]);
  await store.addSamples([sample("new")]);
  assert.deepEqual(
    (await store.samples(ALL)).map(({ requestId }) => requestId),
    ["new", "r7"],
  );
  await store.close();
  const again = await openStore(folder);
  assert.deepEqual(again.health, { kind: "sound" });
  await again.close();
});
