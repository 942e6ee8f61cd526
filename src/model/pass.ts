/**
 * When a step has shown enough: bets the other way round, against "new is worse than allowed". A passing wealth
 * of 1/β means that a new that is worse gets this far with probability at most β, however often it is looked at.
 *
 * Two forms. Relative: failures of both sides at one moment, against a new that fails `margin` times as often as
 * old. Absolute: new's failures among its answers, against a rate. Failures that are rare on both sides never
 * say enough for the first; the second counts only while the first does not lean towards "worse".
 */

import { betRelative, createWealth, lnMeanWealth } from "./evidence.ts";

/** β: a new that is worse than allowed passes a step by either form with at most this probability. */
const PASS_ERROR = 0.01;
export const LN_PASS = Math.log(1 / PASS_ERROR);

/** Where new has failed, bets on these parts of the limit, equally. */
const PARTS: readonly number[] = [1 / 8, 1 / 4, 1 / 2];
const LN_PARTS = Math.log(PARTS.length);
/** Ten to one that new is worse is no moment to call few failures good enough. */
const LN_LEANING = Math.log(10);

/** What one metric has shown since the step began. */
export interface PassAccount {
  /** ln of the relative wealth. */
  lnRelative: number;
  /** Wealth of the bets on "new is worse", never floored. */
  readonly logWorse: Float64Array;
  failed: number;
  answers: number;
  /** Failures of old with a key that have counted in the relative form. */
  keyedOld: number;
  /** So many more of them do not count: after a restart they are taken to be of the keys that had counted before. */
  skippedOld: number;
}

export function createPassAccount(): PassAccount {
  return { lnRelative: 0, logWorse: createWealth(), failed: 0, answers: 0, keyedOld: 0, skippedOld: 0 };
}

/**
 * One failure of either side, the first of its key (`hasKey`) in this step, of requests drawn to new at `share`
 * (0 < share < 1). Which keys have counted is not known over a restart, and of old's failures each is good for new:
 * as many as had counted are left out, so that no number of restarts adds up to a pass.
 */
export function passFailure(
  account: PassAccount,
  isNew: boolean,
  hasKey: boolean,
  share: number,
  margin: number,
): void {
  if (!isNew && hasKey) {
    if (account.skippedOld > 0) {
      account.skippedOld -= 1;
      return;
    }
    account.keyedOld += 1;
  }
  passRelative(account, isNew, share, margin);
}

/** One failure of either side, of requests drawn to new at `share` (0 < share < 1). */
export function passRelative(account: PassAccount, isNew: boolean, share: number, margin: number): void {
  account.lnRelative += lnPassRelative(isNew ? 1 : 0, isNew ? 0 : 1, share, margin);
  betRelative(account.logWorse, isNew ? 1 : 0, isNew ? 0 : 1, share, 1);
}

/** ln ∏ P₁(X) ∕ P_m(X) for `newCount` failures of new and `oldCount` of old. */
export function lnPassRelative(newCount: number, oldCount: number, share: number, margin: number): number {
  const spread = Math.log(1 - share + share * margin);
  return newCount * (spread - Math.log(margin)) + oldCount * spread;
}

/** All answers of new, and the failed among them, repeats of a key too. */
export function passAbsolute(account: PassAccount, answers: number, failed: number): void {
  account.answers += answers;
  account.failed += failed;
}

/**
 * ln of the wealth against `limitRate` (0 < limitRate < 1): without a failure of the bet on "none", so that
 * ln(1∕β) ∕ −ln(1 − limitRate) clean answers pass; with failures the mean of bets on lower rates.
 */
export function lnPassAbsolute(failed: number, answers: number, limitRate: number): number {
  if (failed === 0) return -answers * Math.log1p(-limitRate);
  const gains = PARTS.map(
    (part) =>
      failed * Math.log(part) + (answers - failed) * (Math.log1p(-part * limitRate) - Math.log1p(-limitRate)),
  );
  const greatest = Math.max(...gains);
  return greatest + Math.log(gains.reduce((sum, gain) => sum + Math.exp(gain - greatest), 0)) - LN_PARTS;
}

/** Whether what was seen since the step began leans towards "new is worse", ten to one or more. */
export function leansToWorse({ logWorse }: PassAccount): boolean {
  return lnMeanWealth(logWorse) >= LN_LEANING;
}

/** A metric's passing evidence, ln E′ ∕ ln(1∕β) and never below 0: 1 passes. `limitRate` null: relative alone. */
export function passEvidence(account: PassAccount, limitRate: number | null): number {
  const relative = account.lnRelative;
  const absolute =
    limitRate === null || leansToWorse(account)
      ? Number.NEGATIVE_INFINITY
      : lnPassAbsolute(account.failed, account.answers, limitRate);
  return Math.max(0, Math.max(relative, absolute) / LN_PASS);
}

/** About how many more answers without a failure the absolute form needs; 0: none. */
export function answersToPass({ failed, answers }: PassAccount, limitRate: number): number {
  if (lnPassAbsolute(failed, answers, limitRate) >= LN_PASS) return 0;
  let more = 1;
  while (lnPassAbsolute(failed, answers + more, limitRate) < LN_PASS && more < 2 ** 40) more *= 2;
  let fewer = Math.floor(more / 2);
  while (more - fewer > 1) {
    const middle = Math.floor((more + fewer) / 2);
    if (lnPassAbsolute(failed, answers + middle, limitRate) >= LN_PASS) more = middle;
    else fewer = middle;
  }
  return more;
}
