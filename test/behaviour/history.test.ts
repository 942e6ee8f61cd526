import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { HistoryReport } from "../../src/model/history-report.ts";
import type { Side } from "../../src/model/ruleset.ts";
import { ask } from "../support/ask.ts";
import { startBackend } from "../support/backend.ts";
import { rulesWith, TestGateway } from "../support/gateway.ts";
import { obedient } from "../support/obedient.ts";
import { until } from "../support/until.ts";

async function historyOf(gateway: TestGateway, route: string): Promise<HistoryReport> {
  const { status, body } = await gateway.admin("GET", `/api/v1/history?route=${route}&hours=1`);
  assert.equal(status, 200);
  return body as HistoryReport;
}

function requests({ points }: HistoryReport): Record<Side, number> {
  const sum = (side: Side) => points.reduce((all, point) => all + (point.requests?.[side] ?? 0), 0);
  return { old: sum("old"), new: sum("new") };
}

test("the charts go on after a restart: what was served before it is there, once, with what happened", async (t) => {
  await using old = await startBackend(obedient("x-old"));
  await using fresh = await startBackend(obedient("x-new"));
  const folder = await mkdtemp(join(tmpdir(), "cutover-history-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const rules = rulesWith(old.url, fresh.url, {
    half: "split: { new: [n], old: [o] }\nkey: [header:x-key]\nguard: { mismatches: { max: 1% } }",
    idle: "canary: 5%\nguard: off",
  });
  const send = async (gateway: TestGateway, key: string, count: number) => {
    for (let i = 0; i < count; i++)
      await ask(gateway.proxyUrl, { path: "/half/x", headers: { "x-key": key } });
  };

  const first = await TestGateway.start({ rules, folder });
  await using _ = first;
  await send(first, "o", 9);
  await send(first, "n", 4);
  await send(first, "n", 3);
  await first.act("half", "rollback", "a drill");
  await first.rollbackStored("half");
  await first.stop();

  await using second = await TestGateway.start({ rules, folder });
  await until("it is restored", async () => requests(await historyOf(second, "half")).new > 0);
  const restored = await historyOf(second, "half");
  assert.deepEqual(requests(restored), { old: 9, new: 7 });
  assert.equal(restored.points.at(-1)?.latched, true);
  await send(second, "o", 2);
  await until("it goes on", async () => requests(await historyOf(second, "half")).old >= 11);
  const after = await historyOf(second, "half");
  assert.deepEqual(requests(after), { old: 11, new: 7 });
  assert.deepEqual(after.limits, { mismatches: 0.01, errors: 0.05 });
  assert.deepEqual(
    after.markers.map(({ action, by, reason }) => [action, by, reason]),
    [["rollback", "operator", "a drill"]],
  );
  for (const [index, { at, seconds }] of after.points.entries()) {
    const next = after.points[index + 1];
    if (next !== undefined) assert.ok(Date.parse(at) + seconds * 1000 <= Date.parse(next.at) + 1);
  }
  const idle = await historyOf(second, "idle");
  assert.deepEqual(requests(idle), { old: 0, new: 0 });
  assert.deepEqual(idle.limits, { mismatches: null, errors: null });
  const denied = await fetch(`${second.adminUrl}/api/v1/history?route=half`);
  assert.equal(denied.status, 401);
  assert.equal((await second.admin("GET", "/api/v1/history?route=nobody")).status, 404);
});
