/** Places, and the templates that many of them share: array indexes and names that are ids become `[*]`. */

import type { Key } from "../model/jsonpath.ts";
import { cut, escapeCharacter } from "./text.ts";

/** Names come from the answers: a place must not be megabytes. */
const MAX_PLACE_CHARS = 1000;
export const MAX_TEMPLATE_CHARS = 300;

/** Longer names are data. */
const MAX_NAME_CHARS = 64;
const MAX_STEP_CHARS = 200;

/** From the inside out, so that a path is only spelled out where something differs. */
export interface Path {
  readonly parent: Path | null;
  readonly key: Key;
}

/** `$.items[3]['a b']`: one spelling for each place, that reads as in the rules and works as an `ignore` there. */
export function spellPlace(path: Path | null): string {
  const keys = keysOf(path);
  let place = "$";
  for (const key of keys) {
    place += spellStep(key);
    if (place.length > MAX_PLACE_CHARS) return cut(place, MAX_PLACE_CHARS);
  }
  return place;
}

/**
 * `$.items[*]['a b']`: the place with what varies from answer to answer as `[*]`; a JSONPath of at most
 * MAX_TEMPLATE_CHARS that works as an `ignore`. Of longer ones the middle becomes `..`.
 */
export function templateOf(path: Path | null): string {
  const keys = keysOf(path);
  const steps = keys.map((key) => {
    if (typeof key === "number" || isIdLike(key)) return "[*]";
    const step = spellStep(key);
    // A short name of invisible characters is long when it is spelled.
    return step.length > MAX_STEP_CHARS ? "[*]" : step;
  });
  const whole = `$${steps.join("")}`;
  if (whole.length <= MAX_TEMPLATE_CHARS) return whole;
  const last = steps.at(-1) ?? "";
  const room = MAX_TEMPLATE_CHARS - last.length - 2;
  let template = "$";
  for (const step of steps) {
    if (template.length + step.length > room) break;
    template += step;
  }
  return `${template}..${last.replace(/^\./, "")}`;
}

function keysOf(path: Path | null): readonly Key[] {
  const keys: Key[] = [];
  for (let at = path; at !== null; at = at.parent) keys.push(at.key);
  return keys.reverse();
}

const SHORTHAND = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** What a quoted name may not hold as it is, or should not: quotes, backslashes, and what cannot be seen. */
const UNQUOTABLE = /['\\\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;
const HALF_PAIR = /\p{Cs}/u;

function spellStep(key: Key): string {
  if (typeof key === "number") return `[${key}]`;
  if (SHORTHAND.test(key) && key.length <= MAX_PLACE_CHARS) return `.${key}`;
  const name = key.slice(0, MAX_PLACE_CHARS).replace(UNQUOTABLE, (character) => {
    return character === "'" || character === "\\" ? `\\${character}` : escapeCharacter(character);
  });
  return `['${name}']`;
}

const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

const IDS: readonly RegExp[] = [
  // Numbers, versions, IPv4 addresses, phone numbers; "+1" and "-1" are names (GitHub's reactions).
  /^(?:\d+|[+-]\d{5,})(?:[.:]\d+)*$/,
  // UUID, with whatever stands before or behind it.
  new RegExp(`(?:^|[^0-9a-z])${UUID}(?:[^0-9a-z]|$)`, "i"),
  // ULID.
  /(?:^|[-_.:/])[0-7][0-9A-HJKMNP-TV-Z]{25}$/i,
  // Dates and timestamps, ISO 8601 and its relatives.
  /^\d{4}[-/.](?:\d{1,2}|W\d\d|Q\d)(?:[-/.]\d{1,2}(?:[T ][0-9:.,Z +-]*)?)?$/,
  /^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}$/,
  /^\d{8}T\d{4,6}(?:\.\d+)?Z?$/,
  // E-mail addresses.
  /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
  // Nothing that can be written down in a path as it is.
  HALF_PAIR,
];

/**
 * Whether a member's name is data whatever else is there: an id, a date, an address, a token. Of `usr_8f3e2a1b` or
 * `line_2` nobody knows: where a map has many such names they fold when they are counted (model/folding.ts).
 */
export function isIdLike(name: string): boolean {
  if (name.length > MAX_NAME_CHARS) return true;
  if (!/[0-9@\p{Cs}]/u.test(name)) return false;
  if (IDS.some((pattern) => pattern.test(name))) return true;
  return name.split(/[-_.:/]/).some(isToken) || isMostlyDigits(name);
}

const MIN_HEX_CHARS = 12;
const MIN_TOKEN_CHARS = 16;

/** Part of a name: long and hexadecimal, or letters and digits as chance mixes them. */
function isToken(part: string): boolean {
  if (part.length < MIN_HEX_CHARS || !/^[A-Za-z0-9]+$/.test(part) || !/\d/.test(part)) return false;
  if (/^(?:[0-9a-f]+|[0-9A-F]+)$/.test(part)) return true;
  if (part.length < MIN_TOKEN_CHARS) return false;
  const runs = part.match(/[a-z]+|[A-Z]+|\d+/g)?.length ?? 0;
  return runs >= part.length / 2;
}

function isMostlyDigits(name: string): boolean {
  const digits = name.match(/\d/g)?.length ?? 0;
  return name.length >= MIN_TOKEN_CHARS && digits >= name.length / 2;
}
