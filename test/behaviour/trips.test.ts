import assert from "node:assert/strict";
import { test } from "node:test";
import type { RollbackReport } from "../../src/model/reports.ts";
import { type Ask, type Asked, ask, askMany, byKeys, keysFor, times } from "../support/ask.ts";
import { startBackend } from "../support/backend.ts";
import { rulesWith, TestGateway } from "../support/gateway.ts";
import { obedient } from "../support/obedient.ts";
import { until } from "../support/until.ts";

const KEYED = "key: [header:x-user]";

/** Each with one guard alone, so that it is clear what has tripped. */
const ROUTES = {
  keys: `${KEYED}\ncanary: 5%\nguard: { killSwitch: off }`,
  bursts: `${KEYED}\ncanary: 5%\nguard: { killSwitch: off }`,
  whole: "canary: 100%\nguard: { killSwitch: off }",
  shared: "canary: 25%\nguard: { killSwitch: off }",
  notfound: "canary: 25%\nguard: { killSwitch: off }",
  gone: "canary: 25%\nguard: { killSwitch: off }",
  differs: "canary: 5%\nshadow: 100%\nguard: { errors: off, killSwitch: off, mismatches: { max: 1% } }",
  watched: "shadow: 100%\nguard: { mismatches: { max: 1% } }",
  slow: `${KEYED}\ncanary: 5%\nguard: { errors: off, killSwitch: off, latency: { ratio: 2 } }`,
  unguarded: "canary: 25%\nshadow: 100%\nguard: off",
};

test("evidence that grows by betting", async (t) => {
  await using old = await startBackend(obedient("x-old"));
  await using fresh = await startBackend(obedient("x-new"));
  await using gateway = await TestGateway.start({
    rules: rulesWith(old.url, fresh.url, ROUTES),
    env: { NODE_OPTIONS: `--import=${new URL("../support/clock.ts", import.meta.url)}` },
    flags: ["--access-log", "off"],
  });
  const send = (
    route: string,
    requests: readonly Ask[],
    headers: Record<string, string> = {},
    concurrency = 8,
  ): Promise<readonly Asked[]> =>
    askMany(
      gateway.proxyUrl,
      requests.map((each) => ({ ...each, path: `/${route}/x`, headers: { ...each.headers, ...headers } })),
      concurrency,
    );
  const tripped = (route: string): Promise<RollbackReport> =>
    until(`${route} is rolled back`, async () => (await gateway.route(route)).rollback);
  const assertNotLatched = async (route: string): Promise<void> => {
    const { latched, evidence } = await gateway.route(route);
    assert.equal(latched, false, JSON.stringify(evidence));
  };

  await t.test(
    "a 5% canary that fails is taken back by the evidence of a few keys, and no GET fails",
    async () => {
      const keys = keysFor(5, { old: 60, new: 40 }, "keys");
      await send("keys", byKeys(keys.old));
      const answers: Asked[] = [];
      for (const each of byKeys(keys.new)) {
        answers.push(...(await send("keys", [each], { "x-new": "503" })));
        if ((await gateway.route("keys")).latched) break;
      }
      const rollback = await tripped("keys");
      assert.deepEqual([rollback.cause, rollback.by], ["errors", "guard"]);
      assert.match(
        rollback.evidence.summary,
        /^errors: \d+ of \d+ answers of new failed .*evidence 1\.\d\d of 1/,
      );
      assert.ok(rollback.evidence.evidence.errors !== undefined && rollback.evidence.evidence.errors >= 1);
      const { errors } = rollback.evidence;
      assert.ok(errors.old === 0 && errors.new > 5 && errors.new <= answers.length, JSON.stringify(errors));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      assert.ok(answers.length < keys.new.length, "well before all of the keys have failed");
      const evidence = await gateway.metric("cutover_guard_evidence", { route: "keys", metric: "errors" });
      assert.equal(evidence, rollback.evidence.evidence.errors, "frozen as it was at the trip");
      assert.equal(await gateway.metric("cutover_rollbacks_total", { route: "keys", cause: "errors" }), 1);
    },
  );

  await t.test("bursts of a few bad keys never trip: a key counts once", async () => {
    const keys = keysFor(5, { old: 40, new: 3 }, "bursts");
    await send("bursts", byKeys(keys.old));
    for (let burst = 0; burst < 3; burst++) {
      for (const key of keys.new)
        await send("bursts", times(15, { headers: { "x-user": key } }), { "x-new": "503" });
      await send("bursts", byKeys(keys.old));
    }
    await until("all are booked", async () => (await gateway.route("bursts")).errors.new === 135);
    assert.equal((await gateway.route("bursts")).errors.old, 0);
    await assertNotLatched("bursts");
  });

  await t.test("at a 100% canary, without old to compare with, the limit itself trips", async () => {
    await send("whole", times(40));
    const answers = await send("whole", times(60), { "x-new": "500" });
    const { cause, evidence } = await tripped("whole");
    assert.equal(cause, "errors");
    assert.match(evidence.summary, /absolute, limit 5%/);
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  });

  await t.test("a fault that both sides share never trips", async () => {
    await send("shared", times(300), { "x-new": "500", "x-old": "500" });
    const errors = await until("all are booked", async () => {
      const route = await gateway.route("shared");
      return route.requests.old + route.requests.new === 300 ? route.errors : undefined;
    });
    assert.ok(errors.old > 100 && errors.new > 30);
    await assertNotLatched("shared");
  });

  await t.test("a new that answers 404 to everything is seen, though a 404 is no error", async () => {
    const answers = await send("notfound", times(200), { "x-new": "404" });
    const { cause, evidence } = await tripped("notfound");
    assert.equal(cause, "client-errors");
    assert.match(evidence.summary, /^client-errors: \d+ of \d+ answers of new were 4xx/);
    assert.equal((await gateway.route("notfound")).fallbacks, 0);
    assert.ok(answers.some(({ status, side }) => status === 404 && side === "new"));
  });

  await t.test("clients that leave are no evidence against anybody", async () => {
    const leave = async (): Promise<void> => {
      const sent = old.seen.length + fresh.seen.length;
      const answer = ask(gateway.proxyUrl, {
        path: "/gone/x",
        headers: { "x-new": "stall", "x-old": "stall" },
        onStarted: async (request) => {
          await until("a backend has it", () => old.seen.length + fresh.seen.length > sent);
          request.destroy();
        },
      });
      await assert.rejects(answer);
    };
    for (let i = 0; i < 60; i++) await leave();
    await until("all are booked", async () => {
      return (await gateway.metric("cutover_requests_total", { route: "gone", code: "client_gone" })) === 60;
    });
    assert.deepEqual((await gateway.route("gone")).errors, { old: 0, new: 0 });
    await assertNotLatched("gone");
  });

  await t.test("answers that differ trip a canary by its mismatches", async () => {
    await send("differs", times(80), { "x-new": "other" });
    const { cause, evidence } = await tripped("differs");
    assert.equal(cause, "mismatches");
    // Noise is not known yet, so new is measured by what old does to itself.
    assert.match(
      evidence.summary,
      /^mismatches: new differed alone in \d+ of \d+ shadows that asked old twice, old in 0/,
    );
  });

  await t.test(
    "a route that only shadows latches too; its clients and its shadows notice nothing",
    async () => {
      await send("watched", times(80), { "x-new": "other" });
      assert.equal((await tripped("watched")).cause, "mismatches");
      const { sent: before } = await until("all of its shadows are counted", async () => {
        const { shadows } = await gateway.route("watched");
        return Object.values(shadows).reduce((sum, count) => sum + count, 0) === 80 ? shadows : undefined;
      });
      const answers = await send("watched", times(10));
      assert.deepEqual([...new Set(answers.map(({ status, side }) => `${status} ${side}`))], ["200 old"]);
      await until("shadows go on", async () => (await gateway.route("watched")).shadows.sent === before + 10);
    },
  );

  await t.test("a new that is much slower than old's p99 trips by its latency", async () => {
    // So many that the eight which a machine that stands still holds up are no percent of them.
    const keys = keysFor(5, { old: 1_000, new: 40 }, "slow");
    await send("slow", byKeys(keys.old));
    await until("old's answers are booked", async () => (await gateway.route("slow")).requests.old === 1_000);
    gateway.signal("SIGUSR2"); // the minute is over
    // One healthy answer later, so that the look that ends the minute is behind us.
    await send("slow", byKeys(keys.old.slice(0, 1)));
    await until("old's p99 is known", async () => (await gateway.status()).uptimeSeconds > 60);
    await send("slow", byKeys(keys.new), { "x-new": "slow" }, keys.new.length);
    const { cause, evidence } = await tripped("slow");
    assert.equal(cause, "latency");
    assert.match(evidence.summary, /^latency: \d+ of \d+ answers of new were slower than old's p99/);
  });

  await t.test("guard: off never trips, whatever new does", async () => {
    const answers = await send("unguarded", times(120), { "x-new": "503" });
    await send("unguarded", times(60), { "x-new": "404" });
    await send("unguarded", times(60), { "x-new": "other" });
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    await until("all are booked", async () => {
      const { requests } = await gateway.route("unguarded");
      return requests.new > 0 && requests.old + requests.new === 240;
    });
    assert.deepEqual((await gateway.route("unguarded")).evidence, {});
    await assertNotLatched("unguarded");
    assert.equal(await gateway.metric("cutover_rollback_latched", { route: "unguarded" }), 0);
  });
});
