/** What the tables of routes say of a route, cell by cell. */

import { formatCount } from "../model/figures.ts";
import type { RouteStatus } from "../model/reports.ts";
import { shortDuration } from "../model/rollout-state.ts";
import { comparedPairs } from "../model/seen.ts";
import { withoutCause } from "../model/trip-words.ts";
import { formatMs, type Style } from "./output.ts";

/** Take room only where a route has a rollout. */
export const ROLLOUT_HEADS: readonly string[] = ["step\nnow / last", "baked"];

/** Counted from 0, as everywhere. */
export function stepOfLast({ step, steps }: RouteStatus): string {
  return step === null || steps === null ? "–" : `${step} / ${steps - 1}`;
}

export function bakedShare({ state, bake }: RouteStatus): string {
  if (bake === null || state === "completed" || state === "rolled-back") return "–";
  return `${Math.floor(bakeRatio(bake) * 100)}%`;
}

function bakeRatio({ doneSeconds, ofSeconds }: NonNullable<RouteStatus["bake"]>): number {
  return ofSeconds > 0 ? Math.min(doneSeconds / ofSeconds, 1) : 1;
}

/** "12 min of 30 min (40%)" */
export function bakeWords(bake: NonNullable<RouteStatus["bake"]>): string {
  const { doneSeconds, ofSeconds } = bake;
  if (ofSeconds <= 0) return "no time asked for";
  const done = Math.min(doneSeconds, ofSeconds);
  // Rounded down: nothing has baked longer than it has.
  const whole = done < 120 ? Math.floor(done) : Math.floor(done / 60) * 60;
  return `${shortDuration(whole * 1000)} of ${shortDuration(ofSeconds * 1000)} (${Math.floor(bakeRatio(bake) * 100)}%)`;
}

export function pair(counts: { readonly old: number; readonly new: number }): string {
  return `${formatCount(counts.old)} / ${formatCount(counts.new)}`;
}

export function p99(route: RouteStatus): string {
  const { old, new: fresh } = route.latencyMs;
  if (old === null && fresh === null) return "–";
  return `${old === null ? "–" : formatMs(old.p99)} / ${fresh === null ? "–" : formatMs(fresh.p99)}`;
}

export function mismatches(route: RouteStatus): string {
  const compared = comparedPairs(route.comparisons);
  return compared === 0 ? "–" : `${formatCount(route.comparisons.mismatch)} of ${formatCount(compared)}`;
}

/** The strongest evidence against new, on the scale where 1 trips. */
export function evidence(route: RouteStatus): string {
  const values = Object.values(route.evidence);
  return values.length === 0 ? "–" : Math.max(...values).toFixed(2);
}

export function story(route: RouteStatus): string {
  // That the shares are static and how the evidence stands is no news here: `status ROUTE` says it in full.
  if (route.rollback === null) return route.waitingFor.startsWith("nothing") ? "–" : route.waitingFor;
  const { cause, by, evidence: then, reason } = route.rollback;
  return `${cause} (by ${by}): ${withoutCause(cause, then.summary || reason)}`;
}

/** The same where a table has no room for its column of mismatches, and some pairs differ. */
export function storyWithMismatches(route: RouteStatus): string {
  const { mismatch } = route.comparisons;
  const told = story(route);
  if (mismatch === 0) return told;
  const words = `${mismatches(route)} pairs ${mismatch === 1 ? "differs" : "differ"}`;
  return told === "–" ? words : `${words}; ${told}`;
}

/** Rolled-back rows are unmistakable, and say so in words too. */
export function rowStyle(route: RouteStatus): Style | null {
  if (route.latched || route.state === "rolled-back") return "red";
  return route.state === "paused" ? "yellow" : null;
}
