import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { cutover } from "../support/command.ts";
import { rulesWith, TestGateway, TOKEN } from "../support/gateway.ts";
import { obedient } from "../support/obedient.ts";
import { until } from "../support/until.ts";

const ROUTES = {
  r: "canary: 100%",
  stay: "key: [header:x-user]\nsplit: { new: [acme], onRollback: stay }",
};

test("a damaged store closes everything: all of it on old, said loudly, until a person resets it", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(obedient("x-new"));
  const folder = await mkdtemp(join(tmpdir(), "cutover-damage-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const rules = rulesWith(old.url, fresh.url, ROUTES);
  const state = join(folder, "state");
  const damage = (): Promise<void> => writeFile(join(state, "state.db"), "this is no database ".repeat(1000));
  const first = await TestGateway.start({ rules, folder });
  assert.equal((await ask(first.proxyUrl, { path: "/r/x" })).side, "new");
  await first.stop();
  await damage();
  await using gateway = await TestGateway.start({ rules, folder });
  const run = (...args: string[]) =>
    cutover([...args, "--admin", gateway.adminUrl], { CUTOVER_ADMIN_TOKEN: TOKEN });
  const sideOf = async (path: string): Promise<string> => {
    const { status, side, reason } = await ask(gateway.proxyUrl, { path, headers: { "x-user": "acme" } });
    return `${status} ${side} ${reason}`;
  };

  await t.test("every route is on old, also the keys that stay on new otherwise", async () => {
    assert.equal(await sideOf("/r/x"), "200 old rolled-back");
    assert.equal(await sideOf("/stay/x"), "200 old rolled-back");
  });

  await t.test("it says so: stderr, status, metrics, the command line", async () => {
    await until("stderr tells of it", () => /is damaged[\s\S]*cutover reset --store/.test(gateway.stderr));
    const status = await gateway.status();
    assert.match(status.store, /^damaged: /);
    for (const { state: word, rollback, waitingFor } of status.routes) {
      assert.deepEqual([word, rollback?.cause], ["rolled-back", "store-damaged"]);
      assert.match(waitingFor, /^cutover reset --store/);
    }
    assert.equal(await gateway.metric("cutover_store_damaged"), 1);
    assert.equal(await gateway.metric("cutover_rollback_latched", { route: "r" }), 1);
    const shown = await run("status");
    assert.equal(shown.code, 0);
    assert.match(shown.out, /damaged/);
  });

  await t.test("a reload, and a reset of one route, leave it closed", async () => {
    await gateway.reloadWith(`${rules}# touched\n`);
    assert.equal(await sideOf("/r/x"), "200 old rolled-back");
    const { code, err } = await run("reset", "r", "--reason", "hope");
    assert.equal(code, 1);
    assert.match(err, /cutover reset --store/);
    assert.equal(await sideOf("/r/x"), "200 old rolled-back");
  });

  await t.test("`cutover reset --store` puts the files aside, and the rules decide again", async () => {
    const { code, err } = await run("reset", "--store", "--reason", "disk replaced");
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(await sideOf("/r/x"), "200 new canary-share");
    assert.equal(await sideOf("/stay/x"), "200 new split-new");
    assert.equal((await gateway.status()).store, "ok");
    assert.equal(await gateway.metric("cutover_store_damaged"), 0);
    assert.ok((await readdir(state)).some((name) => name.startsWith("state.db.damaged-")));
    const [entry] = await gateway.audit();
    assert.deepEqual([entry?.action, entry?.reason], ["reset", "disk replaced"]);
    assert.equal((await run("reset", "--store", "--reason", "again")).code, 1);
  });

  await t.test("the new store keeps what happens next", async () => {
    for (let i = 0; i < 5; i++) await ask(gateway.proxyUrl, { path: "/r/x", headers: { "x-new": "503" } });
    await gateway.rollbackStored("r");
    await gateway.kill();
    await using again = await TestGateway.start({ rules, folder });
    assert.equal((await again.route("r")).rollback?.cause, "killSwitch");
  });
});

test("a database that is taken away is missed, while the gateway runs and at the next start", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const folder = await mkdtemp(join(tmpdir(), "cutover-gone-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const rules = rulesWith(old.url, fresh.url, ROUTES);
  const database = join(folder, "state", "state.db");
  const first = await TestGateway.start({ rules, folder });
  await rm(database);
  const { body } = await first.act("r", "rollback", "by hand");
  assert.match(JSON.stringify(body), /has not kept it yet/);
  assert.match((await first.status()).store, /^damaged: .*state\.db: the file was removed/);
  assert.equal((await ask(first.proxyUrl, { path: "/stay/x" })).side, "old");
  await first.kill();
  await using second = await TestGateway.start({ rules, folder });
  assert.equal((await ask(second.proxyUrl, { path: "/r/x" })).reason, "rolled-back");
  assert.match((await second.status()).store, /^damaged: .*state\.db: it is missing/);
  const timesSaid = (): number => second.stderr.match(/is damaged/g)?.length ?? 0;
  await until("it is said", () => timesSaid() > 0);
  await second.stop();
  assert.equal(timesSaid(), 1, "said once");
});

test("a sound store that cannot be written at the start is read: its rollbacks hold, no reset is offered", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const folder = await mkdtemp(join(tmpdir(), "cutover-unwritable-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const rules = rulesWith(old.url, fresh.url, { r: "canary: 100%", other: "canary: 100%" });
  const first = await TestGateway.start({ rules, folder });
  await first.act("r", "rollback", "by hand");
  await first.stop();
  // SQLite cannot make its -shm file then, as on a full disk.
  const inTheWay = join(folder, "state", "state.db-shm");
  await symlink(join(inTheWay, "nowhere"), inTheWay);
  await using gateway = await TestGateway.start({ rules, folder });
  assert.equal((await ask(gateway.proxyUrl, { path: "/r/x" })).reason, "rolled-back");
  assert.equal((await ask(gateway.proxyUrl, { path: "/other/x" })).side, "new");
  assert.equal((await gateway.status()).store, "ok");
  assert.equal((await gateway.admin("POST", "/api/v1/store/reset", { reason: "x" })).status, 409);
  const { status, body } = await gateway.act("r", "reset", "mended");
  assert.equal(status, 409);
  assert.match(JSON.stringify(body), /r stays rolled back: .*cannot be opened for writing/);
  await rm(inTheWay);
  assert.equal((await gateway.act("r", "reset", "mended")).status, 200);
  assert.equal((await ask(gateway.proxyUrl, { path: "/r/x" })).side, "new");
});

/** A process may write files up to so many bytes from now on: for SQLite that is a full disk. */
function limitFiles(pid: number, bytes: string): void {
  execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:unlimited`]);
}

test("a disk that is full: a rollback acts at once, and is stored as soon as there is room", {
  skip: process.platform !== "linux" && "needs prlimit",
}, async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(obedient("x-new"));
  const folder = await mkdtemp(join(tmpdir(), "cutover-full-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const rules = rulesWith(old.url, fresh.url, ROUTES);
  await using gateway = await TestGateway.start({ rules, folder });
  limitFiles(gateway.pid, "1");
  for (let i = 0; i < 5; i++) await ask(gateway.proxyUrl, { path: "/r/x", headers: { "x-new": "503" } });
  await until("people are told", () => /but a restart would forget it/.test(gateway.stderr));
  const { side, reason } = await ask(gateway.proxyUrl, { path: "/r/x" });
  assert.deepEqual([side, reason], ["old", "rolled-back"]);
  assert.equal((await gateway.route("r")).rollback?.cause, "killSwitch");
  await gateway.logged("rollback");
  assert.deepEqual(await gateway.audit(), [], "nothing of it is on disk");
  limitFiles(gateway.pid, "unlimited");
  await gateway.rollbackStored("r");
  await gateway.kill();
  await using again = await TestGateway.start({ rules, folder });
  assert.equal((await again.route("r")).rollback?.cause, "killSwitch");
});
