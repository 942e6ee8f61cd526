import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { startLoad } from "../support/load.ts";
import { reaches, running, startStaged } from "../support/rollout.ts";
import { until } from "../support/until.ts";

test("a rollout goes by itself from shadow to everything, and its trail says on what evidence", async () => {
  const fields = running(
    "shadow: 100%, bake: 1s, minSamples: 20",
    "canary: 20%, bake: 1s, minSamples: 20",
    "canary: 100%, bake: 1s, minSamples: 20",
  );
  await using staged = await startStaged(fields);
  const { gateway } = staged;
  const clients = startLoad(gateway.proxyUrl, { clients: 6 });
  const first = await reaches(gateway, "it bakes", ({ state }) => state === "baking");
  assert.deepEqual([first.steps, first.canary < 1, first.bake?.ofSeconds], [3, true, 1]);
  const last = await reaches(gateway, "it is completed", ({ state }) => state === "completed");
  assert.deepEqual([last.step, last.canary], [2, 1]);
  assert.equal((await ask(gateway.proxyUrl)).side, "new");
  await clients.stop();
  assert.ok(clients.answers.every(({ status }) => status === 200));

  const trail = (await gateway.audit()).filter(({ route }) => route === "r").reverse();
  assert.deepEqual(
    trail.map(({ action, by }) => `${action} ${by}`),
    ["promote rollout", "promote rollout", "promote rollout", "completed rollout"],
  );
  assert.match(trail[2]?.reason ?? "", /^baked 1 s, .*errors 0\/\d+ new/);
  const evidence = trail[2]?.evidence;
  assert.ok((evidence?.samples.new ?? 0) >= 20, JSON.stringify(evidence));
  assert.deepEqual([evidence?.errors.new, trail[2]?.from], [0, "step 1 (canary 20%, shadow 100%)"]);

  assert.equal(await gateway.metric("cutover_canary_share_ratio", { route: "r" }), 1);
  assert.equal(await gateway.metric("cutover_rollout_step", { route: "r" }), 2);
  assert.equal(await gateway.metric("cutover_rollout_state", { route: "r", state: "completed" }), 1);
  assert.equal(await gateway.metric("cutover_rollout_state", { route: "r" }), 1);
  const report = await gateway.admin("GET", "/api/v1/routes/r/report");
  assert.equal(report.status, 200);
  assert.match(String(report.body), /step 1[\s\S]*20%/);
  const { evidence: logged } = await gateway.logged("completed");
  assert.ok(logged !== undefined);
});

test("a step that only shadows is held while new fails the shadows, and status says why", async () => {
  await using staged = await startStaged(
    running("shadow: 100%, bake: 1s, minSamples: 20", "canary: 20%, bake: 1h"),
  );
  const { gateway } = staged;
  const broken = startLoad(gateway.proxyUrl, { clients: 4, headers: { "x-new": "500" } });
  const held = await reaches(
    gateway,
    "it has seen enough and baked",
    ({ comparisons, bake }) => comparisons.mismatch > 150 && (bake?.doneSeconds ?? 0) >= 2,
  );
  await broken.stop();
  assert.deepEqual([held.step, held.canary, held.state, held.verdict], [0, 0, "baking", "hold"]);
  assert.match(
    held.waitingFor,
    /shadows failed ([\d,]+)\/\1 new; needs fewer failing shadows \(they are too many/,
  );
  assert.ok(broken.answers.every(({ side, status }) => side === "old" && status === 200));
  const trail = (await gateway.audit()).filter(({ route }) => route === "r");
  assert.deepEqual(
    trail.map(({ reason }) => reason),
    ["start: running"],
  );
});

test("without traffic a step is held: no traffic is neither good nor bad", async () => {
  await using staged = await startStaged(running("canary: 5%, bake: 0s", "canary: 100%, bake: 1s"));
  const { gateway } = staged;
  const { uptimeSeconds } = await gateway.status();
  await until(
    "three seconds have passed",
    async () => (await gateway.status()).uptimeSeconds > uptimeSeconds + 3,
  );
  const route = await gateway.route("r");
  assert.deepEqual([route.step, route.canary, route.verdict], [0, 0.05, "hold"]);
});

test("a rollout that starts paused shows new requests and lets it serve none, until an operator resumes it", async () => {
  const fields = "rollout:\n  steps:\n    - { canary: 50%, shadow: 100%, bake: 1h }";
  await using staged = await startStaged(fields);
  const { gateway, fresh } = staged;
  const clients = startLoad(gateway.proxyUrl, { clients: 3 });
  await until("new has seen shadows", () => fresh.seen.length > 20);
  const before = await gateway.route("r");
  assert.deepEqual([before.state, before.canary, before.shadow], ["paused", 0, 1]);
  assert.match(before.waitingFor, /resume/);
  assert.ok(clients.answers.every(({ side }) => side === "old"));
  assert.equal((await gateway.act("r", "resume", "begin")).status, 200);
  assert.equal((await gateway.route("r")).canary, 0.5);
  await until("new serves", () => clients.answers.some(({ side }) => side === "new"));
  assert.equal((await gateway.act("r", "pause", "lunch")).status, 200);
  const paused = await gateway.route("r");
  assert.deepEqual([paused.state, paused.canary], ["paused", 0.5]);
  const baked = paused.bake?.doneSeconds;
  assert.equal((await gateway.act("r", "pause", "lunch")).status, 200, "safe to repeat");
  assert.equal((await gateway.act("r", "resume", "back")).status, 200);
  const resumed = await reaches(
    gateway,
    "it bakes on",
    ({ bake }) => (bake?.doneSeconds ?? 0) > (baked ?? 0),
  );
  assert.equal(resumed.state, "baking");
  assert.deepEqual(
    (await gateway.audit()).filter(({ route }) => route === "r").map(({ action }) => action),
    ["resume", "pause", "resume"],
  );
  await clients.stop();
});

test("a rollback in a step takes everything back, and a reset begins nothing", async () => {
  const fields = `fallback: off\nguard: { killSwitch: 5 }\n${running("canary: 50%, bake: 1h", "canary: 100%, bake: 1h")}`;
  await using staged = await startStaged(fields);
  const { gateway } = staged;
  const clients = startLoad(gateway.proxyUrl, { clients: 4 });
  await until("new serves", () => clients.answers.some(({ side }) => side === "new"));
  await clients.stop();
  const harmful = startLoad(gateway.proxyUrl, { clients: 4, headers: { "x-new": "500" } });
  const rolledBack = await reaches(gateway, "it is rolled back", ({ state }) => state === "rolled-back");
  await harmful.stop();
  assert.deepEqual([rolledBack.canary, rolledBack.latched, rolledBack.rollback?.by], [0, true, "guard"]);
  const stored = await gateway.rollbackStored("r");
  assert.equal(stored.from, "step 0 (canary 50%, shadow 0%)");
  assert.ok((stored.evidence?.errors.new ?? 0) > 0);
  for (const action of ["promote", "resume"]) {
    const refused = await gateway.act("r", action, "no");
    assert.equal(refused.status, 409);
    assert.match(JSON.stringify(refused.body), /cutover reset/);
  }
  assert.equal((await gateway.act("r", "reset", "mended")).status, 200);
  const waiting = await gateway.route("r");
  assert.deepEqual([waiting.state, waiting.canary, waiting.latched], ["paused", 0, false]);
  for (let n = 0; n < 20; n += 1) assert.equal((await ask(gateway.proxyUrl)).side, "old");
  assert.equal((await gateway.act("r", "resume", "again")).status, 200);
  assert.equal((await gateway.route("r")).canary, 0.5);
});
