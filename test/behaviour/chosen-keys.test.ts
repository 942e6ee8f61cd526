import assert from "node:assert/strict";
import { test } from "node:test";
import { askMany, byKeys, keysFor, times } from "../support/ask.ts";
import { type Seen, startBackend } from "../support/backend.ts";
import { rulesWith, TestGateway } from "../support/gateway.ts";
import { obedient } from "../support/obedient.ts";
import { until } from "../support/until.ts";

const KEYED = "key: [header:x-user]\ncanary: 5%\nguard: { killSwitch: off }";
const NOWHERE = { "x-old": "404", "x-new": "404" };

const ROUTES = {
  flood: KEYED,
  lost: KEYED,
  poison: KEYED,
  posts: KEYED,
  checked: `${KEYED.replace("off }", "off, clientErrors: checked }")}`,
  unjudged: `${KEYED.replace("off }", "off, clientErrors: off }")}`,
  silent: `${KEYED}\nfallback: off`,
  whole: "canary: 100%\nguard: { killSwitch: off }",
};

test("keys that somebody has chosen to land on new", async (t) => {
  await using old = await startBackend(obedient("x-old"));
  await using fresh = await startBackend(obedient("x-new"));
  await using gateway = await TestGateway.start({
    rules: rulesWith(old.url, fresh.url, ROUTES),
    flags: ["--access-log", "off"],
  });
  /** One request with each of so many keys that are drawn to new. */
  const send = async (route: string, count: number, headers: Record<string, string>, method = "GET") => {
    const keys = keysFor(5, { old: 0, new: count }, route).new;
    return askMany(
      gateway.proxyUrl,
      byKeys(keys).map((each) => ({
        ...each,
        method,
        path: `/${route}/x`,
        headers: { ...each.headers, ...headers },
      })),
    );
  };
  const asked = (route: string): Seen[] =>
    old.seen.filter(({ url, headers }) => url === `/${route}/x` && headers["x-cutover-shadow"] === "1");
  const evidence = async (route: string) => (await gateway.route(route)).evidence["client-errors"] ?? 0;

  await t.test("ask for what exists nowhere, and nothing is rolled back", async () => {
    const answers = await send("flood", 120, NOWHERE);
    assert.deepEqual([...new Set(answers.map(({ status, side }) => `${status} ${side}`))], ["404 new"]);
    await until("all are booked", async () => (await gateway.route("flood")).requests.new === 120);
    await until("old has been asked", () => asked("flood").length > 0);
    assert.equal(await evidence("flood"), 0);
    assert.equal((await gateway.route("flood")).latched, false);
    assert.ok(
      asked("flood").every(({ method, headers }) => method === "GET" && headers["x-cutover-side"] === "old"),
    );
  });

  await t.test("and still a new that has lost what old has is rolled back", async () => {
    await send("lost", 60, { "x-new": "404" });
    const rollback = await until("it is", async () => (await gateway.route("lost")).rollback);
    assert.equal(rollback.cause, "client-errors");
    assert.ok(asked("lost").length > 0 && asked("lost").length <= 60);
  });

  await t.test("what both fail at is no rollback either, and what new alone fails at is", async () => {
    await send("poison", 60, { "x-old": "500", "x-new": "500" });
    await until("all are booked", async () => (await gateway.route("poison")).errors.new === 60);
    const { latched, evidence: now } = await gateway.route("poison");
    assert.deepEqual([latched, now.errors], [false, 0]);
    await send("poison", 60, { "x-new": "500" });
    const rollback = await until("it is rolled back", async () => (await gateway.route("poison")).rollback);
    assert.equal(rollback.cause, "errors");
  });

  await t.test("old is asked no method that changes things, and those count as they come", async () => {
    await send("posts", 60, NOWHERE, "POST");
    await until("it is rolled back", async () => (await gateway.route("posts")).rollback);
    assert.deepEqual(asked("posts"), []);
  });

  await t.test("clientErrors: checked counts those alone that old was asked about", async () => {
    await send("checked", 60, NOWHERE, "POST");
    await send("checked", 10, NOWHERE);
    await until("old has been asked", () => asked("checked").length > 0);
    assert.equal(await evidence("checked"), 0);
    await send("checked", 60, { "x-new": "404" });
    const rollback = await until("it is rolled back", async () => (await gateway.route("checked")).rollback);
    assert.equal(rollback.cause, "client-errors");
    assert.ok(asked("checked").every(({ method }) => method === "GET"));
  });

  await t.test("clientErrors: off judges no 4xx at all, and asks nobody", async () => {
    await send("unjudged", 60, { "x-new": "404" });
    await until("all are booked", async () => (await gateway.route("unjudged")).requests.new === 60);
    const route = await gateway.route("unjudged");
    assert.deepEqual(Object.keys(route.evidence), ["errors"]);
    assert.equal(route.latched, false);
    assert.deepEqual(asked("unjudged"), []);
  });

  await t.test("nor anything where fallback is off", async () => {
    await send("silent", 60, NOWHERE);
    await until("it is rolled back", async () => (await gateway.route("silent")).rollback);
    assert.deepEqual(asked("silent"), []);
  });

  await t.test(
    "at 100% too: a wave of what exists nowhere passes, one of what old has does not",
    async () => {
      const wave = (headers: Record<string, string>) =>
        askMany(gateway.proxyUrl, times(150, { path: "/whole/x", headers }));
      await wave(NOWHERE);
      await until("all are booked", async () => (await gateway.route("whole")).requests.new === 150);
      assert.equal((await gateway.route("whole")).latched, false);
      const rollback = await until("it is rolled back", async () => {
        await wave({ "x-new": "410" });
        return (await gateway.route("whole")).rollback;
      });
      assert.equal(rollback.cause, "client-errors");
    },
  );
});
