import assert from "node:assert/strict";
import { test } from "node:test";
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
