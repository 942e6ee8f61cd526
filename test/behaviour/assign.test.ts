import assert from "node:assert/strict";
import { test } from "node:test";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";

interface Visit {
  readonly side: string | null;
  readonly cookies: readonly string[];
}

test("an anonymous client is given a key once, and stays on its side with it", async (t) => {
  await using old = await startBackend(json({ from: "old" }, 200, { "set-cookie": "session=1" }));
  await using fresh = await startBackend(json({ from: "new" }, 200, { "set-cookie": "session=2" }));
  const rules = (canary: string) =>
    rulesFor(old.url, fresh.url, `key: [header:x-user, assign]\ncanary: ${canary}`);
  await using gateway = await TestGateway.start({ rules: rules("50%") });
  const visit = async (headers: Record<string, string> = {}): Promise<Visit> => {
    const answer = await fetch(gateway.proxyUrl, { headers });
    await answer.text();
    const cookies = answer.headers.getSetCookie().filter((cookie) => cookie.startsWith("cutover-key="));
    assert.equal(answer.headers.getSetCookie().length, cookies.length + 1, "the backend's own is kept");
    return { side: answer.headers.get("x-cutover-side"), cookies };
  };
  const pair = (cookie: string): string => cookie.split(";")[0] ?? "";
  const guests: { readonly side: string | null; readonly cookie: string }[] = [];

  await t.test("on both sides alike, and out of the reach of scripts", async () => {
    for (let n = 0; n < 40; n++) {
      const { side, cookies } = await visit();
      assert.equal(cookies.length, 1);
      assert.match(
        cookies[0] ?? "",
        /^cutover-key=[0-9a-f]{32}; Path=\/; Max-Age=31536000; HttpOnly; SameSite=Lax$/,
      );
      guests.push({ side, cookie: pair(cookies[0] ?? "") });
    }
    assert.deepEqual(new Set(guests.map(({ side }) => side)), new Set(["old", "new"]));
    assert.equal(new Set(guests.map(({ cookie }) => cookie)).size, 40, "each has its own");
  });

  await t.test("who brings it gets no other, and is served by the same side", async () => {
    for (const { side, cookie } of guests) {
      assert.deepEqual(await visit({ cookie: `a=b; ${cookie}; c=d` }), { side, cookies: [] });
    }
  });

  await t.test("a raised share moves nobody back", async () => {
    await gateway.reloadWith(rules("80%"));
    for (const { side, cookie } of guests) {
      if (side === "new") assert.equal((await visit({ cookie })).side, "new");
    }
  });

  await t.test("what is not the gateway's own form is not taken for a key", async () => {
    for (const made of ["", "short", "x".repeat(65), "a b c d e f g h i j"]) {
      assert.equal((await visit({ cookie: `cutover-key=${made}` })).cookies.length, 1, made);
    }
  });

  await t.test("who is known otherwise gets none", async () => {
    assert.deepEqual((await visit({ "x-user": "ann" })).cookies, []);
  });
});
