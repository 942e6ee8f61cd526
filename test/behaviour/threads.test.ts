import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ask, askMany, times } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { rulesWith, TestGateway } from "../support/gateway.ts";
import { startLoad } from "../support/load.ts";
import { obedient } from "../support/obedient.ts";
import { until } from "../support/until.ts";

const ROUTES = {
  r: "canary: 50%",
  taken: "canary: 100%",
  pairs: "shadow: 100%\nguard: off",
};

test("a thread that dies is replaced, and takes nothing with it but what it held", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(obedient("x-new"));
  const folder = await mkdtemp(join(tmpdir(), "cutover-threads-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const victim = join(folder, "victim");
  await using gateway = await TestGateway.start({
    rules: rulesWith(old.url, fresh.url, ROUTES),
    folder,
    flags: ["--access-log", "off"],
    env: {
      NODE_OPTIONS: `--import=${new URL("../support/thread-killer.ts", import.meta.url)}`,
      CUTOVER_TEST_VICTIM: victim,
    },
  });
  /** Ends a thread; resolves when another is in its place. */
  const replaced = async (name: string, kind: string): Promise<void> => {
    const seen = gateway.lines.length;
    await writeFile(victim, name);
    gateway.signal("SIGUSR2");
    const event = await gateway.logged("thread-replaced", seen);
    assert.equal(event.kind, kind);
  };

  await t.test("a data thread: the others serve on, and only requests that it held are lost", async () => {
    await gateway.act("taken", "rollback", "drill");
    const clients = 6;
    const load = startLoad(gateway.proxyUrl, { clients, path: "/r/x" });
    await until("all serve", () => load.answers.length > 50);
    await replaced("data-0", "data");
    const seen = load.answers.length;
    await until("they serve on", () => load.answers.length > seen + 100);
    await load.stop();
    assert.ok(
      load.errors.length <= 2 * clients,
      `each client lost at most what was under way: ${load.errors}`,
    );
    assert.deepEqual([...new Set(load.answers.map(({ status }) => status))], [200]);
    assert.equal(await gateway.metric("cutover_thread_replacements_total", { thread: "data" }), 1);
    const answers = await askMany(gateway.proxyUrl, times(10, { path: "/taken/x" }));
    assert.deepEqual([...new Set(answers.map(({ reason }) => reason))], ["rolled-back"]);
    await until("the books hold both generations' counts, and nothing is in flight", async () => {
      const { requests } = await gateway.route("r");
      const inFlight = await gateway.metric("cutover_inflight_requests");
      // What the dying thread had just answered it may not have counted any more.
      return requests.old + requests.new >= load.answers.length - clients && inFlight === 0;
    });
  });

  await t.test("a reload while a data thread is dead is not held up by it", async () => {
    const rulesOf = (percent: number): string =>
      rulesWith(old.url, fresh.url, { ...ROUTES, r: `canary: ${percent}%` });
    // Each death makes the wait before the next start longer.
    for (let death = 0; death < 2; death++) await replaced("data-1", "data");
    const seen = gateway.lines.length;
    await writeFile(victim, "data-1");
    gateway.signal("SIGUSR2");
    await writeFile(gateway.rulesFile, rulesOf(0));
    const { status } = await gateway.admin("POST", "/api/v1/reload", { reason: "meanwhile" });
    assert.equal(status, 200);
    await gateway.logged("thread-replaced", seen);
    const { version } = (await gateway.status()).rules;
    const answers = await Promise.all(times(20, { path: "/r/x" }).map((each) => ask(gateway.proxyUrl, each)));
    assert.deepEqual([...new Set(answers.map(({ side, rules }) => `${side} ${rules}`))], [`old ${version}`]);
  });

  await t.test("the comparison thread: clients notice nothing, and later pairs are compared", async () => {
    const tenAreCompared = async (upTo: number): Promise<void> => {
      const answers = await askMany(gateway.proxyUrl, times(10, { path: "/pairs/x" }));
      assert.deepEqual([...new Set(answers.map(({ status, side }) => `${status} ${side}`))], ["200 old"]);
      await until(
        `${upTo} pairs differ`,
        async () => (await gateway.route("pairs")).comparisons.mismatch === upTo,
      );
    };
    await tenAreCompared(10); // the thread starts with the first of them
    await replaced("compare", "compare");
    await tenAreCompared(20);
    assert.equal(await gateway.metric("cutover_thread_replacements_total", { thread: "compare" }), 1);
  });

  await t.test(
    "the comparison thread amid its work: every pair is compared or counted as uncompared",
    async () => {
      const counted = async (): Promise<number> => {
        const { match, mismatch, noise, uncompared } = (await gateway.route("pairs")).comparisons;
        return match + mismatch + noise + uncompared;
      };
      const before = await counted();
      const load = startLoad(gateway.proxyUrl, { clients: 4, path: "/pairs/x" });
      await until("pairs flow", () => load.answers.length > 50);
      await replaced("compare", "compare");
      const seen = load.answers.length;
      await until("pairs flow on", () => load.answers.length > seen + 50);
      await load.stop();
      assert.deepEqual(load.errors, []);
      const sent = before + load.answers.length;
      await until(`${sent} pairs are counted`, async () => (await counted()) === sent);
      assert.ok((await gateway.route("pairs")).comparisons.uncompared > 0);
    },
  );

  await t.test("the store's thread: the next rollback is stored all the same", async () => {
    await writeFile(victim, "store");
    gateway.signal("SIGUSR2");
    // Whether it goes to the dying thread or to the next: it is asked for until it is kept.
    assert.equal((await gateway.act("pairs", "rollback", "drill")).status, 200);
    await until("it is in the audit trail", async () => {
      return (await gateway.audit()).some(({ route, action }) => route === "pairs" && action === "rollback");
    });
  });

  await t.test("the end is orderly still", async () => {
    assert.equal(await gateway.stop(), 0);
  });
});
