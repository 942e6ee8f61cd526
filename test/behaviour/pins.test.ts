import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { unitOf } from "../../src/model/bucket.ts";
import type { Explanation, PinReport } from "../../src/model/reports.ts";
import type { Side } from "../../src/model/ruleset.ts";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { cutover } from "../support/command.ts";
import { rulesFor, TestGateway, TOKEN } from "../support/gateway.ts";
import { until } from "../support/until.ts";
import { echo, opened, startUpgradeBackend } from "../wire/upgrade-peers.ts";

const KEYED = "key: [header:x-user]";
/** Connections enough for the kernel to give some to every thread. */
const CONNECTIONS = 24;

/** What a key's requests are told, over all data threads. */
async function told(gateway: TestGateway, key: string, path = "/x"): Promise<string> {
  const answers = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => ask(gateway.proxyUrl, { path, headers: { "x-user": key } })),
  );
  return [...new Set(answers.map(({ status, side, reason }) => `${status} ${side} ${reason}`))].join(", ");
}

async function pin(gateway: TestGateway, key: string, side: Side, more: object = {}): Promise<string> {
  const body = { key, side, reason: "a test", ...more };
  const answer = await gateway.admin("POST", "/api/v1/routes/r/pins", body);
  return `${answer.status} ${JSON.stringify(answer.body)}`;
}

async function unpin(gateway: TestGateway, key: string, route = "r"): Promise<string> {
  const answer = await gateway.admin("POST", `/api/v1/routes/${route}/unpin`, { key, reason: "a test" });
  return `${answer.status} ${JSON.stringify(answer.body)}`;
}

async function pinsOf(gateway: TestGateway): Promise<PinReport[]> {
  return (await gateway.admin("GET", "/api/v1/pins")).body as PinReport[];
}

async function explained(gateway: TestGateway, key: string): Promise<Explanation> {
  const request = { method: "GET", url: "/x", headers: { "x-user": key } };
  return (await gateway.admin("POST", "/api/v1/explain", request)).body as Explanation;
}

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-pins-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("a pinned key stays where it is, whatever share, promotion and rollback say", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const steps = "rollout: { start: running, steps: [{ canary: 1%, bake: 1h }, { canary: 100%, bake: 1h }] }";
  const keyless = '  - name: keyless\n    match: { path: "/**" }\n    canary: 5%\n';
  const rules = `${rulesFor(old.url, fresh.url, `${KEYED}\n${steps}`)}${keyless}`;
  await using gateway = await TestGateway.start({ rules, flags: ["--access-log", "off"] });

  await t.test("before anything is pinned the rules decide", async () => {
    assert.equal(await told(gateway, "whale"), "200 old default-old");
  });

  await t.test("a pin acts on every thread when its answer comes", async () => {
    assert.match(await pin(gateway, "whale", "old"), /^200 .*whale.* of r is pinned to old"/);
    assert.match(await pin(gateway, "acme", "new"), /^200 .*acme.* of r is pinned to new"/);
    assert.equal(await told(gateway, "whale"), "200 old pinned-old");
    assert.equal(await told(gateway, "acme"), "200 new pinned-new");
    assert.equal((await gateway.route("r")).pins, 2);
  });

  await t.test("it may be repeated, and nothing happens twice", async () => {
    assert.match(await pin(gateway, "whale", "old"), /^200 .*is pinned to old already/);
    assert.equal((await gateway.audit()).filter(({ action }) => action === "pin").length, 2);
  });

  await t.test("100% to new leaves the pinned one on old", async () => {
    const { status } = await gateway.admin("POST", "/api/v1/routes/r/promote", {
      reason: "all of it",
      to: "100%",
    });
    assert.equal(status, 200);
    assert.equal(await told(gateway, "anybody"), "200 new canary-share");
    assert.equal(await told(gateway, "whale"), "200 old pinned-old");
  });

  await t.test("a rollback leaves the pinned one on new", async () => {
    await gateway.act("r", "rollback", "a drill");
    assert.equal(await told(gateway, "anybody"), "200 old rolled-back");
    assert.equal(await told(gateway, "acme"), "200 new pinned-new");
  });

  await t.test("explain says so, with the fingerprint by which the audit trail names the key", async () => {
    const acme = await explained(gateway, "acme");
    assert.deepEqual([acme.side, acme.reason, acme.backend], ["new", "pinned-new", "modern"]);
    assert.deepEqual(acme.steps.at(-1), {
      step: "has an operator pinned the key?",
      outcome: "yes: new (pinned-new)",
    });
    assert.equal(acme.fingerprint, unitOf("r", "acme"));
    const line = (await gateway.audit()).find(({ to }) => to?.includes(String(acme.fingerprint)));
    assert.deepEqual([line?.action, line?.by, line?.to], ["pin", "operator", `key ${acme.fingerprint}: new`]);
    assert.equal((await explained(gateway, "bob")).steps[2]?.outcome, "no");
  });

  await t.test("the key itself is in the list alone: not in the trail, the log, or the metrics", async () => {
    assert.deepEqual(
      (await pinsOf(gateway)).map(({ key, side, by, reason }) => [key, side, by, reason]),
      [
        ["acme", "new", "operator", "a test"],
        ["whale", "old", "operator", "a test"],
      ],
    );
    const logged = await gateway.logged("pin");
    assert.deepEqual([logged.route, logged.fingerprint, logged.side], ["r", unitOf("r", "whale"), "old"]);
    const { body: metrics } = await gateway.admin("GET", "/metrics");
    const elsewhere = JSON.stringify([await gateway.audit(), gateway.lines, metrics, gateway.stderr]);
    assert.doesNotMatch(elsewhere, /acme|whale/);
  });

  await t.test("unpinned, they go by the rules again", async () => {
    assert.match(await unpin(gateway, "acme"), /^200 .*is not pinned any more/);
    assert.equal(await told(gateway, "acme"), "200 old rolled-back");
    assert.match(await unpin(gateway, "acme"), /^200 .*nothing to unpin/);
    assert.match(await unpin(gateway, "acme", "none"), /^404 .*no route is named/);
  });

  await t.test("the command line pins, lists and unpins", async () => {
    const run = (...args: string[]) =>
      cutover([...args, "--admin", gateway.adminUrl], { CUTOVER_ADMIN_TOKEN: TOKEN });
    const pinned = await run("pin", "r", "globex", "new", "--reason", "big customer", "--for", "2h");
    assert.deepEqual([pinned.code, pinned.err], [0, ""]);
    assert.match(pinned.out, /^"globex" of r is pinned to new until \d{4}-.*Z\n$/);
    assert.equal(await told(gateway, "globex"), "200 new pinned-new");
    const [listed, refused] = await Promise.all([
      run("pin", "r"),
      run("pin", "keyless", "acme", "old", "--reason", "x"),
    ]);
    assert.match(listed.out, new RegExp(`globex +new +.*${unitOf("r", "globex")}\n +big customer`));
    assert.equal(refused.code, 1);
    assert.match(refused.err, /keyless has no key.*write key: \[header:x-tenant-id\]/);
    assert.equal((await run("unpin", "r", "globex", "--reason", "done")).code, 0);
    assert.equal(await told(gateway, "globex"), "200 old rolled-back");
  });
});

test("pins survive a restart, a kill -9 and a dying thread, and end when their time is over", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const rules = rulesFor(old.url, fresh.url, `${KEYED}\ncanary: 100%`);
  const folder = await folderFor(t);
  const victim = join(folder, "victim");
  const options = {
    rules,
    folder,
    env: {
      NODE_OPTIONS: `--import=${new URL("../support/thread-killer.ts", import.meta.url)}`,
      CUTOVER_TEST_VICTIM: victim,
    },
  };
  const first = await TestGateway.start(options);
  await pin(first, "whale", "old");
  await pin(first, "acme", "new");
  await first.kill();
  await using gateway = await TestGateway.start(options);

  await t.test("after a restart", async () => {
    assert.equal(await told(gateway, "whale"), "200 old pinned-old");
    assert.equal(await told(gateway, "acme"), "200 new pinned-new");
  });

  await t.test("on a thread that took another's place, also those that came after the start", async () => {
    await pin(gateway, "late", "old");
    for (const thread of ["data-0", "data-1"]) {
      const seen = gateway.lines.length;
      await writeFile(victim, thread);
      gateway.signal("SIGUSR2");
      await gateway.logged("thread-replaced", seen);
    }
    assert.equal(await told(gateway, "whale"), "200 old pinned-old");
    assert.equal(await told(gateway, "late"), "200 old pinned-old");
  });

  await t.test("a reload leaves them, also one that renames the route back and forth", async () => {
    await gateway.reloadWith(rules.replace("name: r", "name: other"));
    assert.equal(await told(gateway, "whale"), "200 new canary-share");
    assert.equal((await pinsOf(gateway)).length, 3);
    await gateway.reloadWith(rules);
    assert.equal(await told(gateway, "whale"), "200 old pinned-old");
  });

  await t.test("a pin for five seconds is over soon after it, everywhere", async () => {
    assert.match(await pin(gateway, "brief", "old", { for: "5s" }), /until \d{4}-/);
    assert.equal(await told(gateway, "brief"), "200 old pinned-old");
    await until("it is over", async () => (await told(gateway, "brief")) === "200 new canary-share");
    const unpinned = await until("the trail says so", async () =>
      (await gateway.audit()).find(({ action }) => action === "unpin"),
    );
    assert.deepEqual([unpinned.by, unpinned.reason], ["operator", "its time is over (a test)"]);
    assert.equal((await pinsOf(gateway)).length, 3);
  });

  await t.test(
    "on a full disk a key goes back to old at once, and none goes to new",
    {
      skip: process.platform !== "linux" && "needs prlimit",
    },
    async () => {
      limitFiles(gateway.pid, "1");
      assert.match(
        await pin(gateway, "acme", "old"),
        /^200 .*not kept it yet, a restart now would forget it/,
      );
      assert.equal(await told(gateway, "acme"), "200 old pinned-old");
      assert.match(await pin(gateway, "other", "new"), /^409 .*other.* is not pinned on r/);
      assert.match(await unpin(gateway, "whale"), /^409 .*whale.* stays pinned to old on r/);
      assert.equal(await told(gateway, "whale"), "200 old pinned-old");
      limitFiles(gateway.pid, "unlimited");
      await until("the trail has it", async () => {
        const [{ action, to } = { action: "", to: "" }] = await gateway.audit();
        return action === "pin" && to === `key ${unitOf("r", "acme")}: old`;
      });
      await gateway.kill();
      await using again = await TestGateway.start(options);
      assert.equal(await told(again, "acme"), "200 old pinned-old");
    },
  );
});

test("with a damaged store no pin is believed and none is taken, and everything is on old", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const folder = await folderFor(t);
  const rules = rulesFor(old.url, fresh.url, `${KEYED}\ncanary: 100%`);
  const first = await TestGateway.start({ rules, folder });
  await pin(first, "acme", "new");
  await first.stop();
  await writeFile(join(folder, "state", "state.db"), "this is no database ".repeat(1000));
  await using gateway = await TestGateway.start({ rules, folder });
  assert.equal(await told(gateway, "acme"), "200 old rolled-back");
  for (const side of ["old", "new"] as const) {
    assert.match(await pin(gateway, "acme", side), /^409 .*the store is damaged.*cutover reset --store/);
  }
  assert.equal(await told(gateway, "acme"), "200 old rolled-back");
  assert.equal((await gateway.admin("POST", "/api/v1/store/reset", { reason: "x" })).status, 200);
  assert.deepEqual(await pinsOf(gateway), []);
  assert.match(await pin(gateway, "acme", "old"), /^200/);
  assert.equal(await told(gateway, "acme"), "200 old pinned-old");
});

/** A process may write files up to so many bytes from now on: for SQLite that is a full disk. */
function limitFiles(pid: number, bytes: string): void {
  execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:unlimited`]);
}

test("upgraded connections follow their key's pin", async (t) => {
  await using old = await startUpgradeBackend(echo);
  await using fresh = await startUpgradeBackend(echo);
  const rules = rulesFor(old.url, fresh.url, `${KEYED}\ncanary: 100%\nguard: { errors: off }`);
  await using gateway = await TestGateway.start({ rules });
  const open = (key: string) => opened(gateway.proxyUrl, "/x", [`X-User: ${key}`]);

  await t.test("a pin to new keeps one open through a rollback", async () => {
    await pin(gateway, "acme", "new");
    await using acme = await open("acme");
    await using other = await open("globex");
    assert.match(acme.text, /x-cutover-side: new\r\nx-cutover-reason: pinned-new/);
    await gateway.act("r", "rollback", "a test");
    await other.hasEnded();
    acme.text = "";
    acme.send("still there?");
    await acme.has("still there?");
    assert.match(await unpin(gateway, "acme"), /^200/);
    await acme.hasEnded();
    await gateway.act("r", "reset", "mended");
  });

  await t.test("a pin to old closes the key's own to new, and leaves the others", async () => {
    await using acme = await open("acme");
    await using other = await open("globex");
    assert.match(acme.text, /x-cutover-side: new/);
    await pin(gateway, "acme", "old");
    await acme.hasEnded();
    other.text = "";
    other.send("still there?");
    await other.has("still there?");
    await using again = await open("acme");
    assert.match(again.text, /x-cutover-side: old\r\nx-cutover-reason: pinned-old/);
  });
});
