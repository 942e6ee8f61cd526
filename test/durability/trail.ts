/** The audit trail read as a course of events: what it allows new to serve at a moment, and whether it hangs together. */

import type { AuditEntry } from "../../src/model/reports.ts";

/** Where a route's rollout is. `canary` is the share of its step, 0 to 1; nothing of it acts while it is rolled back. */
export interface Place {
  readonly phase: "paused" | "baking" | "completed" | "rolled-back";
  readonly begun: boolean;
  readonly step: number;
  readonly canary: number;
}

/** A line of the trail and where the route has been since. */
export interface Mark {
  readonly entry: AuditEntry;
  readonly atMs: number;
  readonly place: Place;
}

const MOVES = ["promote", "pause", "resume", "completed"];

/** The marks of one route, oldest first; `entries` are all of the trail, oldest first. */
export function marksOf(entries: readonly AuditEntry[], route: string, start: Place): Mark[] {
  const marks: Mark[] = [];
  let place = start;
  for (const entry of entries) {
    if (entry.route !== route) continue;
    const next = placeAfter(place, entry);
    if (next === null) continue;
    place = next;
    marks.push({ entry, atMs: Date.parse(entry.at), place });
  }
  return marks;
}

/** Null: the line is not about where the rollout is. */
function placeAfter(before: Place, { action, to }: AuditEntry): Place | null {
  switch (action) {
    case "promote":
    case "resume":
      return { ...placeOf(to), phase: "baking" };
    case "pause":
      return { ...placeOf(to), phase: "paused" };
    case "completed":
      return { phase: "completed", begun: true, step: before.step, canary: placeOf(to).canary };
    case "rollback":
      return { ...before, phase: "rolled-back" };
    case "reset":
      return { phase: "paused", begun: false, step: 0, canary: 0 };
    default:
      return null;
  }
}

/** Of "step 2 (canary 5%, shadow 100%)" and the like. */
function placeOf(text: string | null): Place {
  if (text === "not begun") return { phase: "paused", begun: false, step: 0, canary: 0 };
  const found = /^(before )?(?:step (\d+)|completed) \(canary ([\d.e-]+)%/.exec(text ?? "");
  if (found === null) throw new Error(`the trail says ${JSON.stringify(text)}, which is no place`);
  const [, before, step = "0", percent] = found;
  return {
    phase: "paused",
    begun: before === undefined,
    step: Number(step),
    canary: Math.round(Number(percent) * 10_000) / 1_000_000,
  };
}

/** Lines that do not follow from the one before: a step that was lost, or gone twice. */
export function breaksIn(marks: readonly Mark[], start: Place): string[] {
  const breaks: string[] = [];
  let before = start;
  for (const { entry, place } of marks) {
    const words = `audit ${entry.id} (${entry.action} ${entry.from} → ${entry.to}, ${entry.by}: ${entry.reason})`;
    if (MOVES.includes(entry.action)) {
      const from = placeOf(entry.from);
      if (before.phase === "rolled-back") breaks.push(`${words} while rolled back`);
      if (!isSamePlace(from, before)) {
        breaks.push(`${words} comes from another place than ${describe(before)}`);
      }
      if (place.step > before.step + 1 && entry.by === "rollout") breaks.push(`${words} skips a step`);
      if (place.step < before.step) breaks.push(`${words} goes back`);
    }
    if (entry.action === "reset" && before.phase !== "rolled-back") {
      breaks.push(`${words} without a rollback before it`);
    }
    before = place;
  }
  return breaks;
}

/** Steps that were left by themselves before they had baked. Downtime only makes the sum greater. */
export function hasteIn(marks: readonly Mark[], bakesMs: readonly number[]): string[] {
  const found: string[] = [];
  let bakedMs = 0;
  for (const [index, { entry, atMs, place }] of marks.entries()) {
    const before = marks[index - 1];
    if (before?.place.phase === "baking") bakedMs += atMs - before.atMs;
    const bakeMs = bakesMs[before?.place.step ?? 0] ?? 0;
    const isLeaving = entry.action === "promote" || entry.action === "completed";
    if (before !== undefined && isLeaving && entry.by === "rollout" && bakedMs < bakeMs - 1) {
      found.push(`audit ${entry.id} (${entry.from} → ${entry.to}) after ${bakedMs} ms of ${bakeMs} ms`);
    }
    if (!isSamePlace(before?.place, place)) bakedMs = 0;
  }
  return found;
}

function isSamePlace(a: Place | undefined, b: Place): boolean {
  return a !== undefined && a.begun === b.begun && a.step === b.step && a.canary === b.canary;
}

/** Whether the trail lets new serve a key with this bucket (0 to 1) at some moment from `startMs` to `endMs`. */
export function mayServe(
  marks: readonly Mark[],
  bucket: number,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
): boolean {
  return marks.some(({ atMs, place }, index) => {
    if (place.phase === "rolled-back" || place.canary <= bucket || atMs > endMs) return false;
    // A rollback is noted after it has acted: whatever begins later is old's. Everything else only raises a share.
    const over = marks
      .slice(index + 1)
      .find(({ place: next }) => next.canary <= bucket || next.phase === "rolled-back");
    return over === undefined || over.atMs >= startMs;
  });
}

export function describe({ phase, begun, step, canary }: Place): string {
  return `${phase}, ${begun ? "" : "before "}step ${step}, canary ${canary}`;
}
