/** How great a rate may really be, given what was counted: the one-sided Clopper–Pearson bound, at 99.99% if nothing else is said. */

const DOUBT = 1e-4;

/** Lanczos coefficients, g = 7, n = 9 (Godfrey): relative error below 1e-14 for arguments from 0.5. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** ln Γ(x) for x ≥ 1, the only arguments that counts lead to. */
function lnGamma(x: number): number {
  const z = x - 1;
  let sum = LANCZOS[0] ?? 1;
  for (let i = 1; i < LANCZOS.length; i += 1) sum += (LANCZOS[i] ?? 0) / (z + i);
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

const TINY = 1e-300;
const nonZero = (value: number) => (Math.abs(value) < TINY ? TINY : value);

/** Continued fraction of the incomplete beta function by Lentz's method; for x below (a + 1)/(a + b + 2). */
function betaFraction(a: number, b: number, x: number): number {
  // Needs about √max(a, b) turns at worst; counts of one minute stay far below this bound.
  const maxTurns = 200 + 10 * Math.sqrt(Math.max(a, b));
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m <= maxTurns; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d);
    c = nonZero(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d);
    c = nonZero(1 + odd / c);
    const factor = d * c;
    result *= factor;
    if (Math.abs(factor - 1) < 1e-15) break;
  }
  return result;
}

/** Chance of at most `failed` failures in `answers` at the rate `rate`, for 0 ≤ failed < answers. */
function chanceOfAtMost(failed: number, answers: number, rate: number): number {
  if (rate <= 0) return 1;
  if (rate >= 1) return 0;
  const a = answers - failed;
  const b = failed + 1;
  const clean = 1 - rate;
  const lnFront = lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * Math.log1p(-rate) + b * Math.log(rate);
  if (clean < (a + 1) / (a + b + 2)) return (Math.exp(lnFront) * betaFraction(a, b, clean)) / a;
  return 1 - (Math.exp(lnFront) * betaFraction(b, a, rate)) / b;
}

/** True when `upperBound(failed, answers)` is at most `rate`: one evaluation instead of a search. */
export function upperBoundIsAtMost(failed: number, answers: number, rate: number): boolean {
  if (rate >= 1) return true;
  if (answers <= 0 || failed >= answers) return false;
  return chanceOfAtMost(failed, answers, rate) <= DOUBT;
}

/** The rate that the true one is below with probability at most `doubt`. Nothing counted, or no failure, is 0. */
export function lowerBound(failed: number, answers: number, doubt = DOUBT): number {
  return answers <= 0 ? 0 : 1 - upperBound(answers - failed, answers, doubt);
}

/**
 * The rate that the true one exceeds with probability at most `doubt` (0.01%), after `failed` failures among
 * `answers`. Nothing counted, or nothing but failures, is 1.
 */
export function upperBound(failed: number, answers: number, doubt = DOUBT): number {
  if (answers <= 0 || failed >= answers) return 1;
  if (failed <= 0) return -Math.expm1(Math.log(doubt) / answers);
  let low = failed / answers;
  let high = 1;
  while (high - low > 1e-16 + 1e-14 * low) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (chanceOfAtMost(failed, answers, middle) > doubt) low = middle;
    else high = middle;
  }
  return high;
}
