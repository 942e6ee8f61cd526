import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openStore } from "../../src/control/store/client.ts";
import { StateDatabase } from "../../src/control/store/database.ts";
import type { PinRecord, RolloutRecord } from "../../src/control/store-types.ts";
import { beginRollout } from "../../src/model/rollout-state.ts";
import { step } from "./rollout-room.ts";
import { auditEntry, latchRecord, temporaryFolder, withoutSeals } from "./store-fixtures.ts";

const STEPS = [step(5, { gates: ["lag"] }), step(100)];

function rolloutRecord(route: string, more: Partial<RolloutRecord> = {}): RolloutRecord {
  const state = beginRollout({ start: "running", steps: STEPS, gates: {} });
  return { route, state: { ...state, bakedMs: 1234.5 }, shown: { version: 1, of: [1, 2] }, ...more };
}

function pinRecord(key: string, more: Partial<PinRecord> = {}): PinRecord {
  const at = "2026-05-01T10:00:00.000Z";
  return { route: "profiles", key, side: "old", at, by: "operator", reason: "shy", expiresAt: null, ...more };
}

/** The full audit line of a promotion. */
const PROMOTION = { ...auditEntry("profiles", "promote"), evidence: latchRecord("profiles").evidence };

test("rollouts and pins read back the same after a reopen, with the evidence of their audit lines", async (context) => {
  const folder = temporaryFolder(context);
  const first = await openStore(folder);
  const moved = await first.moveRollout(rolloutRecord("profiles"), PROMOTION);
  await first.keepRollouts([rolloutRecord("orders", { shown: null }), rolloutRecord("gone")]);
  const later = rolloutRecord("orders", { state: { ...rolloutRecord("orders").state, step: 1 } });
  await first.keepRollouts([later]);
  await first.dropRollouts(["gone", "never there"]);
  await first.pin(pinRecord("acme"), auditEntry("profiles", "pin"));
  const pin = pinRecord("acme", { side: "new", expiresAt: "2026-05-02T10:00:00.000Z" });
  await first.pin(pin, auditEntry("profiles", "pin"));
  await first.pin(pinRecord("globex"), auditEntry("profiles", "pin"));
  await first.unpin("profiles", "globex", auditEntry("profiles", "unpin"));
  await first.close();

  const second = await openStore(folder);
  assert.deepEqual(second.health, { kind: "sound" });
  assert.deepEqual(await second.rollouts(), [later, rolloutRecord("profiles")]);
  assert.deepEqual(await second.pins(), [pin]);
  const trail = await second.audit({ route: "profiles", limit: 10 });
  assert.deepEqual(
    trail.map(({ action }) => action),
    ["unpin", "pin", "pin", "pin", "promote"],
  );
  assert.deepEqual(trail.at(-1), moved);
  assert.deepEqual([moved.evidence, trail[0]?.evidence], [PROMOTION.evidence, null]);
  await second.close();
});

test("the newest audit line of a kind is found, and only of that kind", async (context) => {
  const store = await openStore(temporaryFolder(context));
  const search = { route: "profiles", action: "rollback", by: "operator" } as const;
  assert.equal(await store.newestAudit(search), undefined);
  await store.append(auditEntry("profiles"));
  const wanted = await store.append(auditEntry("profiles"));
  await store.append({ ...auditEntry("profiles"), by: "guard" });
  await store.append(auditEntry("orders"));
  await store.append(auditEntry("profiles", "reset"));
  assert.deepEqual(await store.newestAudit(search), wanted);
  await store.close();
});

const FLIPS: Readonly<Record<string, string>> = {
  "another route": "UPDATE rollouts SET route = 'profilez'",
  "another share": "UPDATE rollouts SET state_json = replace(state_json, '50000', '90000')",
  "other evidence": "UPDATE rollouts SET shown_json = '{}'",
  "a state that is none": "UPDATE rollouts SET state_json = '{}'",
  "a pin of another side": "UPDATE pins SET side = 'new'",
  "a pin of another key": "UPDATE pins SET key = 'acma'",
  "a pin with another end": "UPDATE pins SET expires_at = '2036-05-01T10:00:00.000Z'",
  "evidence that is not JSON": "UPDATE audit SET evidence_json = 'x' WHERE evidence_json IS NOT NULL",
};

for (const [what, sql] of Object.entries(FLIPS)) {
  test(`a store is damaged that holds ${what}`, async (context) => {
    const folder = temporaryFolder(context);
    const store = new StateDatabase(folder);
    store.moveRollout(rolloutRecord("profiles"), PROMOTION);
    store.pin(pinRecord("acme"), auditEntry("profiles", "pin"));
    store.close();
    const database = new DatabaseSync(join(folder, "state.db"));
    database.exec(sql);
    database.close();
    const again = await openStore(folder);
    assert.equal(again.health.kind, "damaged");
    assert.match(
      "why" in again.health ? again.health.why : "",
      /: a row of its table \w+ does not parse \(\w/,
    );
    assert.deepEqual([await again.rollouts(), await again.pins()], [[], []]);
    await assert.rejects(
      again.moveRollout(rolloutRecord("profiles"), PROMOTION),
      /the rollout stays where it is/,
    );
    await again.close();
  });
}

test("texts that are no UTF-8 do not damage the store", async (context) => {
  const folder = temporaryFolder(context);
  const first = await openStore(folder);
  await first.moveRollout(rolloutRecord("a\ud800"), PROMOTION);
  await first.pin(pinRecord("k\ud800"), auditEntry("profiles", "pin"));
  await first.unpin("profiles", "k\ud800", auditEntry("profiles", "unpin"));
  await first.close();
  const second = await openStore(folder);
  assert.deepEqual([second.health, await second.pins()], [{ kind: "sound" }, []]);
  await second.close();
});

test("a state folder of before rollouts is taken over: its audit lines have no evidence", async (context) => {
  const folder = temporaryFolder(context);
  const store = new StateDatabase(folder);
  store.latch(latchRecord("profiles"), auditEntry("profiles"));
  store.close();
  const database = new DatabaseSync(join(folder, "state.db"));
  withoutSeals(database, [latchRecord("profiles")]);
  database.exec(
    "DROP TABLE history; DROP TABLE rollouts; DROP TABLE pins; ALTER TABLE audit DROP COLUMN evidence_json; PRAGMA user_version = 2",
  );
  database.close();
  const again = await openStore(folder);
  assert.deepEqual(again.health, { kind: "sound" });
  assert.deepEqual(
    [await again.latches(), await again.rollouts(), await again.pins()],
    [[latchRecord("profiles")], [], []],
  );
  assert.equal((await again.audit({ route: null, limit: 1 }))[0]?.evidence, null);
  await again.moveRollout(rolloutRecord("profiles"), PROMOTION);
  await again.close();
  const third = await openStore(folder);
  assert.deepEqual(third.health, { kind: "sound" });
  await third.close();
});
