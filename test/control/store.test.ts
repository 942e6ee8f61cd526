import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { openStore } from "../../src/control/store/client.ts";
import { StoreError } from "../../src/control/store/errors.ts";
import { ALL, auditEntry, latchRecord, sample, temporaryFolder } from "./store-fixtures.ts";

const ROOMY = { maxCount: 1_000, maxBytes: 1_000_000, maxAgeMs: 60_000, maxPerCluster: 5 };

test("everything that was acknowledged reads back the same after a reopen", async (context) => {
  const folder = temporaryFolder(context);
  const first = await openStore(folder);
  assert.deepEqual(first.health, { kind: "fresh" });
  const latch = latchRecord("profiles", { reason: 'quoted " and é and \ud83d\ude00' });
  const written = await first.latch(latch, auditEntry("profiles"));
  await first.append(auditEntry(null, "reload"));
  await first.addSamples([sample("one"), sample("two", { route: "orders" })]);
  await first.setMeta("salt", "abc");
  await first.close();

  const second = await openStore(folder);
  assert.deepEqual(second.health, { kind: "sound" });
  assert.deepEqual(await second.latches(), [latch]);
  const trail = await second.audit({ route: null, limit: 10 });
  assert.deepEqual(
    trail.map((entry) => entry.action),
    ["reload", "rollback"],
  );
  assert.deepEqual(trail[1], written);
  assert.deepEqual(await second.audit({ route: "profiles", limit: 10 }), [written]);
  assert.deepEqual(
    (await second.auditAfter(written.id)).map((entry) => entry.action),
    ["reload"],
  );
  const samples = await second.samples({ ...ALL, bodies: true });
  assert.deepEqual(
    samples.map((one) => one.requestId),
    ["two", "one"],
  );
  assert.deepEqual(
    (await second.samples({ ...ALL, route: "orders" })).map((one) => one.requestId),
    ["two"],
  );
  const [newest] = samples;
  assert.deepEqual(await second.sample(newest?.id ?? 0), newest);
  assert.equal(await second.sample(4711), undefined);
  assert.equal(await second.meta("salt"), "abc");
  assert.equal(await second.meta("pepper"), undefined);
  await second.close();
});

test("a reset takes the latch away and writes its line in one step", async (context) => {
  const folder = temporaryFolder(context);
  const store = await openStore(folder);
  await store.latch(latchRecord("a"), auditEntry("a"));
  await store.latch(latchRecord("b"), auditEntry("b"));
  await store.latch(latchRecord("a", { revision: 2 }), auditEntry("a"));
  const reset = await store.unlatch("b", auditEntry("b", "reset"));
  assert.equal(reset.action, "reset");
  assert.deepEqual(
    (await store.latches()).map(({ route, revision }) => [route, revision]),
    [["a", 2]],
  );
  await store.close();
});

test("calls take effect in the order in which they were made", async (context) => {
  const store = await openStore(temporaryFolder(context));
  const entries = await Promise.all(
    Array.from({ length: 50 }, (_, index) => store.append(auditEntry("r", `step ${index}`))),
  );
  assert.deepEqual(
    entries.map((entry) => entry.action),
    Array.from({ length: 50 }, (_, index) => `step ${index}`),
  );
  assert.ok(entries.every((entry, index) => index === 0 || entry.id > (entries[index - 1]?.id ?? 0)));
  await store.close();
});

test("a call after close is refused, and close may be repeated", async (context) => {
  const store = await openStore(temporaryFolder(context));
  const pending = store.append(auditEntry("r"));
  await store.close();
  assert.equal((await pending).route, "r");
  await assert.rejects(store.latches(), /the store is closed/);
  await store.close();
});

test("the database and its folder are for the owner alone, and any SQLite tool reads it", async (context) => {
  const folder = temporaryFolder(context);
  const store = await openStore(folder);
  await store.latch(latchRecord("profiles"), auditEntry("profiles"));
  for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
  const tool = new DatabaseSync(join(folder, "state.db"), { readOnly: true });
  assert.deepEqual(
    tool
      .prepare("SELECT route, cause, actor FROM latches")
      .all()
      .map((row) => ({ ...row })),
    [{ route: "profiles", cause: "errors", actor: "guard" }],
  );
  tool.close();
  await store.close();
});

test("samples stay within their count, and the oldest go first", async (context) => {
  const caps = { ...ROOMY, maxCount: 5 };
  const store = await openStore(temporaryFolder(context), { caps });
  await store.addSamples(["1", "2", "3", "4"].map((name) => sample(name)));
  await store.addSamples(["5", "6", "7"].map((name) => sample(name)));
  assert.deepEqual(
    (await store.samples(ALL)).map((one) => one.requestId),
    ["7", "6", "5", "4", "3"],
  );
  await store.close();
});

test("samples stay within their bytes, and the oldest go first", async (context) => {
  const caps = { ...ROOMY, maxBytes: 10_000 };
  const store = await openStore(temporaryFolder(context), { caps });
  await store.addSamples(["1", "2", "3", "4"].map((name) => sample(name, {}, 2_900)));
  assert.deepEqual(
    (await store.samples(ALL)).map((one) => one.requestId),
    ["4", "3", "2"],
  );
  await store.addSamples([sample("huge", {}, 20_000)]);
  assert.deepEqual(await store.samples(ALL), []);
  await store.close();
});

test("a sample beyond its age is neither shown nor kept", async (context) => {
  const store = await openStore(temporaryFolder(context), {
    caps: ROOMY,
  });
  const at = new Date(Date.now() - 61_000).toISOString();
  await store.addSamples([sample("old", { at }), sample("young")]);
  assert.deepEqual(
    (await store.samples(ALL)).map((one) => one.requestId),
    ["young"],
  );
  await store.close();
});

test("a full disk rejects the write with what it costs, loses nothing older, and the store goes on", async (context) => {
  const folder = temporaryFolder(context);
  const store = await openStore(folder, { maxPages: 24 });
  await store.latch(latchRecord("kept"), auditEntry("kept"));
  const big = latchRecord("big", { reason: "x".repeat(200_000) });
  await assert.rejects(store.latch(big, auditEntry("big")), (error) => {
    assert.ok(error instanceof StoreError);
    assert.equal(error.operation, "latch");
    assert.match(error.code, /full/);
    assert.match(
      error.message,
      /the state folder .* is full: the rollback acts, but a restart would forget it/,
    );
    return true;
  });
  assert.deepEqual(
    (await store.latches()).map((latch) => latch.route),
    ["kept"],
  );
  assert.equal((await store.append(auditEntry("kept", "reload"))).action, "reload");
  await store.close();
});

test("a store whose thread dies rejects what was pending and comes back on the next call", async (context) => {
  const folder = temporaryFolder(context);
  const started = once(process, "worker");
  const store = await openStore(folder);
  await store.latch(latchRecord("profiles"), auditEntry("profiles"));
  const [worker] = (await started) as [Worker];
  const ended = once(worker, "exit");
  // A thread that lives for a moment longer might answer: this question never comes to it.
  context.mock.method(worker, "postMessage", () => {});
  const pending = assert.rejects(store.samples(ALL), (error) => {
    assert.ok(error instanceof StoreError);
    assert.match(error.message, /stopped/);
    return true;
  });
  await worker.terminate();
  await Promise.all([ended, pending]);
  const [latches, entry] = await Promise.all([
    store.latches(),
    store.append(auditEntry("profiles", "reset")),
  ]);
  assert.deepEqual(
    latches.map((latch) => latch.route),
    ["profiles"],
  );
  assert.equal(entry.action, "reset");
  await store.close();
});

test("a value that cannot be stored fails its own call alone", async (context) => {
  const store = await openStore(temporaryFolder(context));
  await assert.rejects(store.setMeta("x", {} as unknown as string), StoreError);
  await assert.rejects(store.setMeta("x", (() => "") as unknown as string), /could not be cloned/);
  await assert.rejects(store.setMeta("seal.latches", "forged"), StoreError);
  await store.setMeta("x", "y");
  assert.equal(await store.meta("x"), "y");
  await store.close();
});

test("a folder in which no store can be made rejects with a sentence", async (context) => {
  const folder = join(temporaryFolder(context), "missing");
  await assert.rejects(openStore(folder), (error) => {
    assert.ok(error instanceof StoreError);
    assert.match(error.message, /the state folder .*missing/);
    return true;
  });
});

test("an interrupted first start leaves no half-made database behind", async (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "state.db.draft"), "half a database");
  writeFileSync(join(folder, "state.db"), "");
  const store = await openStore(folder);
  assert.deepEqual(store.health, { kind: "fresh" });
  await store.close();
  assert.equal(existsSync(join(folder, "state.db.draft")), false);
});

test("a copy of the database file alone holds every latch", async (context) => {
  const folder = temporaryFolder(context);
  const elsewhere = temporaryFolder(context);
  const store = await openStore(folder);
  await store.latch(latchRecord("profiles"), auditEntry("profiles"));
  copyFileSync(join(folder, "state.db"), join(elsewhere, "state.db"));
  const copy = await openStore(elsewhere);
  assert.deepEqual(
    (await copy.latches()).map((latch) => latch.route),
    ["profiles"],
  );
  await copy.close();
  await store.close();
});
