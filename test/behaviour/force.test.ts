import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";

const force = (side: string, token: string) => ({ "x-cutover-force": side, "x-cutover-token": token });

test("a side is forced by whoever has the process's token, and by nobody else", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  await using gateway = await TestGateway.start({
    rules: rulesFor(old.url, fresh.url, "key: [header:x-user]\nsplit: { new: [ann] }\ncanary: 0%"),
    env: { CUTOVER_FORCE_TOKEN: "sesame" },
  });
  const placeOf = async (headers: Record<string, string>): Promise<string> => {
    const { side, reason } = await ask(gateway.proxyUrl, { headers });
    return `${side} ${reason}`;
  };

  await t.test("with the token, both ways, against split and canary", async () => {
    assert.equal(await placeOf(force("new", "sesame")), "new forced");
    assert.equal(await placeOf({ ...force("old", "sesame"), "x-user": "ann" }), "old forced");
  });
  await t.test("without it, with a wrong one, or with no such side, as if nothing was said", async () => {
    for (const headers of [
      { "x-cutover-force": "new" },
      force("new", "Sesame"),
      force("new", "sesam"),
      force("new", ""),
      force("NEW", "sesame"),
      force("modern", "sesame"),
    ]) {
      assert.equal(await placeOf(headers), "old default-old", JSON.stringify(headers));
    }
  });
  await t.test("the token reaches no backend", () => {
    for (const { headers } of [...old.seen, ...fresh.seen]) {
      assert.equal(headers["x-cutover-token"], undefined);
      assert.equal(headers["x-cutover-force"], undefined);
    }
  });
  await t.test("also while the route is rolled back", async () => {
    await gateway.admin("POST", "/api/v1/routes/r/rollback", { reason: "a test" });
    assert.equal(await placeOf({}), "old rolled-back");
    assert.equal(await placeOf(force("new", "sesame")), "new forced");
  });
});

test("a gateway without a force token lets nobody force", async () => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, fresh.url, "canary: 0%") });
  for (const token of ["", "null", "undefined"]) {
    assert.equal((await ask(gateway.proxyUrl, { headers: force("new", token) })).side, "old");
  }
});
