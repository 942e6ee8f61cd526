import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";

const FIELDS = `key: [header:x-user]
rollout:
  start: running
  steps:
    - { canary: 5%, bake: 1h }
    - { canary: 100%, bake: 1h }`;

test("one flipped bit in a stored rollout: everything on old, said loudly; a new store begins before step 0", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const folder = await mkdtemp(join(tmpdir(), "cutover-flip-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const start = (): Promise<TestGateway> =>
    TestGateway.start({ rules: rulesFor(old.url, fresh.url, FIELDS), folder, flags: ["--threads", "1"] });
  const sideOf = async (gateway: TestGateway, key: string): Promise<string> => {
    const { side, reason } = await ask(gateway.proxyUrl, { headers: { "x-user": key } });
    return `${side} ${reason}`;
  };
  const first = await start();
  const pin = { key: "tester", side: "new", reason: "tries it" };
  assert.equal((await first.admin("POST", "/api/v1/routes/r/pins", pin)).status, 200);
  assert.equal((await first.act("r", "promote", "half is not enough")).status, 200);
  assert.equal(await sideOf(first, "anyone"), "new canary-share");
  await first.stop();

  const path = join(folder, "state", "state.db");
  const bytes = await readFile(path);
  const at = bytes.indexOf('"shares":{"canaryPpm":1000000');
  assert.ok(at > 0, "the share is found in the file");
  const digit = at + '"shares":{"canaryPpm":'.length;
  bytes[digit] = (bytes[digit] ?? 0) ^ 2; // 1 → 3
  await writeFile(path, bytes);

  const damaged = await start();
  for (const key of ["anyone", "tester"]) assert.equal(await sideOf(damaged, key), "old rolled-back");
  const { store, routes } = await damaged.status();
  assert.match(store, /^damaged: .*rollouts/);
  assert.deepEqual([routes[0]?.state, routes[0]?.rollback?.cause], ["rolled-back", "store-damaged"]);
  assert.match(damaged.stderr, /the store is damaged: [\s\S]*everything goes to old/);
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
