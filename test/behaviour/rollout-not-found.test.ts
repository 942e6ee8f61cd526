/** At the whole share there is no old left to compare with: a new that answers 404 to everything is seen all the same. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { askMany, times } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { rulesWith, TestGateway } from "../support/gateway.ts";
import { startLoad } from "../support/load.ts";
import { until } from "../support/until.ts";

const ROUTES = {
  // Old's 4xx are seen at the first step; the second is long enough to see new's.
  big: "rollout:\n  start: running\n  steps:\n    - { canary: 5%, bake: 1h }\n    - { canary: 100%, bake: 2s }",
  stat: "canary: 100%",
  well: "canary: 100%",
};

test("a new that answers 404 to everything at 100% is rolled back, by rollout and by static canary", async () => {
  await using old = await startBackend(json({ well: true }));
  let found = true;
  await using fresh = await startBackend((req, res, body) => {
    const isFound = found || req.url?.startsWith("/well") === true;
    return json({ well: isFound }, isFound ? 200 : 404)(req, res, body);
  });
  await using gateway = await TestGateway.start({ rules: rulesWith(old.url, fresh.url, ROUTES) });
  await askMany(gateway.proxyUrl, times(300, { path: "/big/x" }), 8);
  await until("old's answers are counted", async () => (await gateway.route("big")).requests.old > 200);
  found = false;
  const promoted = await gateway.admin("POST", "/api/v1/routes/big/promote", {
    reason: "big bang",
    to: "100%",
  });
  assert.equal(promoted.status, 200);
  const loads = Object.keys(ROUTES).map((name) =>
    startLoad(gateway.proxyUrl, { clients: 2, path: `/${name}/x` }),
  );
  try {
    for (const [name, limit] of [
      ["big", /\(absolute, limit 20%\)$/],
      ["stat", /\(absolute, limit 50%, raised/],
    ] as const) {
      const rollback = await until(
        `${name} is rolled back`,
        async () => (await gateway.route(name)).rollback,
      );
      assert.equal(rollback.cause, "client-errors");
      assert.match(rollback.evidence.summary, limit);
    }
  } finally {
    for (const load of loads) await load.stop();
  }
  assert.equal((await gateway.route("big")).state, "rolled-back");
  assert.ok(!(await gateway.audit()).some(({ action }) => action === "completed"));
  assert.equal((await gateway.route("well")).latched, false);
});
