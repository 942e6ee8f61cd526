/**
 * How many of new's answers may be 4xx at the whole share, where no old arm is left to compare with. What clients
 * do wrong is nobody's fault and comes in waves (a scanner, a client gone astray), so that alone it rolls back only
 * a new that answers 4xx to much of what it is asked; a rollout's step is held far below that.
 */

import { upperBound } from "./confidence.ts";
import { baselineOf, type OldRate, type RateCounts } from "./old-rate.ts";
import { lnPassAbsolute } from "./pass.ts";

/** Up to so many 4xx no rollback, however few old had: a wave of clients' faults is no regression. */
export const CLIENT_ERRORS_MAX_RATE = 0.2;
/** Up to so many a step passes, however few old had. */
const PASSING_RATE = 0.05;
/** Where old was not seen: only a new that is mostly 4xx is wrong for sure. */
const UNKNOWN_RATE = 0.5;
/** Fewer answers of old are no baseline: what its rate may be would be nearly anything. */
const LEAST_BASELINE = 50;
/** Old is of another hour than new here, and other clients do other things wrong: less would not be tolerance. */
const LEAST_RATIO = 1.5;

/** The last bound of each baseline: it is frozen while it is asked for ten times a second, and costs a search. */
const BOUNDS = new WeakMap<OldRate, RateCounts & { readonly bound: number }>();

function boundOf(old: OldRate, { answers, failed }: RateCounts): number {
  const known = BOUNDS.get(old);
  if (known?.answers === answers && known.failed === failed) return known.bound;
  const bound = upperBound(failed, answers);
  BOUNDS.set(old, { answers, failed, bound });
  return bound;
}

/** The rate that rolls back when exceeded: what old's frozen rate may be (99.99%), as often as is tolerated. */
export function trippingRate(old: OldRate, ratio: number): number {
  const { answers, failed } = baselineOf(old);
  if (answers < LEAST_BASELINE) return UNKNOWN_RATE;
  return Math.max(CLIENT_ERRORS_MAX_RATE, tolerated(boundOf(old, { answers, failed }), ratio));
}

/**
 * The rate that new must be shown to stay below for a pass; never above the one that rolls back. Old's plain rate:
 * its lower bound would hold a healthy new for ever where the ordinary few percent of 4xx were seen for a minute.
 */
export function passingRate(old: OldRate, ratio: number): number {
  const { answers, failed } = baselineOf(old);
  if (answers < LEAST_BASELINE) return UNKNOWN_RATE;
  return Math.max(PASSING_RATE, tolerated(failed / answers, ratio));
}

/**
 * ln of the passing wealth of new's 4xx among its answers, against `passingRate`. Beyond the least rate it bets on new
 * being as old was: a route whose answers are mostly 4xx on either side must be able to pass.
 */
export function lnPassAlone({ failed, answers }: RateCounts, old: OldRate, ratio: number): number {
  if (answers === 0) return 0;
  const limit = passingRate(old, ratio);
  const baseline = baselineOf(old);
  if (baseline.answers < LEAST_BASELINE || limit <= PASSING_RATE)
    return lnPassAbsolute(failed, answers, limit);
  const asOld = baseline.failed / baseline.answers;
  return failed * Math.log(asOld / limit) + (answers - failed) * (Math.log1p(-asOld) - Math.log1p(-limit));
}

/** `ratio` times as many 4xx, or the `ratio`th part of the others, whichever is less: below 1 for any rate below 1. */
function tolerated(rate: number, ratio: number): number {
  const times = Math.max(LEAST_RATIO, ratio);
  return Math.min(times * rate, 1 - (1 - rate) / times);
}
