import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

test("rules that begin to compare find their comparison thread, on a gateway that compared nothing before", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 2 }));
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, fresh.url, "canary: 0%") });
  assert.equal((await ask(gateway.proxyUrl, { path: "/items" })).status, 200);
  await writeFile(gateway.rulesFile, rulesFor(old.url, fresh.url, "shadow: 100%"));
  await gateway.admin("POST", "/api/v1/reload", { reason: "compare" });
  await ask(gateway.proxyUrl, { path: "/items" });
  await until("the pair is compared", async () => (await gateway.route("r")).comparisons.mismatch === 1);
});
