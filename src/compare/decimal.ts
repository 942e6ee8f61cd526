/** Decimal texts of numbers, compared and subtracted without losing a digit. */

/** Decimal texts of so many significant digits survive a double (IEEE 754: DBL_DIG). */
const SAFE_DIGITS = 15;
/** Within ±10^290 so many digits are safe; beyond, doubles run out of range or of digits. */
const SAFE_EXPONENT = 290;

/** Sums over more digits than these are not computed: 1e999999 − 1 has a million. */
const MAX_SPAN_DIGITS = 1000;

export interface Decimal {
  readonly negative: boolean;
  /** Without zeros at either end; "" is zero. The value is 0.digits × 10^exponent. */
  readonly digits: string;
  readonly exponent: number;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** The value of a number's text; null where it is not one. */
export function decimalOf(source: string): Decimal | null {
  const parts = NUMBER.exec(source);
  if (parts === null) return null;
  const all = (parts[2] ?? "") + (parts[3] ?? "");
  // Loops and no regular expression: /0+$/ takes quadratic time on megabytes of zeros.
  let start = 0;
  while (start < all.length && all.charCodeAt(start) === 0x30) start++;
  let end = all.length;
  while (end > start && all.charCodeAt(end - 1) === 0x30) end--;
  const exponent = Number(parts[4] ?? "0") + (parts[2] ?? "").length - start;
  return { negative: parts[1] === "-", digits: all.slice(start, end), exponent };
}

/** Whether a double may not hold the number of this text. */
export function isLongNumber(source: string): boolean {
  if (source.length <= SAFE_DIGITS && !/[eE]/.test(source)) return false;
  const decimal = decimalOf(source);
  return decimal !== null && !isSafe(decimal);
}

export function isSafe(decimal: Decimal): boolean {
  if (decimal.digits === "") return true;
  return decimal.digits.length <= SAFE_DIGITS && Math.abs(decimal.exponent) <= SAFE_EXPONENT;
}

/** The same text for the same value: 1.0, 1, 10e-1. */
export function exactText(source: string): string {
  const decimal = decimalOf(source);
  // Exponents beyond exact integers are compared as they are written.
  if (decimal === null || !Number.isSafeInteger(decimal.exponent)) return source;
  return decimalText(decimal);
}

/** The same text for the same value; its exponent must be a safe integer. */
export function decimalText(decimal: Decimal): string {
  if (decimal.digits === "") return "0";
  return `${decimal.negative ? "-" : ""}${decimal.digits}e${decimal.exponent}`;
}

/** Some decimals as integers times one power of ten; null where that would take too many digits. */
export function scaled(
  decimals: readonly Decimal[],
): { readonly integers: readonly bigint[]; readonly exponent: number } | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { digits, exponent } of decimals) {
    if (digits === "") continue;
    low = Math.min(low, exponent - digits.length);
    high = Math.max(high, exponent);
  }
  if (low > high) return { integers: decimals.map(() => 0n), exponent: 0 };
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || high - low > MAX_SPAN_DIGITS) return null;
  const integers = decimals.map(({ negative, digits, exponent }) => {
    if (digits === "") return 0n;
    const magnitude = BigInt(digits) * 10n ** BigInt(exponent - digits.length - low);
    return negative ? -magnitude : magnitude;
  });
  return { integers, exponent: low };
}
