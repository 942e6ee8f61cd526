import assert from "node:assert/strict";
import { hash } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import fc from "fast-check";
import { openStore } from "../../src/control/store/client.ts";
import { StateDatabase } from "../../src/control/store/database.ts";
import { StoreError } from "../../src/control/store/errors.ts";
import { ALL, auditEntry, latchRecord, sample, temporaryFolder } from "./store-fixtures.ts";

/** A closed store with one latch, some audit lines and samples; returns the path of its database. */
function soundStore(folder: string): string {
  const database = new StateDatabase(folder);
  database.latch(latchRecord("profiles"), auditEntry("profiles"));
  for (let index = 0; index < 20; index += 1) database.append(auditEntry("profiles", `step ${index}`));
  database.addSamples([sample("one", {}, 5_000), sample("two", {}, 5_000)]);
  database.close();
  return join(folder, "state.db");
}

/** Runs SQL on a closed store, as a person with a tool would. */
function edit(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  "garbage instead of a database": (path) => writeFileSync(path, "not a database at all ".repeat(500)),
  "a file cut in half": (path) => truncateSync(path, Math.floor(readFileSync(path).length / 2)),
  "a file cut within its header": (path) => truncateSync(path, 60),
  "zeros in the middle": (path) => {
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0, 4_096, 12_288));
  },
  "a newer schema": (path) => edit(path, "PRAGMA user_version = 99"),
  "another program's database": (path) => edit(path, "PRAGMA application_id = 1"),
  "a missing table": (path) => edit(path, "DROP TABLE audit"),
  "a latch whose evidence is not JSON": (path) => edit(path, "UPDATE latches SET evidence_json = 'x'"),
  "a latch that was taken out by hand": (path) => edit(path, "DELETE FROM latches"),
  "a number beyond all that are written": (path) => edit(path, "UPDATE latches SET revision = 1 << 60"),
  "an audit line by nobody known": (path) => edit(path, "UPDATE audit SET actor = 'nobody' WHERE id = 3"),
  "a missing file whose log is still there": (path) => {
    writeFileSync(`${path}-wal`, "left over");
    rmSync(path);
  },
};

for (const [name, damage] of Object.entries(DAMAGES)) {
  test(`${name} is a damaged store: nothing is read, the files are left as they are`, async (context) => {
    const folder = temporaryFolder(context);
    const path = soundStore(folder);
    damage(path);
    const before = contents(folder);
    const store = await openStore(folder);
    assert.equal(store.health.kind, "damaged");
    assert.match(store.health.kind === "damaged" ? store.health.why : "", /^\/.*state\.db: [^\n]+$/);
    assert.deepEqual(await store.latches(), []);
    assert.deepEqual(await store.audit({ route: null, limit: 10 }), []);
    assert.deepEqual(await store.samples(ALL), []);
    await assert.rejects(store.append(auditEntry("profiles")), (error) => {
      assert.ok(error instanceof StoreError);
      assert.match(error.message, /cutover reset --store/);
      return true;
    });
    await store.close();
    assert.deepEqual(contents(folder), before);
  });
}

test("reset puts a damaged store aside, whole, and starts a fresh one", async (context) => {
  const folder = temporaryFolder(context);
  const path = soundStore(folder);
  writeFileSync(path, "garbage, garbage, garbage");
  const store = await openStore(folder);
  await store.reset();
  assert.deepEqual(store.health, { kind: "fresh" });
  assert.equal((await store.append(auditEntry(null, "reset"))).action, "reset");
  const aside = readdirSync(folder).find((name) => name.startsWith("state.db.damaged-"));
  assert.equal(readFileSync(join(folder, aside ?? ""), "utf8"), "garbage, garbage, garbage");
  await assert.rejects(store.reset(), /the store is sound/);
  await store.close();
  const again = await openStore(folder);
  assert.deepEqual(again.health, { kind: "sound" });
  await again.close();
});

test("damage that is found while running turns the store damaged from then on", async (context) => {
  const folder = temporaryFolder(context);
  const path = join(folder, "state.db");
  const store = await openStore(folder);
  const big = ["1", "2", "3", "4"].map((name) => sample(name, {}, 1_000_000)); // more than SQLite keeps in memory
  await store.addSamples(big);
  await store.latch(latchRecord("profiles"), auditEntry("profiles")); // moves it all from the log into the file
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(statSync(path).size, 0xff));
  closeSync(file);
  await assert.rejects(store.samples(ALL), (error) => {
    assert.ok(error instanceof StoreError);
    assert.match(error.message, /holds a damaged database/);
    return true;
  });
  assert.equal(store.health.kind, "damaged");
  assert.deepEqual(await store.latches(), []);
  await assert.rejects(store.append(auditEntry("profiles")), StoreError);
  await store.reset();
  assert.equal((await store.append(auditEntry("profiles"))).id, 1);
  await store.close();
});

test("whatever single byte flips, a latch is read back as it was or the store is damaged", (context) => {
  const folder = temporaryFolder(context);
  const original = join(folder, "original");
  copyFileSync(soundStore(folder), original);
  const bytes = readFileSync(original);
  const copy = mkdtempSync(join(tmpdir(), "cutover-flip-"));
  context.after(() => rmSync(copy, { recursive: true, force: true }));
  const expected = [latchRecord("profiles")];
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (place, mask) => {
      for (const name of readdirSync(copy)) rmSync(join(copy, name));
      const flipped = Buffer.from(bytes);
      flipped[place] = (flipped[place] ?? 0) ^ mask;
      writeFileSync(join(copy, "state.db"), flipped);
      const database = new StateDatabase(copy);
      if (database.health.kind !== "damaged") assert.deepEqual(database.latches(), expected);
      database.close();
    }),
    { numRuns: 300 },
  );
});

/** Hashes of the files of a folder, but for SQLite's index of the log (-shm) and an empty log: they hold no data. */
function contents(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder).filter((name) => !name.endsWith("-shm"));
  const filled = files.filter((name) => statSync(join(folder, name)).size > 0);
  return new Map(filled.map((name) => [name, hash("sha256", readFileSync(join(folder, name)))]));
}
