/** What the audit trail of a route says of its rollout: moves, pauses, rollbacks, in the order of time. */

import { instantMs } from "./report-words.ts";
import type { AuditEntry } from "./reports.ts";

/** From one place to the next, or to the end. */
export interface Move {
  readonly entry: AuditEntry;
  /** Time in the place that was left, pauses among it; null: not known. */
  readonly spentMs: number | null;
  readonly pausedMs: number;
}

export interface Pause {
  readonly entry: AuditEntry;
  /** What ended it; null: it still lasts. */
  readonly end: AuditEntry | null;
  readonly durationMs: number | null;
}

export interface Rollback {
  readonly entry: AuditEntry;
  /** False: nothing of the rollout was before it, as where the route had none then. */
  readonly isOfRollout: boolean;
  /** Null: still latched. */
  readonly reset: AuditEntry | null;
}

export interface Trail {
  /** Oldest first. */
  readonly entries: readonly AuditEntry[];
  readonly moves: readonly Move[];
  readonly pauses: readonly Pause[];
  readonly rollbacks: readonly Rollback[];
}

/** Reads the entries of one route, which may come in any order. */
export function readTrail(unordered: readonly AuditEntry[]): Trail {
  const entries = unordered.toSorted((a, b) => a.id - b.id);
  const moves: Move[] = [];
  const pauses: Pause[] = [];
  const rollbacks: Rollback[] = [];
  let entered: AuditEntry | null = null;
  let pausedMs = 0;
  let pause: AuditEntry | null = null;
  /** Of the pause that lasts, as much as is in the present place. */
  let pausedSince: AuditEntry | null = null;
  let hasRollout = false;
  for (const entry of entries) {
    const { action } = entry;
    hasRollout ||= OF_ROLLOUT.has(action);
    if (pause !== null && ENDS_PAUSE.has(action)) {
      pauses.push({ entry: pause, end: entry, durationMs: between(pause, entry) });
      pausedMs += between(pausedSince ?? pause, entry) ?? 0;
      pause = null;
    }
    if (isMove(entry)) {
      // An edit of the rules may move what is paused already: that pause goes on in the new place.
      if (pause !== null) pausedMs += between(pausedSince ?? pause, entry) ?? 0;
      if (action === "pause") pausedSince = entry;
      moves.push({ entry, spentMs: entered === null ? null : between(entered, entry), pausedMs });
      [entered, pausedMs] = [action === "reload" ? null : entry, 0];
    }
    if (action === "pause" && pause === null) [pause, pausedSince] = [entry, entry];
    // A repeated rollback of a latched route is an entry of its own, and still the one latch.
    if (action === "rollback") {
      rollbacks.push({ entry, isOfRollout: hasRollout || stepNumber(entry.from) !== null, reset: null });
      [entered, pausedMs] = [null, 0];
    }
    if (action === "reset") endRollbacks(rollbacks, entry);
  }
  if (pause !== null) pauses.push({ entry: pause, end: null, durationMs: null });
  return { entries, moves, pauses, rollbacks };
}

const OF_ROLLOUT: ReadonlySet<string> = new Set(["promote", "pause", "resume", "completed"]);
const ENDS_PAUSE: ReadonlySet<string> = new Set([
  "resume",
  "promote",
  "rollback",
  "completed",
  "reset",
  "reload",
]);

/**
 * A pause and what ends it stay in their place; a resume that begins the rollout and an edit of the rules do not. A
 * reload that is of a route has dropped its rollout.
 */
function isMove({ action, from, to }: AuditEntry): boolean {
  if (action === "promote" || action === "completed") return true;
  if (action === "reload") return from !== to;
  return (action === "resume" || action === "pause") && from !== to;
}

function endRollbacks(rollbacks: Rollback[], reset: AuditEntry): void {
  for (const [index, rollback] of rollbacks.entries()) {
    if (rollback.reset === null) rollbacks[index] = { ...rollback, reset };
  }
}

/** Null where the clock was set back, or a time cannot be read. */
function between(from: AuditEntry, to: AuditEntry): number | null {
  const [fromMs, toMs] = [instantMs(from.at), instantMs(to.at)];
  return fromMs === null || toMs === null || toMs < fromMs ? null : toMs - fromMs;
}

/** The number of the step in "step 2 (canary 5%, …)"; -1 before the first; null: no step. */
export function stepNumber(place: string | null): number | null {
  if (place?.startsWith("before step 0") === true) return -1;
  const digits = /^step (\d{1,6})\b/.exec(place ?? "")?.[1];
  return digits === undefined ? null : Number(digits);
}
