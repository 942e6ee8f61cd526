import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { StateDatabase } from "../../src/control/store/database.ts";
import { inspect } from "../../src/control/store/inspect.ts";
import type { PinRecord, RolloutRecord } from "../../src/control/store-types.ts";
import { beginRollout } from "../../src/model/rollout-state.ts";
import { auditEntry, latchRecord, temporaryFolder } from "../control/store-fixtures.ts";
import { drawsOf } from "./draws.ts";

const FLIPS = 400;
const AT = "2026-05-01T10:00:00.000Z";

const STEPS = [0, 50_000, 250_000, 1_000_000].map((canaryPpm) => ({
  canaryPpm,
  shadowPpm: 1_000_000,
  bakeMs: 600_000,
  minSamples: 50,
  gates: canaryPpm === 250_000 ? ["backfill-done"] : [],
  approve: canaryPpm === 1_000_000,
}));

function rollout(route: string, step: number): RolloutRecord {
  const begun = beginRollout({ start: "running", steps: STEPS, gates: {} });
  const shares = { canaryPpm: STEPS[step]?.canaryPpm ?? 0, shadowPpm: 1_000_000 };
  return { route, state: { ...begun, step, shares, bakedMs: 1_234 }, shown: { answers: [1, 2, 3] } };
}

function pin(key: string, side: PinRecord["side"]): PinRecord {
  return { route: "r1", key, side, at: AT, by: "operator", reason: "because", expiresAt: null };
}

/** A closed store with a latch, rollouts and pins; the path of its database. */
function store(folder: string): string {
  const database = new StateDatabase(folder);
  database.latch(latchRecord("r0"), auditEntry("r0"));
  for (let step = 0; step < STEPS.length; step++) {
    database.moveRollout(rollout(`r${step}`, step), auditEntry(`r${step}`, "promote"));
  }
  for (const key of ["whale", "acme", "globex"]) database.pin(pin(key, "old"), auditEntry("r1", "pin"));
  database.pin(pin("tester", "new"), auditEntry("r1", "pin"));
  database.close();
  return join(folder, "state.db");
}

/** What decides who serves, and the trail. Undefined: the store says that it is not to be trusted. */
function decisive(folder: string): unknown {
  const database = new StateDatabase(folder);
  try {
    if (database.health.kind !== "sound") return undefined;
    const trail = database.audit({ route: null, limit: 100 });
    return [database.latches(), database.rollouts(), database.pins(), trail];
  } finally {
    database.close();
  }
}

test("a flipped bit anywhere in the database is damage, or changes nothing of who serves and why", (t) => {
  const seed = Date.now() % 1_000_000;
  t.diagnostic(`seed ${seed}`);
  const draws = drawsOf(seed);
  const [whole, victim] = [temporaryFolder(t), temporaryFolder(t)];
  const path = store(whole);
  const before = decisive(whole);
  assert.notEqual(before, undefined);
  const bytes = readFileSync(path);
  const copy = join(victim, "state.db");
  let noticed = 0;
  for (let flip = 0; flip < FLIPS; flip++) {
    const at = draws.from(0, bytes.length - 1);
    const bit = 1 << draws.from(0, 7);
    const harmed = Buffer.from(bytes);
    harmed[at] = (harmed[at] ?? 0) ^ bit;
    for (const suffix of ["-wal", "-shm"]) rmSync(`${copy}${suffix}`, { force: true });
    writeFileSync(copy, harmed);
    if (inspect(copy).kind !== "sound") {
      noticed += 1;
      continue;
    }
    const after = decisive(victim);
    if (after === undefined) noticed += 1;
    else assert.deepEqual(after, before, `bit ${bit} of byte ${at} (seed ${seed}) went unnoticed`);
  }
  assert.ok(noticed > 0);
});

const EDITS: Readonly<Record<string, string>> = {
  "a greater share": "UPDATE rollouts SET state_json = replace(state_json, '50000', '90000')",
  "another route's rollout": "UPDATE rollouts SET route = 'r9' WHERE route = 'r1'",
  "a pin to the other side": "UPDATE pins SET side = 'new' WHERE key = 'whale'",
  "another key": "UPDATE pins SET key = 'whalf' WHERE key = 'whale'",
  "a pin that ends sooner": `UPDATE pins SET expires_at = '${AT}'`,
  "a state that is none": "UPDATE rollouts SET state_json = '{}'",
  "a checksum": "UPDATE pins SET sha256 = 'x'",
  "a pin that is gone": "DELETE FROM pins WHERE key = 'whale'",
  "an audit line that is gone": "DELETE FROM audit WHERE id = 2",
};

for (const [what, sql] of Object.entries(EDITS)) {
  test(`${what}, by hand or by a bad disk, is damage: everything on old`, (t) => {
    const folder = temporaryFolder(t);
    const database = new DatabaseSync(store(folder));
    database.exec(sql);
    database.close();
    assert.equal(decisive(folder), undefined);
  });
}
