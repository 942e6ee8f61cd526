/**
 * JSON texts of strangers, read within bounds and without losing digits.
 *
 * JSON.parse makes every number a double, so that 12345678901234567890 and …891 become one. Numbers that a
 * double may not hold are therefore listed while the text is surveyed, and where they could deceive, the text
 * is parsed a second time with each of them as a symbol (JSON itself has none) that stands for its exact value.
 */

import { decimalOf, exactText, isLongNumber, isSafe } from "./decimal.ts";

/** Deeper texts are not compared: recursion stays on the stack, and V8 needs 0.4 µs for every level. */
export const MAX_JSON_DEPTH = 500;

export type ParsedJson =
  | {
      readonly kind: "json";
      readonly text: string;
      readonly value: unknown;
      /** Source texts of the numbers that a double may not hold. */
      readonly longNumbers: readonly string[];
      /** Members of all objects, as they stand in the text: repeated names count each time. */
      readonly members: number;
    }
  | { readonly kind: "not-json" }
  | { readonly kind: "too-deep" };

/** Parses a text; never throws. Too deep is said of texts nested beyond MAX_JSON_DEPTH, valid or not. */
export function parseJson(text: string): ParsedJson {
  const survey = surveyJson(text);
  if (survey.depth > MAX_JSON_DEPTH) return looksLikeJson(text) ? { kind: "too-deep" } : { kind: "not-json" };
  try {
    const value: unknown = JSON.parse(text);
    return { kind: "json", text, value, longNumbers: survey.longNumbers, members: survey.members };
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

interface Survey {
  readonly depth: number;
  readonly longNumbers: readonly string[];
  readonly members: number;
}

/** One pass over the text, before anything is built from it: how deep it nests, and what parsing would lose. */
export function surveyJson(text: string): Survey {
  const longNumbers: string[] = [];
  let members = 0;
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
    } else if (code === 0x3a) {
      members++;
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
  return { depth: deepest, longNumbers, members };
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

/** A symbol tells so much of its number; one that is told whole can be calculated with. */
const MAX_SOURCE_CHARS = 400;

/** Parses a text that `parseJson` accepted again, its long numbers as symbols described by their source. */
export function parseExact(text: string, exactNumbers: ExactNumbers): unknown {
  return parseWith(text, (source) => {
    const exact = exactText(source);
    const known = exactNumbers.get(exact);
    if (known !== undefined) return known;
    const fresh = Symbol(source.slice(0, MAX_SOURCE_CHARS));
    exactNumbers.set(exact, fresh);
    return fresh;
  });
}

/** The text of a number of a tree; null: not a number, or longer than is calculated with. */
export function numberText(value: unknown): string | null {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : null;
  if (typeof value !== "symbol") return null;
  const source = value.description ?? "";
  return source.length < MAX_SOURCE_CHARS ? source : null;
}

/** The library types know neither `rawJSON` nor a reviver's third argument yet (ECMAScript 2026, V8 since 11.4). */
const { rawJSON } = JSON as typeof JSON & { readonly rawJSON: (text: string) => unknown };

/** Parses such a text again so that JSON.stringify writes its long numbers with all their digits. */
export function parseRaw(text: string): unknown {
  return parseWith(text, rawJSON);
}

function parseWith(text: string, longNumber: (source: string) => unknown): unknown {
  const revive = (_key: string, value: unknown, context: { readonly source?: string }): unknown =>
    typeof value !== "number" || context.source === undefined || !isLongNumber(context.source)
      ? value
      : longNumber(context.source);
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}
