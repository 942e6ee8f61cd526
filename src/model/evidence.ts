/**
 * Evidence that grows by betting: every judgement bets against "new is no worse than allowed". While that is
 * true the wealth passes c with probability at most 1/c however often it is looked at (Ville 1939), so a guard
 * may look after every answer. All wealth is kept as natural logarithms, one for each effect size of the grid.
 */

/** Effect sizes that are bet on, equally: new is so many times worse than allowed. */
export const EFFECT_SIZES: readonly number[] = [1.25, 1.5, 2, 3, 5, 10, 30, 100];
const LN_EFFECT_SIZES = EFFECT_SIZES.map(Math.log);
const LN_GRID = Math.log(EFFECT_SIZES.length);

/** The greatest rate an effect size is taken to mean: a bet on certainty is ruined by one clean answer. */
const MOST_RATE = 0.99;

/** Fresh wealth: ln 1 for each effect size. */
export function createWealth(): Float64Array {
  return new Float64Array(EFFECT_SIZES.length);
}

/** The share of failures that new may cause where it is allowed `tolerance` times old's rate; ratios 0 to 1. */
export function toleratedShare(share: number, tolerance: number): number {
  return (share * tolerance) / (1 - share + share * tolerance);
}

/**
 * Bets on who failed: `newCount` failures of new and `oldCount` of old, of requests drawn to new at `share`
 * (0 < share < 1), when new may fail up to `tolerance` times as often as old. Changes `logWealth`.
 */
export function betRelative(
  logWealth: Float64Array,
  newCount: number,
  oldCount: number,
  share: number,
  tolerance: number,
): void {
  const allowed = toleratedShare(share, tolerance);
  for (const [i, effect] of EFFECT_SIZES.entries()) {
    const gain =
      newCount * (LN_EFFECT_SIZES[i] ?? 0) - (newCount + oldCount) * Math.log1p(allowed * (effect - 1));
    logWealth[i] = (logWealth[i] ?? 0) + gain;
  }
}

/** True where a rate can be bet on: above 0, and far enough below 1 for something worse to exist. */
export function canBetOn(rate: number): boolean {
  return rate > 0 && rate < MOST_RATE;
}

/** ln of the likelihood ratio of `failed` among `answers` for one effect size against `limitRate`. */
export function absoluteGain(effect: number, failed: number, answers: number, limitRate: number): number {
  const worse = Math.min(effect * limitRate, MOST_RATE);
  return (
    failed * Math.log(worse / limitRate) + (answers - failed) * (Math.log1p(-worse) - Math.log1p(-limitRate))
  );
}

/**
 * Bets on new alone: `failed` among `answers` against the rate `limitRate`. Sound for every true rate up to the
 * limit. Does nothing where the limit cannot be bet on (0, or 0.99 and above). Changes `logWealth`.
 */
export function betAbsolute(
  logWealth: Float64Array,
  failed: number,
  answers: number,
  limitRate: number,
): void {
  if (!canBetOn(limitRate)) return;
  for (const [i, effect] of EFFECT_SIZES.entries()) {
    logWealth[i] = (logWealth[i] ?? 0) + absoluteGain(effect, failed, answers, limitRate);
  }
}

/**
 * Forgets losses: wealth below 1 becomes 1. Done once a second, so that a healthy day is no cushion for the
 * regression after it; the price is that c bounds the mean number of seconds between false alarms.
 */
export function floorWealth(logWealth: Float64Array): void {
  for (let i = 0; i < logWealth.length; i += 1) logWealth[i] = Math.max(0, logWealth[i] ?? 0);
}

/** ln E: the mean wealth over all effect sizes. */
export function lnMeanWealth(logWealth: Float64Array): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (const value of logWealth) if (value > greatest) greatest = value;
  let sum = 0;
  for (const value of logWealth) sum += Math.exp(value - greatest);
  return greatest + Math.log(sum) - LN_GRID;
}
