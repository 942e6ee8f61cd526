/** Numbers that are near enough. */

import type { Tolerance } from "../model/ruleset.ts";
import { type Decimal, decimalOf, scaled } from "./decimal.ts";
import { numberText } from "./json.ts";

/** How far two numbers may lie apart; either part that is there suffices. */
export interface Allowance {
  readonly absolute: number | null;
  /** Of the greater magnitude. */
  readonly relative: number | null;
  readonly exact: { readonly absolute: Decimal | null; readonly relative: Decimal | null };
}

/** Longer texts are no numbers that anybody meant to be near each other. */
const MAX_NUMERIC_TEXT_CHARS = 400;

/** Doubles round by less than 2⁻⁵³ of a value; with less room than this, exact decimals decide. */
const DOUBT = 1e-15;
/** Beyond them doubles have fewer digits, or none. */
const GREAT = 1e290;
const SMALL = 1e-290;

/** What it costs to tell whether two numbers are near, beside one step of a walk. */
export const WORK_PER_NUMBER = 8;

export function allowanceOf({ absolute, relative }: Tolerance): Allowance {
  const exact = (value: number | null): Decimal | null => (value === null ? null : decimalOf(String(value)));
  return { absolute, relative, exact: { absolute: exact(absolute), relative: exact(relative) } };
}

/** What tolerance sees in a value: "number", "text" (of a number), or null: it does not concern it. */
export function numericKind(value: unknown): "number" | "text" | null {
  if (typeof value === "number" || typeof value === "symbol") return "number";
  return typeof value === "string" && isNumericText(value) ? "text" : null;
}

function isNumericText(text: string): boolean {
  return text.length <= MAX_NUMERIC_TEXT_CHARS && decimalOf(text) !== null;
}

/**
 * Whether two values are numbers, or two texts of numbers ("12.50"), that one of the allowances covers; a
 * distance of exactly the allowance is covered. Exact for all numbers of up to 400 characters whose digits
 * span no more than 1,000 places; beyond that nothing is covered.
 */
export function isWithin(left: unknown, right: unknown, allowances: readonly Allowance[]): boolean {
  const kind = numericKind(left);
  if (kind === null || kind !== numericKind(right)) return false;
  const leftNumber = nearestDouble(left);
  const rightNumber = nearestDouble(right);
  let isDoubtful = false;
  for (const allowance of allowances) {
    const isCovered = quickly(leftNumber, rightNumber, allowance);
    if (isCovered === true) return true;
    if (isCovered === null) isDoubtful = true;
  }
  if (!isDoubtful) return false;
  const leftDecimal = decimalOf(textOf(left) ?? "");
  const rightDecimal = decimalOf(textOf(right) ?? "");
  if (leftDecimal === null || rightDecimal === null) return false;
  return allowances.some(({ exact }) => exactly(leftDecimal, rightDecimal, exact));
}

/** Of a long number the double beside it: quickly() leaves room for that. NaN: it has to be decided exactly. */
function nearestDouble(value: unknown): number {
  return typeof value === "number" ? value : Number(textOf(value) ?? Number.NaN);
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : numberText(value);
}

/** By doubles alone; null: too near the border to say. */
function quickly(left: number, right: number, { absolute, relative }: Allowance): boolean | null {
  const distance = Math.abs(left - right);
  const magnitude = Math.max(Math.abs(left), Math.abs(right));
  const limit = Math.max(absolute ?? 0, (relative ?? 0) * magnitude);
  if (!(magnitude < GREAT) || magnitude + limit < SMALL) return null;
  const doubt = (magnitude + limit) * DOUBT;
  if (distance < limit - doubt) return true;
  return distance > limit + doubt ? false : null;
}

function exactly(left: Decimal, right: Decimal, { absolute, relative }: Allowance["exact"]): boolean {
  const numbers = scaled(absolute === null ? [left, right] : [left, right, absolute]);
  if (numbers === null) return false;
  const [leftInteger = 0n, rightInteger = 0n, absoluteInteger] = numbers.integers;
  const distance = magnitudeOf(leftInteger - rightInteger);
  if (absoluteInteger !== undefined && distance <= absoluteInteger) return true;
  if (relative === null) return false;
  let larger = magnitudeOf(leftInteger);
  if (magnitudeOf(rightInteger) > larger) larger = magnitudeOf(rightInteger);
  const places = relative.digits.length - relative.exponent;
  const share = BigInt(relative.digits === "" ? "0" : relative.digits) * larger;
  return places >= 0 ? distance * 10n ** BigInt(places) <= share : distance <= share * 10n ** BigInt(-places);
}

function magnitudeOf(integer: bigint): bigint {
  return integer < 0n ? -integer : integer;
}
