/** What a comparison thread is at, in memory that others can read while it is too busy to answer. */

/** Names of routes are so long at most, and ASCII (rules.md). */
const MAX_NAME_CHARS = 64;
const NAME_LENGTH = 4;
const NAME = 5;

/** A 32-bit counter of beginnings and ends, and the route of the pair that was begun last. */
export const PROGRESS_BYTES = 72;

/** What a comparison thread is given at its start. */
export interface CompareSetup {
  /** Two 32-bit counters: pairs waiting, bytes waiting. */
  readonly queue: SharedArrayBuffer;
  readonly progress: SharedArrayBuffer;
}

/** Begins a pair. */
export function noteBegun(progress: SharedArrayBuffer, route: string): void {
  const bytes = Buffer.from(progress);
  bytes[NAME_LENGTH] = bytes.write(route.slice(0, MAX_NAME_CHARS), NAME, "latin1");
  Atomics.add(new Int32Array(progress, 0, 1), 0, 1);
}

/** Ends it. */
export function noteDone(progress: SharedArrayBuffer): void {
  Atomics.add(new Int32Array(progress, 0, 1), 0, 1);
}

/** Another number for every pair that is at hand; null between two pairs. */
export function pairAtHand(progress: SharedArrayBuffer): number | null {
  const steps = Atomics.load(new Int32Array(progress, 0, 1), 0);
  return steps % 2 === 0 ? null : steps;
}

/** The route of the pair that was begun last; "" where none was. */
export function routeAtHand(progress: SharedArrayBuffer): string {
  const bytes = Buffer.from(progress);
  return bytes.toString("latin1", NAME, NAME + Math.min(bytes[NAME_LENGTH] ?? 0, MAX_NAME_CHARS));
}
