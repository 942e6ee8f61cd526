import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { ask, askMany, times } from "../support/ask.ts";
import { json, type Script, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

test("with everything on new and reverse, noise is learned from old, and what new answers wrongly trips", async () => {
  let isWrong = false;
  const answer =
    (side: "old" | "new"): Script =>
    (req, res, body) =>
      json({ nonce: randomUUID(), name: side === "new" && isWrong ? "wrong" : "right" })(req, res, body);
  await using old = await startBackend(answer("old"));
  await using fresh = await startBackend(answer("new"));
  const fields =
    "canary: 100%\nshadow: { share: 100%, reverse: true }\nguard: { errors: off, killSwitch: off, mismatches: { max: 1% } }";
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, fresh.url, fields) });
  const compared = (count: number): Promise<unknown> =>
    until(`${count} are compared`, async () => {
      const { match, mismatch, noise } = (await gateway.route("r")).comparisons;
      return match + mismatch + noise >= count;
    });

  await askMany(gateway.proxyUrl, times(260));
  await compared(260);
  const healthy = await gateway.route("r");
  assert.equal(healthy.latched, false, healthy.waitingFor);
  assert.ok(healthy.comparisons.noise >= 250, JSON.stringify(healthy.comparisons));
  assert.doesNotMatch(healthy.waitingFor, /learning noise/, "old's second answers have taught it");
  const lessons = old.seen.length - 260;
  assert.ok(lessons >= 200 && lessons <= 240, `${lessons} second questions`);
  assert.equal(fresh.seen.length, 260, "new is asked once, by the client alone");

  isWrong = true;
  const rollback = await until("it is rolled back", async () => {
    await askMany(gateway.proxyUrl, times(20));
    return (await gateway.route("r")).rollback;
  });
  assert.equal(rollback.cause, "mismatches");
  assert.match(rollback.evidence.summary, /^mismatches: \d+ of \d+ compared pairs differed .*absolute/);
  assert.ok(fresh.seen.length < 260 + 700, `${fresh.seen.length - 260} wrong answers`);
  assert.equal((await ask(gateway.proxyUrl)).side, "old");
});
