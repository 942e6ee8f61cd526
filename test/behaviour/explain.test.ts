import assert from "node:assert/strict";
import { test } from "node:test";
import type { Explanation, ReloadReport } from "../../src/model/reports.ts";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, rulesWith, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

type Headers = Readonly<Record<string, string>>;

async function explained(gateway: TestGateway, url: string, headers: Headers = {}): Promise<Explanation> {
  const { status, body } = await gateway.admin("POST", "/api/v1/explain", { method: "GET", url, headers });
  assert.equal(status, 200, JSON.stringify(body));
  return body as Explanation;
}

function outcomeOf({ steps }: Explanation, asked: RegExp): string | undefined {
  return steps.find(({ step }) => asked.test(step))?.outcome;
}

test("an explanation says what traffic is told, also where chance or a token decides", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const rules = rulesWith(old.url, fresh.url, {
    none: "canary: 50%",
    cookie: "key: [assign]\ncanary: 50%\nshadow: 100%",
    reads: "canary: { share: 50%, methods: [POST] }",
    staged: "rollout: { start: running, steps: [{ shadow: 40%, bake: 1h }] }",
    stays: "key: [header:x-user]\nsplit: { new: [ann], onRollback: stay }",
  }).replace(
    "routes:",
    'routes:\n  - name: hosted\n    match: { path: "/hosted/**", hosts: [api.example.com] }',
  );
  await using gateway = await TestGateway.start({ rules, env: { CUTOVER_FORCE_TOKEN: "sesame" } });
  const explain = (url: string, headers?: Headers) => explained(gateway, url, headers);

  await t.test("a force with the token, as in traffic, and the token is not repeated", async () => {
    const force = { "x-cutover-force": "new", "x-cutover-token": "sesame" };
    const answer = await explain("/reads/1", force);
    assert.deepEqual([answer.side, answer.reason, answer.backend], ["new", "forced", "modern"]);
    assert.match(outcomeOf(answer, /forced/) ?? "", /^yes: new/);
    assert.ok(!JSON.stringify(answer).includes("sesame"));
    const { side, reason } = await ask(gateway.proxyUrl, { path: "/reads/1", headers: force });
    assert.deepEqual([side, reason], ["new", "forced"]);
  });

  await t.test("the shares of a rollout are those of its step", async () => {
    const answer = await explain("/staged/1");
    assert.deepEqual([answer.side, answer.canary, answer.shadow], ["old", 0, "40% to new"]);
  });

  await t.test("a force without it, with a wrong one, or to no side is none", async () => {
    for (const [side, token] of [
      ["new", "Sesame"],
      ["new", "sesam"],
      ["new", ""],
      ["modern", "sesame"],
    ] as const) {
      const answer = await explain("/reads/1", { "x-cutover-force": side, "x-cutover-token": token });
      assert.deepEqual([answer.side, outcomeOf(answer, /forced/)], ["old", "no"]);
    }
  });

  await t.test("a request without a key has no side and no backend: each is drawn", async () => {
    const answer = await explain("/none/1");
    assert.deepEqual([answer.key, answer.bucket, answer.side, answer.backend], [null, null, null, null]);
    assert.match(answer.reason, /without a key each request is drawn on its own: 50% of them go to new/);
    assert.equal(outcomeOf(answer, /canary share/), answer.reason);
  });

  await t.test("a new client with `assign` has none yet, and will stay on the one it gets", async () => {
    const answer = await explain("/cookie/1");
    assert.deepEqual([answer.key?.value, answer.side, answer.backend], ["(a new cookie)", null, null]);
    assert.match(answer.reason, /the new cookie decides: 50% of new clients go to new, and each stays/);
    assert.equal(outcomeOf(answer, /canary share/), answer.reason);
    assert.match(answer.shadow, /^where old serves: 100% to new; where new serves: no/);
    const known = await explain("/cookie/1", { cookie: "cutover-key=0123456789abcdef" });
    assert.ok(known.side !== null && known.backend !== null && known.bucket !== null);
  });

  await t.test("what never comes to the draw is not drawn", async () => {
    const { side, backend, reason } = await explain("/reads/1");
    assert.deepEqual([side, backend, reason], ["old", "legacy", "default-old"]);
  });

  await t.test("keys that stay through a rollback are said to", async () => {
    await gateway.act("stays", "rollback", "a test");
    const ann = await explain("/stays/1", { "x-user": "ann" });
    assert.deepEqual([ann.side, ann.reason], ["new", "split-new"]);
    assert.equal(outcomeOf(ann, /rolled back/), "yes, but the key stays (split.onRollback: stay)");
    const bob = await explain("/stays/1", { "x-user": "bob" });
    assert.deepEqual([bob.side, outcomeOf(bob, /rolled back/)], ["old", "yes: old (rolled-back)"]);
  });

  await t.test("where a host would have mattered and none was given, it says so", async () => {
    const missing = await explain("/hosted/1");
    assert.equal(missing.route, null);
    assert.match(outcomeOf(missing, /host/) ?? "", /none given.*write http:\/\/HOST\/path/);
    const given = await explain("http://api.example.com/hosted/1");
    assert.deepEqual([given.route, outcomeOf(given, /host/)], ["hosted", undefined]);
  });
});

test("a reload says which change waits for new connections, in its answer and in the log", async () => {
  await using old = await startBackend(json({}));
  const rules = (head: string) =>
    `${rulesFor(old.url, old.url, "canary: 0%")}limits: { requestHead: ${head} }\n`;
  await using gateway = await TestGateway.start({ rules: rules("2KiB") });
  await gateway.reloadWith(rules("8KiB"));
  const logged = await gateway.logged("reload");
  assert.match(String(logged.notes), /^limits\.requestHead acts on connections from now on/);
  await until("it is said", () => /limits\.requestHead acts on connections from now on/.test(gateway.stderr));
  const big = { "x-big": "x".repeat(4_000) };
  assert.equal((await ask(gateway.proxyUrl, { headers: big })).status, 200);
  const { body } = await gateway.admin("POST", "/api/v1/reload", {});
  assert.deepEqual((body as ReloadReport).notes, []);
});
