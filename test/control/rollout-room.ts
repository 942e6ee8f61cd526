/** Rollouts and latches at work on one store, with gates and judgements that a test decides. */

import assert from "node:assert/strict";
import { type Book, Books } from "../../src/control/books.ts";
import { evidenceOfBook } from "../../src/control/evidence-snapshot.ts";
import { Latches } from "../../src/control/latches.ts";
import { LateWrites } from "../../src/control/late-writes.ts";
import { Rollouts } from "../../src/control/rollouts.ts";
import type { AuditEntry } from "../../src/model/reports.ts";
import type { GateAnswer, Judgement } from "../../src/model/rollout-state.ts";
import type { Rollout, RolloutStep, Route } from "../../src/model/ruleset.ts";
import { routeOf } from "../model/rules.ts";
import { guardOf } from "../model/traffic.ts";
import type { FakeStore } from "./fake-store.ts";

export const SECOND = 1_000;
export const PASS: Judgement = { verdict: "pass", why: "errors 0/812 new vs 13/81,234 old" };
export const HOLD: Judgement = { verdict: "hold", why: "needs 40 more answers" };

/** Bakes two seconds. */
export function step(canaryPercent: number, fields: Partial<RolloutStep> = {}): RolloutStep {
  const canaryPpm = canaryPercent * 10_000;
  const rest = { shadowPpm: 1_000_000, bakeMs: 2 * SECOND, minSamples: 0, gates: [], approve: false };
  return { canaryPpm, ...rest, ...fields };
}

export function stagedOf(steps: readonly RolloutStep[], more: Partial<Rollout> = {}): Route {
  const rollout = { start: "running", steps, gates: {}, ...more } as const;
  return routeOf({ name: "profiles", guard: guardOf(), revision: 3, rollout });
}

/** A control room; the same store again is a restart. */
export async function openRoom(store: FakeStore, routes: readonly Route[]) {
  const books = new Books(1, 0);
  const room = {
    nowMs: 0,
    iso: "2026-05-01T10:00:00.000Z",
    judge: (_book: Book): Judgement => PASS,
    gates: [] as GateAnswer[],
    /** Names that are asked at present. */
    wanted: [] as string[],
    shown: { n: 0 } as unknown,
    restored: [] as unknown[],
    newSteps: 0,
    announced: [] as AuditEntry[],
    logged: [] as string[],
    said: [] as string[],
    troubles: [] as unknown[],
  };
  const common = {
    store,
    books,
    nowMs: () => room.nowMs,
    nowIso: () => room.iso,
    announce: (entry: AuditEntry) => void room.announced.push(entry),
    log: (msg: string) => void room.logged.push(msg),
    storeFailed: (error: unknown) => void room.troubles.push(error),
  };
  const late = new LateWrites(common);
  const rollouts = new Rollouts({
    ...common,
    late,
    gates: {
      want: (_route, gates) => {
        room.wanted = Object.keys(gates);
      },
      answers: (_route, names) => room.gates.filter(({ name }) => names.includes(name)),
      refresh: async () => {},
      stop: () => {},
    },
    statistics: {
      judge: (book) => room.judge(book),
      stepChanged: () => {
        room.newSteps += 1;
      },
      shownOf: () => room.shown,
      restoreShown: (_book, shown) => void room.restored.push(shown),
      evidence: (book, summary) => evidenceOfBook(book, summary, "0123456789ab"),
    },
    isLatched: (route) => latches.of(route) !== undefined,
    say: (text) => room.said.push(text),
  });
  const latches: Latches = new Latches({ ...common, late, rollouts, rulesVersion: () => "0123456789ab" });
  await latches.restore();
  await rollouts.restore();
  const follow = async (next: readonly Route[]): Promise<void> => {
    books.follow(next, room.nowMs);
    rollouts.follow(next);
    await latches.apply(next);
  };
  await follow(routes);
  const book = (name = "profiles") => {
    const found = books.named(name);
    assert.ok(found, `no book of ${name}`);
    return found;
  };
  /** So many ticks, a second apart. */
  const ticks = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) {
      room.nowMs += SECOND;
      await rollouts.tick();
    }
  };
  /** What would be drawn to new if no latch stood, in percent. */
  const canary = (): number => book().tile.canaryPpm(-1) / 10_000;
  const standing = () => {
    const found = rollouts.of("profiles");
    assert.ok(found, "profiles has no rollout");
    return found;
  };
  const actions = (): string[] => room.announced.map(({ action, by }) => `${action} by ${by}`);
  return { room, books, late, latches, rollouts, follow, book, ticks, canary, standing, actions };
}

/** As a guard that trips. */
export const TRIP = {
  cause: "errors",
  by: "guard",
  reason: "too many errors",
  summary: "errors: 30 of 100 answers of new failed",
} as const;
