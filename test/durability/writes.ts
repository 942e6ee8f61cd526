/**
 * A fixed course of writes that has every operation that decides who serves. Run as a program
 * (`node writes.ts FOLDER COUNT`) it writes so many of them and prints a dot for each that is done.
 */

import { writeSync } from "node:fs";
import { StateDatabase } from "../../src/control/store/database.ts";
import type { NewAuditEntry, PinRecord, RolloutRecord } from "../../src/control/store-types.ts";
import { advance } from "../../src/model/rollout.ts";
import { beginRollout, type RolloutState } from "../../src/model/rollout-state.ts";
import type { RolloutStep } from "../../src/model/ruleset.ts";
import { latchRecord } from "../control/store-fixtures.ts";

const AT = "2026-05-01T10:00:00.000Z";
const ROUTE = "profiles";
const OTHERS = ["orders", "search"];

const STEPS: readonly RolloutStep[] = [0, 50_000, 1_000_000].map((canaryPpm) => ({
  canaryPpm,
  shadowPpm: 1_000_000,
  bakeMs: 600_000,
  minSamples: 50,
  gates: [],
  approve: false,
}));

type Write = (database: StateDatabase) => unknown;

/** The course, in order; always the same. */
export function writes(): readonly Write[] {
  const known = { judgement: { verdict: "pass", why: "" }, gates: [] } as const;
  let state: RolloutState = beginRollout({ start: "running", steps: STEPS, gates: {} });
  const found: Write[] = [];
  const add = (write: Write): number => found.push(write);
  const record = (route = ROUTE): RolloutRecord => ({ route, state, shown: { answers: [1, 2, 3] } });
  const move = (action: string, event: Parameters<typeof advance>[1]): void => {
    const answer = advance(state, event);
    if (answer.kind === "refused") throw new Error(`${action}: ${answer.why}`);
    state = answer.state;
    const moved = record();
    add((database) => database.moveRollout(moved, line(action)));
  };
  const keep = (routes: readonly string[]): void => {
    const kept = routes.map(record);
    add((database) => database.keepRollouts(kept));
  };
  const promote = { kind: "promote", reason: "x", toPpm: null, fromStep: null, known } as const;
  for (let cycle = 0; cycle < 2; cycle++) {
    keep([ROUTE, ...OTHERS]);
    if (!state.begun) move("resume", { kind: "resume", reason: "x" });
    for (let step = state.step; step < STEPS.length; step++) move("promote", promote);
    keep([ROUTE]);
    for (const [key, side] of [
      ["whale", "old"],
      ["acme", "new"],
      ["whale", "new"],
    ] as const) {
      const pin: PinRecord = {
        route: ROUTE,
        key,
        side,
        at: AT,
        by: "operator",
        reason: "x",
        expiresAt: null,
      };
      add((database) => database.pin(pin, line("pin")));
    }
    add((database) => database.latch(latchRecord(ROUTE, { revision: cycle }), line("rollback")));
    state = { ...state, phase: "rolled-back" };
    keep([ROUTE]);
    state = beginRollout({ start: "paused", steps: STEPS, gates: {} });
    keep([ROUTE]);
    add((database) => database.unlatch(ROUTE, line("reset")));
    add((database) => database.unpin(ROUTE, "acme", line("unpin")));
    add((database) => database.dropRollouts(OTHERS));
  }
  return found;
}

/** All that decides who serves, and the trail. */
export function everything(database: StateDatabase): string {
  const trail = database.audit({ route: null, limit: 10_000 });
  return JSON.stringify([database.latches(), database.rollouts(), database.pins(), trail]);
}

function line(action: string): NewAuditEntry {
  return { at: AT, route: ROUTE, action, by: "operator", reason: "x", from: "a", to: "b", evidence: null };
}

if (import.meta.main) {
  const database = new StateDatabase(process.argv[2] ?? "");
  for (const write of writes().slice(0, Number(process.argv[3]))) {
    write(database);
    writeSync(1, ".");
  }
  database.close();
}
