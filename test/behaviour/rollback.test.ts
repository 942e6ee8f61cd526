import assert from "node:assert/strict";
import type { ClientRequest } from "node:http";
import { type TestContext, test } from "node:test";
import { type Asked, ask, askMany, times } from "../support/ask.ts";
import { startBackend } from "../support/backend.ts";
import { rulesWith, TestGateway } from "../support/gateway.ts";
import { obedient } from "../support/obedient.ts";
import { until } from "../support/until.ts";

/** The kill switch alone: no test of statistics may be what acts. */
const KILL_SWITCH_ALONE = "canary: 100%\nguard: { errors: off }";

/** How long new may be silent before old is asked: longer than a busy machine stands still. */
const PATIENCE_MS = 2_000;

const ROUTES = {
  paired: KILL_SWITCH_ALONE,
  streak: KILL_SWITCH_ALONE,
  both: KILL_SWITCH_ALONE,
  post: KILL_SWITCH_ALONE,
  cut: KILL_SWITCH_ALONE,
  left: KILL_SWITCH_ALONE,
  shadowed: `${KILL_SWITCH_ALONE}\nshadow: { share: 100%, reverse: true }`,
  stalls: `${KILL_SWITCH_ALONE}\nfallback: { when: idempotent, after: ${PATIENCE_MS}ms }`,
  unguarded: "canary: 100%\nguard: off",
  stay: "key: [header:x-user]\nsplit: { new: [acme], onRollback: stay }\ncanary: 100%",
  leave: "key: [header:x-user]\nsplit: { new: [acme] }\ncanary: 100%",
  hand: "canary: 100%",
};

test("the kill switch and the operator's hand", async (t) => {
  await using old = await startBackend(obedient("x-old"));
  await using fresh = await startBackend(obedient("x-new"));
  const rules = rulesWith(old.url, fresh.url, ROUTES);
  await using gateway = await TestGateway.start({ rules });
  const get = (route: string, headers: Record<string, string> = {}): Promise<Asked> =>
    ask(gateway.proxyUrl, { path: `/${route}/x`, headers });
  const post = (route: string, headers: Record<string, string> = {}): Promise<Asked> =>
    ask(gateway.proxyUrl, { path: `/${route}/x`, method: "POST", body: "{}", headers });
  /** The answer that crosses the limit may be with the client a moment before the limit is looked at. */
  const tripped = (route: string) => until(`${route} is rolled back`, () => latched(route));
  const latched = async (route: string): Promise<boolean> => (await gateway.route(route)).latched;

  const booked = (route: string, gone: number) =>
    until(`${gone} clients of ${route} that left are booked`, async () => {
      return (await gateway.metric("cutover_requests_total", { route, code: "client_gone" })) === gone;
    });

  await t.test("five failures running where old answered well roll back, and no GET has failed", async () => {
    const seen = gateway.lines.length;
    const answers: Asked[] = [];
    for (let i = 0; i < 5; i++) answers.push(await get("paired", { "x-new": "503" }));
    await tripped("paired");
    // On connections of their own: both data threads take part.
    const after = await Promise.all(times(30).map(() => get("paired", { "x-new": "503" })));
    assert.deepEqual(answers.map(words), Array(5).fill("200 old fallback"));
    assert.deepEqual(after.map(words), Array(30).fill("200 old rolled-back"));
    await assertLatchIsReported(gateway, seen);
  });

  await t.test("a good answer of new in between begins the count anew", async () => {
    for (const orders of [times(4), times(4)]) {
      for (const _ of orders)
        assert.equal(words(await get("streak", { "x-new": "503" })), "200 old fallback");
      assert.equal(words(await get("streak")), "200 new canary-share");
    }
    assert.equal(await latched("streak"), false);
  });

  await t.test("a request that fails on both sides never trips, and leaves the count as it is", async () => {
    for (let i = 0; i < 20; i++) await get("both", { "x-new": "503", "x-old": "500" });
    assert.equal(await latched("both"), false);
    for (let i = 0; i < 4; i++) await get("both", { "x-new": "503" });
    const poison = await get("both", { "x-new": "503", "x-old": "500" });
    assert.equal(words(poison), "500 old fallback");
    assert.equal(words(await get("both", { "x-new": "reset" })), "200 old fallback");
    await tripped("both");
    assert.equal(words(await get("both")), "200 old rolled-back");
  });

  await t.test(
    "a POST that new cannot take counts without asking old; one answered 500 does not",
    async () => {
      const before = old.seen.filter(({ url }) => url === "/post/x").length;
      for (let i = 0; i < 10; i++)
        assert.equal(words(await post("post", { "x-new": "500" })), "500 new canary-share");
      assert.equal(await latched("post"), false);
      for (let i = 0; i < 5; i++)
        assert.equal(words(await post("post", { "x-new": "reset" })), "502 new canary-share");
      await tripped("post");
      assert.equal(words(await post("post", { "x-new": "reset" })), "200 old rolled-back");
      assert.equal(old.seen.filter(({ url }) => url === "/post/x").length, before + 1);
    },
  );

  await t.test("an answer of new that breaks off midway counts too", async () => {
    for (let i = 0; i < 5; i++) await assert.rejects(get("cut", { "x-new": "cut" }));
    await tripped("cut");
    assert.equal(words(await get("cut")), "200 old rolled-back");
  });

  await t.test("clients that leave never trip, whatever they were waiting for", async () => {
    const leave = async (order: string): Promise<void> => {
      const before = fresh.seen.length;
      const answer = ask(gateway.proxyUrl, {
        path: "/left/x",
        headers: { "x-new": order },
        onStarted: async (request) => {
          await until("new has the request", () => fresh.seen.length > before);
          request.destroy();
        },
      });
      await assert.rejects(answer);
    };
    for (let i = 0; i < 12; i++) await leave("stall");
    await booked("left", 12);
    const { errors } = await gateway.route("left");
    assert.deepEqual([await latched("left"), errors.new], [false, 0]);
  });

  await t.test("clients that stop in the middle of an upload never trip; slow ones are served", async () => {
    const put = (send: (request: ClientRequest) => void): Promise<Asked> =>
      ask(gateway.proxyUrl, { path: "/stalls/x", method: "PUT", headers: { "content-length": "8" }, send });
    const requests: ClientRequest[] = [];
    const stalled = times(6).map(() =>
      put((request) => {
        requests.push(request);
        request.write("half");
      }),
    );
    // Takes longer than new may be silent: when it has its answer, the others have stalled for long enough.
    const slow = await put((request) => {
      let left = 8;
      const timer = setInterval(() => {
        request.write("x");
        left -= 1;
        if (left > 0) return;
        clearInterval(timer);
        request.end();
      }, PATIENCE_MS / 5);
    });
    assert.equal(words(slow), "200 new canary-share");
    for (const request of requests) request.destroy();
    await Promise.all(stalled.map((each) => assert.rejects(each)));
    await booked("stalls", 6);
    const { errors, fallbacks } = await gateway.route("stalls");
    assert.deepEqual([await latched("stalls"), errors.new, fallbacks], [false, 0, 0]);
  });

  await t.test("shadows go on after a rollback: new is still watched, but serves nobody", async () => {
    for (let i = 0; i < 5; i++) await get("shadowed", { "x-new": "503" });
    await tripped("shadowed");
    const before = fresh.seen.length;
    const answers = await askMany(gateway.proxyUrl, times(10, { path: "/shadowed/x" }));
    assert.deepEqual(answers.map(words), Array(10).fill("200 old rolled-back"));
    await until("new has seen the shadows", () => fresh.seen.length === before + 10);
    assert.ok(fresh.seen.slice(-10).every(({ headers }) => headers["x-cutover-shadow"] === "1"));
  });

  await t.test("guard: off never trips, and still serves each GET from old", async () => {
    const answers = await askMany(
      gateway.proxyUrl,
      times(60, { path: "/unguarded/x", headers: { "x-new": "503" } }),
    );
    assert.deepEqual(answers.map(words), Array(60).fill("200 old fallback"));
    assert.equal(await latched("unguarded"), false);
  });

  await t.test("split keys leave new at a rollback, or stay where the rules say so", async () => {
    const acme = { "x-user": "acme" };
    for (const route of ["stay", "leave"])
      assert.equal((await gateway.act(route, "rollback", "drill")).status, 200);
    assert.equal(words(await get("stay", acme)), "200 new split-new");
    assert.equal(words(await get("stay", { "x-user": "other" })), "200 old rolled-back");
    assert.equal(words(await get("leave", acme)), "200 old rolled-back");
  });

  await t.test("an operator rolls back by hand and resets, each with a reason that is kept", async () => {
    assert.equal((await gateway.admin("POST", "/api/v1/routes/hand/rollback", {})).status, 400);
    assert.equal(words(await get("hand")), "200 new canary-share");
    assert.equal((await gateway.act("hand", "rollback", "numbers look odd")).status, 200);
    assert.equal(words(await get("hand")), "200 old rolled-back");
    const { rollback } = await gateway.route("hand");
    assert.deepEqual(
      [rollback?.cause, rollback?.by, rollback?.reason],
      ["operator", "operator", "numbers look odd"],
    );
    assert.equal((await gateway.admin("POST", "/api/v1/routes/hand/reset", {})).status, 400);
    assert.equal((await gateway.act("hand", "reset", "it was the chart")).status, 200);
    assert.equal(words(await get("hand")), "200 new canary-share");
    const trail = (await gateway.audit()).filter(({ route }) => route === "hand");
    assert.deepEqual(
      trail.map(({ action, by, reason }) => [action, by, reason]),
      [
        ["reset", "operator", "it was the chart"],
        ["rollback", "operator", "numbers look odd"],
      ],
    );
  });

  await t.test("after a reset the count begins at nothing", async () => {
    await gateway.act("paired", "reset", "mended");
    for (let i = 0; i < 4; i++)
      assert.equal(words(await get("paired", { "x-new": "503" })), "200 old fallback");
    assert.equal(words(await get("paired")), "200 new canary-share");
  });

  await revisions(t, gateway, (revision) =>
    rules.replace("- name: hand\n", `- name: hand\n    revision: ${revision}\n`),
  );

  await t.test("one word takes every route back", async () => {
    assert.equal((await gateway.admin("POST", "/api/v1/rollback", { reason: "bad day" })).status, 200);
    const { routes } = await gateway.status();
    assert.deepEqual([...new Set(routes.map(({ state }) => state))], ["rolled-back"]);
    assert.equal(words(await get("unguarded")), "200 old rolled-back");
  });
});

/** INTERFACE §1, §2, §4, §5: one rollback, and every place that has to tell of it. */
async function assertLatchIsReported(gateway: TestGateway, seen: number): Promise<void> {
  const event = await gateway.logged("rollback", seen);
  assert.deepEqual([event.route, event.by, event.cause], ["paired", "guard", "killSwitch"]);
  const { state, latched, canary, verdict, rollback, waitingFor, requests, fallbacks } = await until(
    "all are booked",
    async () => {
      const route = await gateway.route("paired");
      return route.requests.old === 35 ? route : undefined;
    },
  );
  assert.deepEqual([state, latched, canary, verdict], ["rolled-back", true, 0, "fail"]);
  assert.deepEqual([rollback?.cause, rollback?.by], ["killSwitch", "guard"]);
  assert.match(
    rollback?.evidence.summary ?? "",
    /new failed and old answered well 5 times running \(limit 5\)/,
  );
  assert.deepEqual(rollback?.evidence.samples.new, 5);
  assert.deepEqual(rollback?.evidence.errors, { old: 0, new: 5 });
  assert.equal(rollback?.evidence.rulesVersion, (await gateway.status()).rules.version);
  assert.match(waitingFor, /cutover reset/);
  assert.deepEqual([requests.new, fallbacks], [0, 5]);
  const entry = await gateway.rollbackStored("paired");
  assert.deepEqual(
    [entry.action, entry.by, entry.from, entry.to],
    ["rollback", "guard", "serving", "rolled-back"],
  );
  assert.equal(entry.reason, rollback?.evidence.summary);
  assert.equal(await gateway.metric("cutover_rollbacks_total", { route: "paired", cause: "killSwitch" }), 1);
  assert.equal(await gateway.metric("cutover_rollback_latched", { route: "paired" }), 1);
  assert.equal(await gateway.metric("cutover_canary_share_ratio", { route: "paired" }), 0);
}

async function revisions(
  t: TestContext,
  gateway: TestGateway,
  rulesOf: (revision: number) => string,
): Promise<void> {
  await t.test(
    "a reload that raises the revision clears a rollback; the same or a lower one does not",
    async () => {
      const isLatched = async (): Promise<boolean> => (await gateway.route("hand")).latched;
      await gateway.reloadWith(rulesOf(7));
      await gateway.act("hand", "rollback", "drill");
      await gateway.reloadWith(`${rulesOf(7)}# the same again\n`);
      assert.equal(await isLatched(), true);
      await gateway.reloadWith(rulesOf(6));
      assert.equal(await isLatched(), true);
      await gateway.reloadWith(rulesOf(8));
      assert.equal(await isLatched(), false);
      const [entry] = (await gateway.audit()).filter(({ route }) => route === "hand");
      assert.deepEqual([entry?.action, entry?.by, entry?.reason], ["reset", "rules", "revision 7 → 8"]);
    },
  );
}

function words({ status, side, reason }: Asked): string {
  return `${status} ${side} ${reason}`;
}
