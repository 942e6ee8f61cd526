import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { RouteStatus } from "../../src/model/reports.ts";
import { ask, keysFor } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { rulesWith, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const PRELOAD = new URL("../support/store-fault.ts", import.meta.url).href;

const STEPS = "guard: off\nkey: [header:x-user]\nrollout:\n  start: running\n  steps:";
const ROUTES = {
  going: `${STEPS}
    - { canary: 20%, bake: 0s, gate: go }
    - { canary: 60%, bake: 1h }
  gates: { go: { file: go, every: 1s } }`,
  asked: `${STEPS}\n    - { canary: 50%, bake: 1h }\n    - { canary: 100%, bake: 1h }`,
};
const NEW_KEY = keysFor(50, { old: 1, new: 1 }, "asked").new[0] ?? "";

interface Disk {
  /** Lets the route `going` go on. */
  readonly open: () => Promise<void>;
  readonly gateway: TestGateway;
  /** From now on every write fails. */
  readonly fail: () => void | Promise<void>;
  readonly mend: () => void | Promise<void>;
  readonly words: RegExp;
  readonly restart: () => Promise<TestGateway>;
}

async function behaves(t: TestContext, { gateway, open, fail, mend, words, restart }: Disk): Promise<void> {
  const sideOf = async (at: TestGateway): Promise<string> => {
    const { status, side, reason } = await ask(at.proxyUrl, {
      path: "/asked/x",
      headers: { "x-user": NEW_KEY },
    });
    return `${status} ${side} ${reason}`;
  };
  assert.equal(await sideOf(gateway), "200 new canary-share");
  await until("both have begun", async () => (await gateway.audit()).length === 2);
  await fail();
  await open();

  await t.test("no step is taken, and status says why", async () => {
    const going = await until("it would promote", async () => {
      const status = await gateway.route("going");
      return status.waitingFor.startsWith("cannot promote") ? status : undefined;
    });
    assert.match(going.waitingFor, words);
    assert.match(going.waitingFor, /the rollout stays where it is/);
    assert.deepEqual([going.state, going.step, going.canary], ["baking", 0, 0.2]);
  });

  await t.test("an operator's promotion is refused with the reason, and nothing has changed", async () => {
    for (const body of [{ reason: "go" }, { reason: "big bang", to: "100%" }]) {
      const { status, body: said } = await gateway.admin("POST", "/api/v1/routes/asked/promote", body);
      assert.equal(status, 409, JSON.stringify(said));
      assert.match(JSON.stringify(said), words);
    }
    const { step, canary } = await gateway.route("asked");
    assert.deepEqual([step, canary], [0, 0.5]);
    await until("it is said to people", () => words.test(gateway.stderr));
  });

  await t.test("a key is not pinned to new, and one is taken back to old", async () => {
    const pin = (key: string, side: string) =>
      gateway.admin("POST", "/api/v1/routes/asked/pins", { key, side, reason: "x" });
    assert.equal((await pin("some-key", "new")).status, 409);
    const { status, body } = await pin(NEW_KEY, "old");
    assert.equal(status, 200, JSON.stringify(body));
    assert.match(JSON.stringify(body), /has not kept it yet/);
    assert.equal(await sideOf(gateway), "200 old pinned-old");
    await gateway.admin("POST", "/api/v1/routes/asked/unpin", { key: NEW_KEY, reason: "x" });
  });

  await t.test("a rollback acts at once", async () => {
    const { status, body } = await gateway.act("going", "rollback", "taken back");
    assert.equal(status, 200);
    assert.match(JSON.stringify(body), /has not kept it yet/);
    const { side, reason } = await ask(gateway.proxyUrl, { path: "/going/x" });
    assert.deepEqual([side, reason], ["old", "rolled-back"]);
    const { state, latched }: RouteStatus = await gateway.route("going");
    assert.deepEqual([state, latched], ["rolled-back", true]);
  });

  await t.test(
    "a reset is refused: new does not come back behind a latch that a restart would find",
    async () => {
      const { status } = await gateway.act("going", "reset", "too early");
      assert.equal(status, 409);
      assert.equal((await ask(gateway.proxyUrl, { path: "/going/x" })).reason, "rolled-back");
    },
  );

  await t.test("once it can be written, everything is stored, and a restart finds it so", async () => {
    await mend();
    await gateway.rollbackStored("going");
    const { status, body } = await gateway.admin("POST", "/api/v1/routes/asked/promote", { reason: "again" });
    assert.equal(status, 200, JSON.stringify(body));
    await gateway.kill();
    await using again = await restart();
    const [going, asked] = [await again.route("going"), await again.route("asked")];
    assert.deepEqual([going.state, going.step], ["rolled-back", 0]);
    assert.deepEqual([asked.state, asked.step, asked.canary], ["baking", 1, 1]);
  });
}

async function started(
  t: TestContext,
  flags: NonNullable<Parameters<typeof TestGateway.start>[0]["env"]> = {},
) {
  const old = await startBackend(json({ from: "old" }));
  const fresh = await startBackend(json({ from: "new" }));
  const folder = await mkdtemp(join(tmpdir(), "cutover-disk-"));
  const rules = rulesWith(old.url, fresh.url, ROUTES);
  const start = (): Promise<TestGateway> =>
    TestGateway.start({ rules, folder, env: flags, flags: ["--threads", "1"] });
  const gateway = await start();
  t.after(async () => {
    await gateway[Symbol.asyncDispose]();
    await old.close();
    await fresh.close();
    await rm(folder, { recursive: true, force: true });
  });
  const open = (): Promise<void> => writeFile(join(folder, "go"), "");
  return { gateway, folder, start, open };
}

test("a full disk stops promotions and never a rollback", {
  skip: process.platform !== "linux" && "needs prlimit",
}, async (t) => {
  const { gateway, start, open } = await started(t);
  const limit = (bytes: string): void => {
    execFileSync("prlimit", ["--pid", String(gateway.pid), `--fsize=${bytes}:unlimited`]);
  };
  await behaves(t, {
    gateway,
    open,
    fail: () => limit("1"),
    mend: () => limit("unlimited"),
    words: /the state folder \S+ (is full|fails to read or write)/,
    restart: start,
  });
});

test("a disk that has turned read-only stops promotions and never a rollback", async (t) => {
  const switchFolder = await mkdtemp(join(tmpdir(), "cutover-fault-"));
  t.after(() => rm(switchFolder, { recursive: true, force: true }));
  const fault = join(switchFolder, "fault");
  const { gateway, start, open } = await started(t, {
    NODE_OPTIONS: `--import=${PRELOAD}`,
    CUTOVER_TEST_STORE_FAULT: fault,
  });
  await behaves(t, {
    gateway,
    open,
    fail: () => writeFile(fault, "read-only"),
    mend: () => rm(fault),
    words: /the state folder \S+ is read-only/,
    restart: start,
  });
});

test("a store that cannot be written at the start is read: every step is where it was, and none is taken", async (t) => {
  const { gateway, folder, start, open } = await started(t);
  const place = async (at: TestGateway): Promise<unknown[]> => {
    const { state, step, canary } = await at.route("going");
    return [state, step, canary];
  };
  await open();
  await until("it is at its last step", async () => (await gateway.route("going")).step === 1);
  await gateway.act("going", "pause", "stay here");
  await gateway.stop();
  // SQLite cannot make its -shm file then, as on a full disk.
  const inTheWay = join(folder, "state", "state.db-shm");
  await symlink(join(inTheWay, "nowhere"), inTheWay);
  await using again = await start();
  assert.deepEqual(await place(again), ["paused", 1, 0.6]);
  assert.equal((await again.act("asked", "promote", "go")).status, 409);
  assert.equal((await again.act("going", "resume", "go on")).status, 409);
  assert.deepEqual(await place(again), ["paused", 1, 0.6]);
  assert.equal((await again.act("asked", "rollback", "back")).status, 200);
  const { reason } = await ask(again.proxyUrl, { path: "/asked/x", headers: { "x-user": NEW_KEY } });
  assert.equal(reason, "rolled-back");
});
