/** How fast something comes in at present: over the last one to two minutes. */

const WINDOW_MS = 60_000;
/** Less is no basis for a forecast. */
const LEAST_MS = 1_000;

export interface Pace {
  sinceMs: number;
  count: number;
  /** Of the window before this one. */
  countBefore: number;
  lengthBeforeMs: number;
}

export function createPace(nowMs: number): Pace {
  return { sinceMs: nowMs, count: 0, countBefore: 0, lengthBeforeMs: 0 };
}

export function notePace(pace: Pace, count: number, nowMs: number): void {
  const lengthMs = nowMs - pace.sinceMs;
  if (lengthMs >= WINDOW_MS) {
    pace.countBefore = pace.count;
    pace.lengthBeforeMs = lengthMs;
    pace.count = 0;
    pace.sinceMs = nowMs;
  }
  pace.count += count;
}

/** How long so many more take; null: none come at present, or nobody can tell yet. */
export function forecastMs(pace: Pace, count: number, nowMs: number): number | null {
  const lengthMs = pace.lengthBeforeMs + Math.max(0, nowMs - pace.sinceMs);
  const seen = pace.countBefore + pace.count;
  return seen === 0 || lengthMs < LEAST_MS ? null : (count * lengthMs) / seen;
}
