/**
 * How much a data thread has on its hands, and what it therefore leaves out: shadows first, then comparisons; the
 * last, that clients are refused, is the in-flight limit itself.
 */

export type Pressure = "none" | "shed-shadows" | "shed-comparisons";

/** Of the in-flight limit. */
const SHED_SHADOWS_FROM = 1 / 2;
const SHED_COMPARISONS_FROM = 3 / 4;
/** Smoothed lateness of the thread's clock tick: the time that every request waits besides. */
const LATE_MS = 250;

export function pressureOf(inFlight: number, limit: number, lateMs: number): Pressure {
  if (inFlight > limit * SHED_COMPARISONS_FROM) return "shed-comparisons";
  return inFlight > limit * SHED_SHADOWS_FROM || lateMs > LATE_MS ? "shed-shadows" : "none";
}
