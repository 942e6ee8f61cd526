import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const FIELDS = `key: [header:x-user]
rollout:
  start: running
  steps:
    - { canary: 5%, bake: 1h }
    - { canary: 100%, bake: 1h }`;

interface Place {
  readonly start: () => Promise<TestGateway>;
  /** The path of `state.db`. */
  readonly path: string;
}

/** Two backends and a folder for one gateway after the other. */
async function place(t: TestContext): Promise<Place> {
  const old = await startBackend(json({ from: "old" }));
  const fresh = await startBackend(json({ from: "new" }));
  const folder = await mkdtemp(join(tmpdir(), "cutover-flip-"));
  t.after(async () => {
    await old.close();
    await fresh.close();
    await rm(folder, { recursive: true, force: true });
  });
  const rules = rulesFor(old.url, fresh.url, FIELDS);
  return {
    start: () => TestGateway.start({ rules, folder, flags: ["--threads", "1"] }),
    path: join(folder, "state", "state.db"),
  };
}

async function sideOf(gateway: TestGateway, key: string): Promise<string> {
  const { side, reason } = await ask(gateway.proxyUrl, { headers: { "x-user": key } });
  return `${side} ${reason}`;
}

test("one flipped bit in a stored rollout: everything on old, said loudly; a new store begins before step 0", async (t) => {
  const { start, path } = await place(t);
  await using first = await start();
  const pin = { key: "tester", side: "new", reason: "tries it" };
  assert.equal((await first.admin("POST", "/api/v1/routes/r/pins", pin)).status, 200);
  assert.equal((await first.act("r", "promote", "half is not enough")).status, 200);
  assert.equal(await sideOf(first, "anyone"), "new canary-share");
  await first.stop();

  const bytes = await readFile(path);
  const at = bytes.indexOf('"shares":{"canaryPpm":1000000');
  assert.ok(at > 0, "the share is found in the file");
  const digit = at + '"shares":{"canaryPpm":'.length;
  bytes[digit] = (bytes[digit] ?? 0) ^ 2; // 1 → 3
  await writeFile(path, bytes);

  await using damaged = await start();
  for (const key of ["anyone", "tester"]) assert.equal(await sideOf(damaged, key), "old rolled-back");
  const { store, routes } = await damaged.status();
  assert.match(store, /^damaged: .*rollouts/);
  assert.deepEqual([routes[0]?.state, routes[0]?.rollback?.cause], ["rolled-back", "store-damaged"]);
  await until("it is said to people", () =>
    /the store is damaged: [\s\S]*everything goes to old/.test(damaged.stderr),
  );
  for (const action of ["promote", "resume", "reset"]) {
    assert.equal((await damaged.act("r", action, "hope")).status, 409, action);
  }
  const reset = await damaged.admin("POST", "/api/v1/store/reset", { reason: "disk replaced" });
  assert.equal(reset.status, 200, JSON.stringify(reset.body));
  const isBeforeStepZero = async (gateway: TestGateway): Promise<void> => {
    const { state, step, canary, latched } = await gateway.route("r");
    assert.deepEqual([state, step, canary, latched], ["paused", 0, 0, false]);
    assert.equal(await sideOf(gateway, "anyone"), "old default-old");
  };
  await isBeforeStepZero(damaged);
  await damaged.kill();
  await using again = await start();
  await isBeforeStepZero(again);
});

test("a pin to old that somebody deleted from the store: everything on old, and status says which table", async (t) => {
  const { start, path } = await place(t);
  await using first = await start();
  assert.equal((await first.act("r", "promote", "all of it")).status, 200);
  const pin = { key: "whale", side: "old", reason: "not yet" };
  assert.equal((await first.admin("POST", "/api/v1/routes/r/pins", pin)).status, 200);
  assert.deepEqual(
    [await sideOf(first, "whale"), await sideOf(first, "anyone")],
    ["old pinned-old", "new canary-share"],
  );
  await first.stop();

  const database = new DatabaseSync(path);
  database.exec("DELETE FROM pins");
  database.close();

  await using damaged = await start();
  for (const key of ["whale", "anyone"]) assert.equal(await sideOf(damaged, key), "old rolled-back");
  const { store } = await damaged.status();
  assert.match(store, /^damaged: .*its table pins does not match its seal \(0 rows where 1 row should be\)/);
});
