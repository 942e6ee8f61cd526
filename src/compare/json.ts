/**
 * JSON texts of strangers, read within bounds and without losing digits.
 *
 * JSON.parse makes every number a double, so that 12345678901234567890 and …891 become one. Numbers that a
 * double may not hold are therefore listed while the text is surveyed, and where they could deceive, the text
 * is parsed a second time with each of them as a symbol (JSON itself has none) that stands for its exact value.
 */

/** Deeper texts are not compared: recursion stays on the stack, and V8 needs 0.4 µs for every level. */
export const MAX_JSON_DEPTH = 500;

/** Decimal texts of so many significant digits survive a double (IEEE 754: DBL_DIG). */
const SAFE_DIGITS = 15;
/** Within ±10^290 so many digits are safe; beyond, doubles run out of range or of digits. */
const SAFE_EXPONENT = 290;

export type ParsedJson =
  | {
      readonly kind: "json";
      readonly text: string;
      readonly value: unknown;
      /** Source texts of the numbers that a double may not hold. */
      readonly longNumbers: readonly string[];
    }
  | { readonly kind: "not-json" }
  | { readonly kind: "too-deep" };

/** Parses a text; never throws. Too deep is said of texts nested beyond MAX_JSON_DEPTH, valid or not. */
export function parseJson(text: string): ParsedJson {
  const survey = surveyJson(text);
  if (survey.depth > MAX_JSON_DEPTH) return looksLikeJson(text) ? { kind: "too-deep" } : { kind: "not-json" };
  try {
    const value: unknown = JSON.parse(text);
    return { kind: "json", text, value, longNumbers: survey.longNumbers };
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: "not-json" };
    throw error;
  }
}

/** Keeps deep plain texts that merely hold many brackets from being called JSON. */
function looksLikeJson(text: string): boolean {
  const start = /\S/.exec(text)?.[0];
  return start === "[" || start === "{";
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** One pass over the text, before anything is built from it: how deep it nests, and its long numbers. */
function surveyJson(text: string): { readonly depth: number; readonly longNumbers: readonly string[] } {
  const longNumbers: string[] = [];
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      for (at++; at < text.length; at++) {
        const inner = text.charCodeAt(at);
        if (inner === BACKSLASH) at++;
        else if (inner === QUOTE) break;
      }
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > deepest) deepest = depth;
    } else if (code === 0x5d || code === 0x7d) {
      depth--;
    } else if (code >= 0x30 && code <= 0x39) {
      const end = endOfNumber(text, at);
      // The shortest texts that can be long: 16 digits, or 1e291.
      if (end - at >= 5) {
        const source = text.slice(text.charCodeAt(at - 1) === 0x2d ? at - 1 : at, end);
        if (isLongNumber(source)) longNumbers.push(source);
      }
      at = end - 1;
    }
  }
  return { depth: deepest, longNumbers };
}

function endOfNumber(text: string, from: number): number {
  let at = from + 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isDigit = code >= 0x30 && code <= 0x39;
    const isOther = code === 0x2e || code === 0x45 || code === 0x65 || code === 0x2b || code === 0x2d;
    if (!isDigit && !isOther) break;
  }
  return at;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

interface Decimal {
  readonly negative: boolean;
  /** Without zeros at either end; "" is zero. The value is 0.digits × 10^exponent. */
  readonly digits: string;
  readonly exponent: number;
}

function decimalOf(source: string): Decimal | null {
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

function isLongNumber(source: string): boolean {
  if (source.length <= SAFE_DIGITS && !/[eE]/.test(source)) return false;
  const decimal = decimalOf(source);
  return decimal !== null && !isSafe(decimal);
}

function isSafe(decimal: Decimal): boolean {
  if (decimal.digits === "") return true;
  return decimal.digits.length <= SAFE_DIGITS && Math.abs(decimal.exponent) <= SAFE_EXPONENT;
}

/** The same text for the same value: 1.0, 1, 10e-1. */
function exactText(source: string): string {
  const decimal = decimalOf(source);
  // Exponents beyond exact integers are compared as they are written.
  if (decimal === null || !Number.isSafeInteger(decimal.exponent)) return source;
  if (decimal.digits === "") return "0";
  return `${decimal.negative ? "-" : ""}${decimal.digits}e${decimal.exponent}`;
}

/**
 * Whether comparing these numbers as doubles says the same as comparing them exactly: no two different ones
 * fall together, and none falls on a double that a short number could also mean.
 */
export function doublesSuffice(longNumbers: Iterable<string>): boolean {
  const exactByDouble = new Map<number, string>();
  for (const source of longNumbers) {
    const double = Number(source);
    if (!Number.isFinite(double)) return false;
    const exact = exactText(source);
    const known = exactByDouble.get(double);
    if (known === exact) continue;
    if (known !== undefined) return false;
    const shortest = String(double);
    const shortestDecimal = decimalOf(shortest);
    if (shortestDecimal !== null && isSafe(shortestDecimal) && exactText(shortest) !== exact) return false;
    exactByDouble.set(double, exact);
  }
  return true;
}

/** The symbols of one comparison: equal numbers are one symbol, so that `===` compares them exactly. */
export type ExactNumbers = Map<string, symbol>;

/** Parses a text that `parseJson` accepted again, its long numbers as symbols described by their source. */
export function parseExact(text: string, exactNumbers: ExactNumbers): unknown {
  const revive = (_key: string, value: unknown, context: { readonly source?: string }): unknown => {
    if (typeof value !== "number" || context.source === undefined || !isLongNumber(context.source))
      return value;
    const exact = exactText(context.source);
    const known = exactNumbers.get(exact);
    if (known !== undefined) return known;
    const fresh = Symbol(context.source.slice(0, 400));
    exactNumbers.set(exact, fresh);
    return fresh;
  };
  // The library types do not know the third argument yet (ECMAScript 2026, V8 since 11.4).
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}
