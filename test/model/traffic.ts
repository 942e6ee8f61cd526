/** Made-up traffic for the guard's tests and measurements: seeded, so that every run is the same run. */

import type { Batch, FailureEvent } from "../../src/model/detector.ts";
import type { Guard, Side } from "../../src/model/ruleset.ts";
import { WHOLE_PPM } from "../../src/model/ruleset.ts";

export type Random = () => number;

/** Mulberry32: uniform in [0, 1). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Trials up to and with the first success. */
export function geometric(random: Random, chance: number): number {
  if (chance >= 1) return 1;
  return 1 + Math.floor(Math.log1p(-random()) / Math.log1p(-chance));
}

/** Successes in `trials`, by skipping from one to the next. */
export function binomial(random: Random, trials: number, chance: number): number {
  if (chance <= 0) return 0;
  if (chance >= 1) return trials;
  let successes = 0;
  for (let at = geometric(random, chance); at <= trials; at += geometric(random, chance)) successes += 1;
  return successes;
}

export const SECONDS_IN_90_DAYS = 90 * 86_400;

/** The built-in guard, changed where a test needs it. */
export function guardOf(changes: Partial<Guard> = {}): Guard {
  return {
    errors: { maxRate: 0.05, ratio: 2 },
    clientErrors: "all",
    latency: null,
    mismatches: null,
    minSamples: 50,
    killSwitch: 5,
    falseAlarmSeconds: SECONDS_IN_90_DAYS,
    ...changes,
  };
}

/** A guard whose relative error test has the whole budget of 1 in 90 days and whose absolute test never bets. */
export function relativeOnly(ratio: number): Guard {
  return guardOf({ errors: { maxRate: 1, ratio }, falseAlarmSeconds: SECONDS_IN_90_DAYS / 3 });
}

export function batchOf(changes: Partial<Batch> = {}): Batch {
  return {
    sharePpm: 50_000,
    cleanNew: 0,
    fastNew: 0,
    events: [],
    old: { answers: 0, errors: 0 },
    comparisons: { match: 0, mismatchUnits: [] },
    ...changes,
  };
}

export function failure(side: Side, changes: Partial<FailureEvent> = {}): FailureEvent {
  return { kind: "error", side, rhoPpm: 50_000, unit: null, ...changes };
}

export interface Flow {
  /** Requests in the batch, both sides together. */
  readonly requests: number;
  readonly share: number;
  readonly oldFails: number;
  readonly newFails: number;
  /** True: the sides are decided by lists, not by the draw. */
  readonly listed?: boolean;
}

/** One batch of keyless traffic, its failures in random order. */
export function flow(random: Random, { requests, share, oldFails, newFails, listed }: Flow): Batch {
  const toNew = binomial(random, requests, share);
  const failedNew = binomial(random, toNew, newFails);
  const failedOld = binomial(random, requests - toNew, oldFails);
  const sharePpm = listed === true ? 0 : Math.round(share * WHOLE_PPM);
  const events: FailureEvent[] = [];
  for (let leftNew = failedNew, leftOld = failedOld; leftNew + leftOld > 0; ) {
    const isNew = random() * (leftNew + leftOld) < leftNew;
    if (isNew) leftNew -= 1;
    else leftOld -= 1;
    events.push(failure(isNew ? "new" : "old", { rhoPpm: sharePpm }));
  }
  return batchOf({
    sharePpm,
    cleanNew: toNew - failedNew,
    events,
    old: { answers: requests - toNew, errors: failedOld },
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
