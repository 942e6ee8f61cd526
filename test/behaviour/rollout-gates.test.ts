import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { json, startBackend } from "../support/backend.ts";
import { reaches, running, startStaged, withGates } from "../support/rollout.ts";

/** Steps that show what they show at once: bake and gates alone decide. */
const QUICK = "canary: 10%, bake: 0s";
const NO_GUARD = "guard: off";

test("a step waits for its gate, names it, and goes on when the gate says yes", async () => {
  let lagSeconds = 31;
  await using lag = await startBackend((req, res, body) => json({ lagSeconds })(req, res, body));
  const gates = { lag: `http: "${lag.url}/lag", path: "$.lagSeconds", below: 5, every: 1s` };
  const rollout = withGates(running(`${QUICK}, gate: lag`, "canary: 100%, bake: 1h"), gates);
  await using staged = await startStaged(`${NO_GUARD}\n${rollout}`);
  const { gateway } = staged;
  const waiting = await reaches(
    gateway,
    "the gate has answered",
    ({ gates: said }) => said[0]?.answer === "no",
  );
  assert.deepEqual([waiting.step, waiting.gates[0]?.name], [0, "lag"]);
  assert.match(waiting.waitingFor, /gate lag .*31, needs below 5/);
  assert.equal(await gateway.metric("cutover_gate_open", { route: "r", gate: "lag" }), 0);
  const refused = await gateway.admin("POST", "/api/v1/routes/r/promote", { reason: "now" });
  assert.equal(refused.status, 409);
  assert.match(JSON.stringify(refused.body), /gate lag does not say yes/);
  lagSeconds = 1;
  // An operator's promotion asks the gate anew, and does not wait until it is asked again.
  const promoted = await gateway.admin("POST", "/api/v1/routes/r/promote", { reason: "now", step: 0 });
  assert.equal(promoted.status, 200, JSON.stringify(promoted.body));
  assert.equal((await gateway.route("r")).canary, 1);
  const again = await gateway.admin("POST", "/api/v1/routes/r/promote", { reason: "now", step: 0 });
  assert.equal(again.status, 200, "a repeated call is harmless");
  assert.equal((await gateway.route("r")).step, 1);
});

test("a gate that opens lets the rollout go on by itself; a file and a person are gates too", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cutover-gate-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const steps = running(
    `${QUICK}, gate: ready`,
    "canary: 20%, bake: 0s, approve: true",
    "canary: 100%, bake: 1h",
  );
  const gates = { ready: `file: "${join(folder, "ready")}", present: true, every: 1s` };
  await using staged = await startStaged(`${NO_GUARD}\n${withGates(steps, gates)}`);
  const { gateway } = staged;
  await reaches(gateway, "the gate has answered", ({ gates: said }) => said[0]?.answer === "no");
  await writeFile(join(folder, "ready"), "");
  await reaches(
    gateway,
    "the gate is passed, and a person is waited for",
    ({ step, waitingFor }) => step === 1 && /approval/.test(waitingFor),
  );
  const promoted = (await gateway.audit()).find(({ to }) => to?.startsWith("step 1"));
  assert.match(promoted?.reason ?? "", /gate ready \(.*is there\)/);
  assert.equal((await gateway.act("r", "promote", "looks well")).status, 200);
  assert.equal((await gateway.route("r")).canary, 1);
});

test("the pre-flight gate wants a rollback that was rehearsed, and backends that are there", async () => {
  const rollout = withGates(running(`${QUICK}, gate: preflight`, "canary: 100%, bake: 1h"), {
    preflight: "preflight: true",
  });
  await using staged = await startStaged(`${NO_GUARD}\n${rollout}`);
  const { gateway } = staged;
  const before = await reaches(gateway, "the gate has answered", ({ gates }) => gates[0]?.answer === "no");
  assert.match(before.gates[0]?.why ?? "", /never rehearsed/);
  await gateway.act("r", "rollback", "a rehearsal");
  await gateway.rollbackStored("r");
  await gateway.act("r", "reset", "rehearsed");
  await gateway.act("r", "resume", "begin");
  await reaches(gateway, "the gate is passed", ({ step }) => step === 1);
});

test("straight to a share past all steps and gates: a big bang, with the operator's reason", async () => {
  const rollout = withGates(
    running(`${QUICK}, gate: never`, "canary: 50%, bake: 1h", "canary: 100%, bake: 1h"),
    { never: 'file: "/nowhere/at/all", present: true' },
  );
  await using staged = await startStaged(`${NO_GUARD}\n${rollout}`);
  const { gateway } = staged;
  const promote = (body: object) =>
    gateway.admin("POST", "/api/v1/routes/r/promote", { reason: "all in", ...body });
  assert.equal((await promote({ to: "25%" })).status, 200);
  const between = await gateway.route("r");
  assert.deepEqual([between.step, between.canary], [0, 0.25]);
  assert.equal((await promote({ to: "100%" })).status, 200);
  const last = await gateway.route("r");
  assert.deepEqual([last.step, last.canary], [2, 1]);
  assert.equal((await promote({ to: "100%" })).status, 200, "safe to repeat");
  const lower = await promote({ to: "5%" });
  assert.equal(lower.status, 409);
  assert.match(JSON.stringify(lower.body), /promote only raises/);
  for (const body of [{ to: "0%" }, { to: "101%" }, { to: 25 }, { step: -1 }, { share: "5%" }]) {
    assert.equal((await promote(body)).status, 400, JSON.stringify(body));
  }
  const [newest] = await gateway.audit();
  assert.deepEqual([newest?.action, newest?.by, newest?.reason], ["promote", "operator", "all in"]);
});
