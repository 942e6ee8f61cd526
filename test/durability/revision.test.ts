import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";

const PRELOAD = new URL("../support/store-fault.ts", import.meta.url).href;
const ROLLOUT = `rollout:
  start: running
  steps:
    - { canary: 100%, bake: 0s, approve: true }
    - { canary: 100%, bake: 0s, approve: true }`;

test("a raised revision that kill -9 interrupts leaves the latch, or a rollout that waits: never new", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const folder = await mkdtemp(join(tmpdir(), "cutover-revision-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const start = (revision: number, kill = ""): Promise<TestGateway> =>
    TestGateway.start({
      rules: rulesFor(old.url, fresh.url, `${ROLLOUT}\nrevision: ${revision}`),
      folder,
      flags: ["--threads", "1"],
      env: { NODE_OPTIONS: `--import=${PRELOAD}`, CUTOVER_TEST_KILL: kill },
    });
  const first = await start(1);
  await first.act("r", "rollback", "by hand");
  await first.rollbackStored("r");
  assert.deepEqual(
    (await first.audit()).map(({ action }) => action),
    ["rollback", "promote"],
  );
  await first.kill();

  // Before the latch is taken out, the rollout behind it is set to wait.
  for (const kill of ["after commit 1", "before commit reset 1"]) {
    await assert.rejects(start(2, kill), new RegExp(`killed ${kill.slice(0, -2)}`));
    await using again = await start(1);
    const { state, latched } = await again.route("r");
    assert.deepEqual([state, latched], ["rolled-back", true], kill);
  }
  await assert.rejects(start(2, "after commit reset 1"), /killed after commit reset/);
  await using cleared = await start(2);
  const { state, latched, canary, step } = await cleared.route("r");
  assert.deepEqual([state, latched, canary, step], ["paused", false, 0, 0]);
  const lines = (await cleared.audit()).map(({ action, reason }) => `${action} ${reason}`);
  assert.equal(lines[0], "reset revision 1 → 2");
  assert.equal(lines.length, 3, lines.join("; "));
});
