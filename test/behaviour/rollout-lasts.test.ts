import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { RouteStatus } from "../../src/model/reports.ts";
import { TestGateway } from "../support/gateway.ts";
import { reaches, running, startStaged } from "../support/rollout.ts";
import { until } from "../support/until.ts";

test("a restart, and a kill -9, go on in the same step with the same share", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cutover-rollout-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const fields = running("canary: 0%, bake: 0s", "canary: 25%, bake: 1h", "canary: 100%, bake: 1h");
  await using staged = await startStaged(fields, { folder });
  const { gateway, rules } = staged;
  assert.equal((await gateway.admin("POST", "/api/v1/routes/r/promote", { reason: "go" })).status, 200);
  const baked = async (seconds: number): Promise<number> => {
    const is = ({ bake }: RouteStatus) => (bake?.doneSeconds ?? 0) >= seconds;
    return (await reaches(gateway, `${seconds} s have baked`, is)).bake?.doneSeconds ?? 0;
  };
  // What has baked is stored a moment after it is shown: when more has, the first of it is.
  await baked((await baked(2)) + 1);
  await gateway.kill();
  await using again = await TestGateway.start({ rules: rules(fields), folder });
  const { step, canary, state, bake } = await again.route("r");
  assert.deepEqual([step, canary, state], [1, 0.25, "baking"]);
  assert.ok((bake?.doneSeconds ?? 0) >= 1, `${bake?.doneSeconds} s are left of the bake`);
  await again.act("r", "rollback", "drill");
  await again.rollbackStored("r"); // an operator's answer does not wait for a slow disk for ever
  await again.kill();
  await using third = await TestGateway.start({ rules: rules(fields), folder });
  const after = await third.route("r");
  assert.deepEqual([after.state, after.canary, after.latched], ["rolled-back", 0, true]);
  const { from, evidence } = await third.rollbackStored("r");
  assert.deepEqual([from, evidence?.summary], ["step 1 (canary 25%, shadow 0%)", "drill"]);
});

test("an edit of the rules acts on a rollout that runs, and never raises a share", async () => {
  await using staged = await startStaged(
    running("canary: 1%, bake: 1h", "canary: 5%, bake: 1h", "canary: 100%, bake: 1h"),
  );
  const { gateway, rules } = staged;
  await gateway.admin("POST", "/api/v1/routes/r/promote", { reason: "go" });
  await gateway.reloadWith(rules(running("canary: 5%, bake: 2h", "canary: 50%, bake: 1h")));
  const kept = await gateway.route("r");
  assert.deepEqual([kept.state, kept.step, kept.canary, kept.bake?.ofSeconds], ["baking", 0, 0.05, 7200]);
  await gateway.reloadWith(rules(running("canary: 2%, bake: 2h", "canary: 50%, bake: 1h")));
  const lowered = await gateway.route("r");
  assert.deepEqual([lowered.state, lowered.step, lowered.canary], ["paused", 0, 0.02]);
  const paused = await until("it is in the trail", async () =>
    (await gateway.audit()).find(({ action }) => action === "pause"),
  );
  assert.equal(paused.by, "rules");
  await gateway.reloadWith(rules("canary: 3%"));
  const dropped = await gateway.route("r");
  assert.deepEqual([dropped.state, dropped.step, dropped.canary], ["serving", null, 0.03]);
  const refused = await gateway.act("r", "promote", "go");
  assert.equal(refused.status, 409);
  assert.match(JSON.stringify(refused.body), /no rollout.*rollout: \{ steps/);
});
