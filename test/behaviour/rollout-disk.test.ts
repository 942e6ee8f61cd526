import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { reaches, running, startStaged, withGates } from "../support/rollout.ts";
import { until } from "../support/until.ts";

const FAULT = new URL("../support/store-fault.ts", import.meta.url).href;

test("on a disk that cannot be written nothing is promoted, and a rollback works", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cutover-disk-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const fault = join(folder, "fault");
  const steps = running("canary: 5%, bake: 0s, gate: go", "canary: 50%, bake: 1h");
  const gates = { go: `file: "${join(folder, "go")}", present: true, every: 1s` };
  await writeFile(fault, "");
  await using staged = await startStaged(`guard: off\n${withGates(steps, gates)}`, {
    env: { NODE_OPTIONS: `--import=${FAULT}`, CUTOVER_TEST_STORE_FAULT: fault },
  });
  const { gateway } = staged;
  await writeFile(fault, "full");
  await writeFile(join(folder, "go"), "");
  const stuck = await reaches(gateway, "it says so", ({ waitingFor }) =>
    waitingFor.includes("cannot promote"),
  );
  assert.match(stuck.waitingFor, /the state folder .* is full/);
  assert.deepEqual([stuck.step, stuck.canary], [0, 0.05]);
  const refused = await gateway.act("r", "promote", "now");
  assert.equal(refused.status, 409);
  assert.match(JSON.stringify(refused.body), /the state folder .* is full/);
  assert.equal((await gateway.act("r", "rollback", "drill")).status, 200);
  const rolledBack = await gateway.route("r");
  assert.deepEqual([rolledBack.state, rolledBack.canary], ["rolled-back", 0]);
  assert.equal((await gateway.act("r", "reset", "not yet")).status, 409);
  assert.equal((await gateway.route("r")).state, "rolled-back");
  await writeFile(fault, "");
  await gateway.rollbackStored("r");
  assert.equal((await gateway.act("r", "reset", "room again")).status, 200);
  assert.equal((await gateway.route("r")).canary, 0);
});

test("on a full disk the rules begin nothing, a pause acts, and the trail has all of it afterwards", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cutover-begin-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const faultFile = join(folder, "fault");
  await writeFile(faultFile, "");
  await using staged = await startStaged("guard: off", {
    env: { NODE_OPTIONS: `--import=${FAULT}`, CUTOVER_TEST_STORE_FAULT: faultFile },
  });
  const { gateway, fresh } = staged;
  const side = async () => (await ask(gateway.proxyUrl, { path: "/x" })).side;
  await writeFile(faultFile, "full");
  const steps = running("canary: 100%, bake: 1h");
  await gateway.reloadWith(staged.rules(`guard: off\n${steps}`));
  const stuck = await reaches(gateway, "it says so", ({ waitingFor }) => waitingFor.includes("cannot begin"));
  assert.match(stuck.waitingFor, /is full/);
  assert.deepEqual([stuck.canary, stuck.step, await side()], [0, 0, "old"]);
  assert.equal(fresh.seen.length, 0, "new was asked nothing");
  assert.equal((await gateway.act("r", "resume", "go on")).status, 409);

  const paused = await gateway.act("r", "pause", "not on such a disk");
  assert.equal(paused.status, 200);
  assert.match(JSON.stringify(paused.body), /has not kept it yet/);
  const { state, waitingFor } = await gateway.route("r");
  assert.equal(state, "paused");
  assert.match(waitingFor, /an audit line waits for the state folder/);
  assert.equal(await side(), "old");

  await writeFile(faultFile, "");
  const trail = await until("what waited is in the trail", async () => {
    const entries = await gateway.audit();
    return entries.length >= 2 ? entries : undefined;
  });
  assert.deepEqual(
    trail.map(({ action, by, reason }) => `${action} ${by} ${reason}`),
    ["pause operator not on such a disk", "reload rules the files changed"],
  );
  assert.doesNotMatch((await gateway.route("r")).waitingFor, /audit line/);
  assert.equal(await side(), "old");
  assert.equal((await gateway.act("r", "resume", "room again")).status, 200);
  assert.equal(await side(), "new");
});

test("a gateway that starts on a disk that takes no writes begins no rollout; the next start does", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cutover-begin-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const begins = `guard: off\n${running("canary: 100%, bake: 1h")}`;
  {
    await using unused = await startStaged("guard: off", { folder });
    await unused.gateway.stop();
  }
  // SQLite cannot make its -shm file then, as on a full disk.
  const inTheWay = join(folder, "state", "state.db-shm");
  await symlink(join(inTheWay, "nowhere"), inTheWay);
  {
    await using stuck = await startStaged(begins, { folder });
    await reaches(stuck.gateway, "it says so", ({ waitingFor }) => waitingFor.includes("cannot begin"));
    assert.equal((await ask(stuck.gateway.proxyUrl, { path: "/x" })).side, "old");
    await stuck.gateway.stop();
  }
  await rm(inTheWay);
  await using again = await startStaged(begins, { folder });
  await reaches(again.gateway, "it has begun", ({ canary }) => canary === 1);
  assert.equal((await ask(again.gateway.proxyUrl, { path: "/x" })).side, "new");
  assert.deepEqual(
    (await again.gateway.audit()).map(({ action, from }) => [action, from]),
    [["promote", "not begun"]],
  );
});

test("a webhook hears of promotions and rollbacks, signed; one that is down holds up nothing", async () => {
  const steps = running("canary: 5%, bake: 0s", "canary: 50%, bake: 1h");
  await using hook = await startBackend(json({}));
  await using staged = await startStaged(`guard: off\n${steps}`, {
    flags: ["--webhook", `${hook.url}/told`],
    env: { CUTOVER_WEBHOOK_SECRET: "hush" },
  });
  const { gateway } = staged;
  await reaches(gateway, "it is promoted", ({ step }) => step === 1);
  await gateway.act("r", "rollback", "drill");
  const told = await until("all three are told", () => (hook.seen.length >= 3 ? hook.seen : undefined));
  const events = told.map(({ body }) => JSON.parse(body));
  assert.deepEqual(
    events.map(({ event, by }) => `${event} ${by}`),
    ["promote rollout", "promote rollout", "rollback operator"],
  );
  assert.equal(events[2].evidence.summary, "drill");
  const [sent] = told;
  const [, seconds, mac] = /^t=(\d+),v1=(.*)$/.exec(String(sent?.headers["x-cutover-signature"])) ?? [];
  assert.equal(mac, createHmac("sha256", "hush").update(`${seconds}.${sent?.body}`).digest("hex"));
});
