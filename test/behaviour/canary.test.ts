import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ask, ask, askMany, byKeys, times } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";

test("a key stays on its side, also over a reload that raises the share and a restart", async () => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const rules = (share: string) => rulesFor(old.url, fresh.url, `key: [header:x-user]\ncanary: ${share}`);
  const sideOf = async (gateway: TestGateway, user: string): Promise<string | null> => {
    const answer = await fetch(gateway.proxyUrl, { headers: { "x-user": user } });
    await answer.text();
    return answer.headers.get("x-cutover-side");
  };
  const users = Array.from({ length: 60 }, (_, index) => `user-${index}`);
  await using gateway = await TestGateway.start({ rules: rules("20%") });
  const first = await Promise.all(users.map((user) => sideOf(gateway, user)));
  await gateway.reloadWith(rules("60%"));
  const second = await Promise.all(users.map((user) => sideOf(gateway, user)));
  assert.ok(first.includes("new") && first.includes("old"));
  assert.ok(second.filter((side) => side === "new").length > first.filter((side) => side === "new").length);
  for (const [index, side] of first.entries()) if (side === "new") assert.equal(second[index], "new");
  await gateway.stop();
  await using again = await TestGateway.start({ rules: rules("60%") });
  assert.deepEqual(await Promise.all(users.map((user) => sideOf(again, user))), second);
});

test("a canary share is the share of the keys that new serves, and of keyless requests", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const share = 0.2;
  const tolerated = (count: number): number => 5 * Math.sqrt(count * share * (1 - share));
  await using gateway = await TestGateway.start({
    rules: rulesFor(old.url, fresh.url, "key: [header:x-user]\ncanary: 20%"),
    flags: ["--access-log", "off"],
  });
  const served = async (requests: readonly Ask[]): Promise<number> =>
    (await askMany(gateway.proxyUrl, requests)).filter(({ side }) => side === "new").length;

  await t.test("by keys", async () => {
    const count = 3000;
    const keys = Array.from({ length: count }, (_, index) => `customer-${index}`);
    const byNew = await served(byKeys(keys));
    assert.ok(Math.abs(byNew - share * count) < tolerated(count), `${byNew} of ${count}`);
  });

  await t.test("by draw", async () => {
    const count = 1000;
    const byNew = await served(times(count));
    assert.ok(Math.abs(byNew - share * count) < tolerated(count), `${byNew} of ${count}`);
  });
});

test("always and never go before the share, and other methods stay on old", async () => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const fields = `key: [header:x-user]
canary:
  share: 100%
  always: [{ header: x-canary, equals: "true" }, { cookie: canary, equals: "true" }]
  never: [{ header: user-agent, matches: "^HealthChecker" }]
  methods: [GET, HEAD]`;
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, fresh.url, fields) });
  const placeOf = async (request: Ask): Promise<string> => {
    const { side, reason } = await ask(gateway.proxyUrl, request);
    return `${side} ${reason}`;
  };
  assert.equal(await placeOf({}), "new canary-share");
  assert.equal(await placeOf({ method: "POST", body: "x" }), "old default-old");
  assert.equal(await placeOf({ headers: { "x-canary": "true" } }), "new canary-always");
  assert.equal(await placeOf({ headers: { cookie: "a=b; canary=true" } }), "new canary-always");
  const checker = { "user-agent": "HealthChecker/2" };
  assert.equal(await placeOf({ headers: checker }), "old canary-never");
  assert.equal(await placeOf({ headers: { ...checker, "x-canary": "true" } }), "old canary-never");
});
