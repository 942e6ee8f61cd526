/** Regular relations between an old value and a new one: what a mapping in the new code does to every value. */

import { isJsonObject, sameJson } from "./canonical.ts";
import { type Decimal, decimalOf, decimalText, scaled } from "./decimal.ts";
import { instantOf, instantRelation } from "./instant.ts";
import { numberText } from "./json.ts";
import { MAX_RELATED_CHARS, textRelation } from "./relation-text.ts";

/** Stands for no value at all. */
export const MISSING: unique symbol = Symbol("missing");

/** Values with more parts than these have no name for what became of them. */
const MAX_PARTS = 1000;

/**
 * The name of how new's value follows from old's, such as `case` or `prefix "usr_" added`; null: in no way that
 * has a name. Every name holds exactly for these two values; whether it is a rule, many pairs tell. Values of
 * a tree, or MISSING.
 */
export function relationOf(old: unknown, fresh: unknown): string | null {
  const nothing = nothingRelation(old, fresh);
  if (nothing !== null) return nothing;
  if (old === MISSING || fresh === MISSING) return null;
  const oldNumber = shortNumberText(old);
  const newNumber = shortNumberText(fresh);
  if (oldNumber !== null && newNumber !== null) return numberRelation(oldNumber, newNumber, false);
  if (typeof old === "string" && typeof fresh === "string") {
    return numericTextRelation(old, fresh) ?? textRelation(old, fresh);
  }
  if (oldNumber !== null && typeof fresh === "string") {
    return scalarAsText(oldNumber, fresh, "number as text");
  }
  if (typeof old === "string" && newNumber !== null) return scalarAsText(newNumber, old, "text as number");
  return booleanRelation(old, fresh) ?? listRelation(old, fresh);
}

function shortNumberText(value: unknown): string | null {
  const text = numberText(value);
  return text === null || text.length > MAX_RELATED_CHARS ? null : text;
}

function nothingRelation(old: unknown, fresh: unknown): string | null {
  const was = nothingName(old);
  const is = nothingName(fresh);
  if (was === null || is === null) return null;
  return was === is ? null : `${is} for ${was}`;
}

function nothingName(value: unknown): "missing" | "null" | "empty" | null {
  if (value === MISSING) return "missing";
  if (value === null) return "null";
  if (value === "" || (Array.isArray(value) && value.length === 0)) return "empty";
  return isJsonObject(value) && Object.keys(value).length === 0 ? "empty" : null;
}

function scalarAsText(number: string, text: string, name: string): string | null {
  const decimal = textDecimal(text);
  const value = decimalOf(number);
  if (decimal !== null && value !== null && decimalText(decimal) === decimalText(value)) return name;
  const [instant, other] = [instantOf(number), instantOf(text)];
  if (instant === null || other === null) return null;
  const [old, fresh] = name === "number as text" ? [instant, other] : [other, instant];
  return instantRelation(old, fresh);
}

function textDecimal(text: string): Decimal | null {
  const decimal = text.length > MAX_RELATED_CHARS ? null : decimalOf(text);
  return decimal !== null && Number.isSafeInteger(decimal.exponent) ? decimal : null;
}

function numericTextRelation(old: string, fresh: string): string | null {
  if (textDecimal(old) === null || textDecimal(fresh) === null) return null;
  return numberRelation(old, fresh, true);
}

/** Of two numbers, or two texts of numbers, that are not the same. */
function numberRelation(oldText: string, newText: string, areTexts: boolean): string | null {
  const old = decimalOf(oldText);
  const fresh = decimalOf(newText);
  if (old === null || fresh === null) return null;
  if (old.digits === fresh.digits && old.exponent === fresh.exponent) {
    if (old.negative !== fresh.negative && old.digits !== "") return "sign";
    return areTexts ? numberFormRelation(oldText, newText) : null;
  }
  const [oldInstant, newInstant] = [instantOf(oldText), instantOf(newText)];
  if (oldInstant !== null && newInstant !== null && oldInstant.form !== newInstant.form) {
    const relation = instantRelation(oldInstant, newInstant);
    if (relation !== null) return relation;
  }
  if (old.negative === fresh.negative && old.digits === fresh.digits) {
    return scaleRelation(fresh.exponent - old.exponent);
  }
  return roundingRelation(old, fresh);
}

/** Two spellings of one number: "1.50" and "1.5", "007" and "7", "1e3" and "1000". */
function numberFormRelation(old: string, fresh: string): string {
  if (withoutTrailingZeros(old) === withoutTrailingZeros(fresh)) return "trailing zeros";
  return withoutLeadingZeros(old) === withoutLeadingZeros(fresh) ? "leading zeros" : "number format";
}

function withoutTrailingZeros(text: string): string {
  if (!text.includes(".") || /[eE]/.test(text)) return text;
  let end = text.length;
  while (text.charCodeAt(end - 1) === 0x30) end--;
  return text.slice(0, text[end - 1] === "." ? end - 1 : end);
}

function withoutLeadingZeros(text: string): string {
  return text.replace(/^(-?)0{1,400}(?=\d)/, "$1");
}

/** 0 is no scale, and a thousand zeros are none that anybody meant. */
function scaleRelation(power: number): string | null {
  if (power === 0 || Math.abs(power) > 9) return null;
  const factor = 10 ** Math.abs(power);
  return power > 0 ? `scaled by ${factor}` : `scaled by 1/${factor}`;
}

function decimalPlaces(decimal: Decimal): number {
  return Math.max(0, decimal.digits.length - decimal.exponent);
}

function roundingRelation(old: Decimal, fresh: Decimal): string | null {
  if (!isPlainDouble(old) && doubleOf(old) === doubleOf(fresh) && isAsDoublesAreWritten(fresh)) {
    return "double precision";
  }
  const oldPlaces = decimalPlaces(old);
  const newPlaces = decimalPlaces(fresh);
  if (oldPlaces === newPlaces) return null;
  const [fine, coarse] = oldPlaces > newPlaces ? [old, fresh] : [fresh, old];
  const unit: Decimal = { negative: false, digits: "1", exponent: 1 - decimalPlaces(coarse) };
  const numbers = scaled([fine, coarse, unit]);
  if (numbers === null) return null;
  const [fineInteger = 0n, coarseInteger = 0n, unitInteger = 0n] = numbers.integers;
  const distance = fineInteger > coarseInteger ? fineInteger - coarseInteger : coarseInteger - fineInteger;
  if (2n * distance <= unitInteger) return fine === old ? "rounding" : "more digits";
  const isTowardsZero = fineInteger >= 0n ? coarseInteger < fineInteger : coarseInteger > fineInteger;
  const isCut =
    distance < unitInteger && isTowardsZero && (coarseInteger === 0n || old.negative === fresh.negative);
  if (!isCut) return null;
  return fine === old ? "truncation" : "more digits";
}

function doubleOf({ negative, digits, exponent }: Decimal): number {
  return Number(`${negative ? "-" : ""}0.${digits}e${exponent}`);
}

/** As few digits as name the double, 17, or all of a whole number's: an id that is off by one is none of them. */
function isAsDoublesAreWritten(decimal: Decimal): boolean {
  const double = doubleOf(decimal);
  const texts = [String(double), double.toPrecision(17)];
  if (Number.isInteger(double)) texts.push(String(BigInt(double)));
  return texts.some((text) => {
    const written = decimalOf(text);
    return written !== null && decimalText(written) === decimalText(decimal);
  });
}

/** A double writes it as it is; what was lost was lost by the other. */
function isPlainDouble(decimal: Decimal): boolean {
  return decimal.digits.length <= 15;
}

function booleanRelation(old: unknown, fresh: unknown): string | null {
  const [wasBoolean, isBoolean] = [typeof old === "boolean", typeof fresh === "boolean"];
  if (wasBoolean === isBoolean) return null;
  const truth = wasBoolean ? old : fresh;
  const other = wasBoolean ? fresh : old;
  if (typeof other === "string" && other.length <= 5 && other.toLowerCase() === String(truth)) {
    return wasBoolean ? "boolean as text" : "text as boolean";
  }
  if (other !== (truth === true ? 1 : 0)) return null;
  return wasBoolean ? "boolean as number" : "number as boolean";
}

/** XML made JSON: one item where a list of one was, or the other way. */
function listRelation(old: unknown, fresh: unknown): string | null {
  if (Array.isArray(old) && old.length === 1 && sameWithin(old[0], fresh)) return "item for list";
  return Array.isArray(fresh) && fresh.length === 1 && sameWithin(fresh[0], old) ? "list for item" : null;
}

function sameWithin(left: unknown, right: unknown): boolean {
  if (Array.isArray(right) && Array.isArray(left) !== true) return false;
  return countParts(left, MAX_PARTS) <= MAX_PARTS && sameJson(left, right, { left: 0 });
}

function countParts(value: unknown, enough: number): number {
  if (typeof value !== "object" || value === null) return 1;
  let parts = 1;
  for (const child of Object.values(value)) {
    parts += countParts(child, enough - parts);
    if (parts > enough) break;
  }
  return parts;
}
