import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { startBackend } from "../support/backend.ts";
import { rulesWith, TestGateway } from "../support/gateway.ts";
import { obedient } from "../support/obedient.ts";
import { until } from "../support/until.ts";

const FIELDS = "canary: 100%\nguard: { errors: off }";

test("a rollback is kept over whatever happens to the gateway and its rules", async (t) => {
  await using old = await startBackend(obedient("x-old"));
  await using fresh = await startBackend(obedient("x-new"));
  const folder = await mkdtemp(join(tmpdir(), "cutover-latch-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const rulesOf = (routes: Record<string, string>): string => rulesWith(old.url, fresh.url, routes);
  const sideOf = async (gateway: TestGateway, route: string): Promise<string> => {
    const { status, side, reason } = await ask(gateway.proxyUrl, { path: `/${route}/x` });
    return `${status} ${side} ${reason}`;
  };

  await t.test(
    "kill -9 right after the rollback was stored: it starts rolled back, with the same evidence",
    async () => {
      const rules = rulesOf({ r: FIELDS, other: FIELDS });
      await using first = await TestGateway.start({ rules, folder });
      for (let i = 0; i < 5; i++) await ask(first.proxyUrl, { path: "/r/x", headers: { "x-new": "503" } });
      await first.rollbackStored("r");
      const before = await first.route("r");
      await first.kill();
      await using second = await TestGateway.start({ rules, folder });
      assert.equal(await sideOf(second, "r"), "200 old rolled-back");
      assert.equal(await sideOf(second, "other"), "200 new canary-share");
      const after = await second.route("r");
      assert.deepEqual([after.state, after.rollback], ["rolled-back", before.rollback]);
      assert.equal(after.rollback?.cause, "killSwitch");
      assert.equal((await second.audit()).filter(({ action }) => action === "rollback").length, 1);
    },
  );

  await t.test("it lasts through reloads, and through removal and return of the route", async () => {
    await using gateway = await TestGateway.start({ rules: rulesOf({ r: FIELDS }), folder });
    const before = (await gateway.route("r")).rollback;
    await gateway.reloadWith(rulesOf({ r: `${FIELDS}\nshadow: 10%` }));
    assert.equal(await sideOf(gateway, "r"), "200 old rolled-back");
    await gateway.reloadWith(rulesOf({ renamed: FIELDS }));
    assert.equal((await gateway.admin("GET", "/api/v1/routes/r")).status, 404);
    // A renamed route starts fresh, which may be meant or a slip: a warning says so.
    assert.equal(await sideOf(gateway, "renamed"), "200 new canary-share");
    await until("the warning is there", () =>
      /\br is rolled back but .*if it was renamed, the new name is not latched/.test(gateway.stderr),
    );
    await gateway.reloadWith(rulesOf({ r: FIELDS }));
    assert.equal(await sideOf(gateway, "r"), "200 old rolled-back");
    assert.deepEqual((await gateway.route("r")).rollback, before);
  });

  await t.test("a route that is gone for good can be reset: it is forgotten, and named no more", async () => {
    await using gateway = await TestGateway.start({
      rules: rulesOf({ r: FIELDS, gone: FIELDS }),
      folder,
    });
    await gateway.act("gone", "rollback", "for ever");
    await gateway.reloadWith(rulesOf({ r: FIELDS }));
    assert.equal((await gateway.act("neverwas", "reset", "x")).status, 404);
    const { status, body } = await gateway.act("gone", "reset", "removed for good");
    assert.deepEqual(
      [status, body],
      [200, { ok: true, message: "gone is reset: its rollback is forgotten" }],
    );
    assert.equal((await gateway.act("gone", "reset", "again")).status, 404);
    await gateway.reloadWith(rulesOf({ r: FIELDS, gone: FIELDS }));
    assert.equal(await sideOf(gateway, "gone"), "200 new canary-share");
  });

  await t.test(
    "at a start a lower revision keeps it, a higher one clears it, which lasts as well",
    async () => {
      const start = (revision: number): Promise<TestGateway> =>
        TestGateway.start({ rules: rulesOf({ r: `${FIELDS}\nrevision: ${revision}` }), folder });
      const lower = await start(0);
      assert.equal(await sideOf(lower, "r"), "200 old rolled-back");
      await lower.kill();
      const raised = await start(2);
      assert.equal(await sideOf(raised, "r"), "200 new canary-share");
      const [entry] = await raised.audit();
      assert.deepEqual([entry?.action, entry?.by, entry?.reason], ["reset", "rules", "revision 1 → 2"]);
      await raised.kill();
      await using again = await start(1);
      assert.equal(await sideOf(again, "r"), "200 new canary-share");
    },
  );
});
