/** What an injected fault cannot show, and why a factor is not found: sentences for people. */

import type { Route } from "../model/ruleset.ts";
import { type Factor, totalRateOf } from "./factor.ts";
import type { Fault } from "./fault.ts";
import type { RouteTape } from "./intake.ts";
import type { SimulatedDetection } from "./report.ts";

/** Of faults that nothing on this route can come of; `isTimed`: the log has durations. */
export function faultNotes({ route, tape }: RouteTape, isTimed: boolean, faults: readonly Fault[]): string[] {
  if (tape.requests === 0 || route.new === null || route.guard === null) return []; // said already
  const notes = faults.flatMap((fault) => {
    const why = whyIdle(route, fault, isTimed);
    return why === null ? [] : [`--inject ${nameOf(fault)} shows nothing here: ${why}`];
  });
  return [...new Set(notes)];
}

function whyIdle(route: Route, { metric }: Fault, isTimed: boolean): string | null {
  const { guard, rollout, shadow, compare } = route;
  switch (metric) {
    case "slow":
      if (guard?.latency == null) return "latency is not guarded (guard.latency is not written)";
      return isTimed ? null : "the log has no durations, so nobody knows what is slow";
    case "mismatches": {
      const isShadowed = rollout?.steps.some(({ shadowPpm }) => shadowPpm > 0) ?? shadow.sharePpm > 0;
      if (compare === null || !isShadowed) return "nothing of this route is shadowed and compared";
      return guard?.mismatches == null
        ? "mismatches are not guarded (guard.mismatches is not written)"
        : null;
    }
    case "client-errors":
      return guard?.errors == null ? "4xx are not guarded (guard.errors is off)" : null;
    case "errors":
      return guard?.errors == null && guard?.killSwitch == null
        ? "errors are not guarded (guard.errors and guard.killSwitch are off)"
        : null;
  }
}

/** Where the rules allow what a factor makes, or part of it: that it is not found is then no accident. */
export function detectionNotes(
  { route, tape }: RouteTape,
  factors: readonly Factor[],
  detection: readonly SimulatedDetection[],
): string[] {
  const errors = route.guard?.errors;
  if (errors == null) return [];
  return factors.flatMap((factor, index) => {
    const row = detection[index];
    const rate = totalRateOf(factor, tape);
    if (row === undefined || row.runs === 0 || row.detected === row.runs) return [];
    if (rate > errors.maxRate) return [];
    const own = tape.errors / Math.max(1, tape.requests);
    const limits = `${wordsOf(factor, own, rate)}, not above guard.errors.max (${percentOf(errors.maxRate)})`;
    return own > 0 && rate <= own * errors.ratio
      ? [`${limits} nor guard.errors.ratio (${errors.ratio}): the rules allow it`]
      : [`${limits}: only guard.errors.ratio can find it, and only while old serves at the same time`];
  });
}

/** "10 times 0.4% is 4%", "3% of new's answers" */
function wordsOf(factor: Factor, own: number, rate: number): string {
  return factor.kind === "times"
    ? `${factor.times} times ${percentOf(own)} is ${percentOf(rate)}`
    : `${factor.text} is, with old's own errors, ${percentOf(rate)}`;
}

/** As it is written: "new.errors". */
export function nameOf({ side, metric }: Fault): string {
  return `${side}.${metric}`;
}

/** In three digits at most. */
export function percentOf(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(3))}%`;
}

/** "1 request", "12,345 requests"; without a noun the number alone. */
export function amount(count: number, noun?: string): string {
  const number = count.toLocaleString("en-US");
  return noun === undefined ? number : `${number} ${noun}${count === 1 ? "" : "s"}`;
}
