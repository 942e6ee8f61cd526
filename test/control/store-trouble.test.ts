import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openStore } from "../../src/control/store/client.ts";
import { StateDatabase } from "../../src/control/store/database.ts";
import { StoreError } from "../../src/control/store/errors.ts";
import { auditEntry, latchRecord, temporaryFolder } from "./store-fixtures.ts";

/** A folder whose store was closed with one route latched. */
function closedStore(folder: string): string {
  const database = new StateDatabase(folder);
  database.latch(latchRecord("profiles"), auditEntry("profiles"));
  database.close();
  return join(folder, "state.db");
}

/** SQLite can then not make its -shm file, without which it opens no database in WAL mode: as on a full disk. */
function takeRoom(path: string): () => void {
  symlinkSync(join(path, "nowhere"), `${path}-shm`); // it follows no links
  return () => unlinkSync(`${path}-shm`);
}

const whyOf = ({ health }: { readonly health: object }): string =>
  "why" in health ? String(health.why) : "";

test("a sound store without room for a write is read, says that it keeps nothing, and keeps again once there is room", async (context) => {
  const folder = temporaryFolder(context);
  const giveRoom = takeRoom(closedStore(folder));
  const store = await openStore(folder);
  assert.deepEqual(store.health, { kind: "sound" });
  assert.deepEqual(await store.latches(), [latchRecord("profiles")]);
  assert.equal((await store.audit({ route: null, limit: 10 })).length, 1);
  for (let i = 0; i < 2; i++) {
    await assert.rejects(store.latch(latchRecord("orders"), auditEntry("orders")), (error) => {
      assert.ok(error instanceof StoreError);
      assert.match(error.message, /cannot be opened for writing.*a restart would forget it/);
      return true;
    });
    assert.deepEqual(await store.latches(), [latchRecord("profiles")], "it still reads");
  }
  await assert.rejects(store.reset(), /the store is sound/);
  giveRoom();
  await store.latch(latchRecord("orders"), auditEntry("orders"));
  await store.close();
  const again = await openStore(folder);
  assert.deepEqual(
    (await again.latches()).map(({ route }) => route),
    ["orders", "profiles"],
  );
  await again.close();
});

test("a store that cannot be read whole now is unreadable, not damaged: no reset touches it, and a later start reads it", async (context) => {
  const folder = temporaryFolder(context);
  const crashed = join(folder, "crashed");
  mkdirSync(crashed);
  const path = join(crashed, "state.db");
  const running = new StateDatabase(folder);
  running.latch(latchRecord("profiles"), auditEntry("profiles"));
  running.append(auditEntry(null, "reload")); // in the log alone
  for (const suffix of ["", "-wal"]) copyFileSync(join(folder, `state.db${suffix}`), `${path}${suffix}`);
  running.close();
  const giveRoom = takeRoom(path);
  const store = await openStore(crashed);
  assert.equal(store.health.kind, "unreadable");
  assert.match(whyOf(store), /state\.db: it cannot be opened/);
  assert.deepEqual(await store.latches(), []);
  for (const refused of [store.append(auditEntry("profiles")), store.reset()]) {
    await assert.rejects(refused, (error) => {
      assert.ok(error instanceof StoreError);
      assert.match(error.message, /is unreadable .*start the gateway again; what it holds is not lost/);
      assert.doesNotMatch(error.message, /reset --store/);
      return true;
    });
  }
  await store.close();
  giveRoom();
  const again = await openStore(crashed);
  assert.deepEqual(again.health, { kind: "sound" });
  assert.equal((await again.latches()).length, 1);
  assert.equal((await again.audit({ route: null, limit: 10 })).length, 2);
  await again.close();
});

for (const trace of ["store.made", "admin.token", "state.db-wal", "state.db-shm"]) {
  test(`a folder without state.db but with ${trace} is no new folder: damaged, until it is reset`, async (context) => {
    const folder = temporaryFolder(context);
    writeFileSync(join(folder, trace), "");
    const store = await openStore(folder);
    assert.equal(store.health.kind, "damaged");
    assert.match(whyOf(store), new RegExp(`state\\.db: it is missing or empty, but ${trace} beside it`));
    assert.equal(existsSync(join(folder, "state.db")), false, "nothing is made on its own");
    await store.reset();
    await store.latch(latchRecord("profiles"), auditEntry("profiles"));
    await store.close();
    const again = await openStore(folder);
    assert.deepEqual([again.health.kind, (await again.latches()).length], ["sound", 1]);
    await again.close();
  });
}

test("a store that was made and then removed by its name is missed at the next start", async (context) => {
  const folder = temporaryFolder(context);
  const path = closedStore(folder);
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
  const store = await openStore(folder);
  assert.equal(store.health.kind, "damaged");
  await store.close();
});

const TAKEN: Readonly<Record<string, (path: string) => void>> = {
  removed: (path) => rmSync(path),
  "replaced by another": (path) => {
    copyFileSync(path, `${path}.copy`);
    renameSync(`${path}.copy`, path);
  },
};

for (const [what, take] of Object.entries(TAKEN)) {
  test(`a database that is ${what} while it is open is noticed at the next write: nothing is said to be kept`, async (context) => {
    const folder = temporaryFolder(context);
    const store = await openStore(folder);
    await store.append(auditEntry(null, "reload"));
    take(join(folder, "state.db"));
    await assert.rejects(store.latch(latchRecord("profiles"), auditEntry("profiles")), StoreError);
    assert.equal(store.health.kind, "damaged");
    assert.match(whyOf(store), new RegExp(`state\\.db: the file was ${what} while the gateway ran`));
    await store.reset();
    await store.latch(latchRecord("profiles"), auditEntry("profiles"));
    await store.close();
    const again = await openStore(folder);
    assert.deepEqual(await again.latches(), [latchRecord("profiles")]);
    await again.close();
  });
}

test("what is wrong with a damaged store is one line of bounded length", (context) => {
  const folder = temporaryFolder(context);
  const path = closedStore(folder);
  const database = new StateDatabase(folder);
  for (let i = 0; i < 50; i++) database.append(auditEntry("profiles", `step ${i}`));
  database.close();
  writeFileSync(path, Buffer.alloc(8192), { flag: "r+", flush: true });
  const { health } = new StateDatabase(folder);
  assert.equal(health.kind, "damaged");
  assert.match(whyOf({ health }), /^[^\n]{1,400}$/);
});
