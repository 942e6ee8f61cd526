/** What stays of a line when it is written another time: its words, without numbers, ids and dates. */

import { hash } from "node:crypto";

/** Of a longer line its beginning says which one it is. */
const MAX_CHARS = 2_000;
const HASH_CHARS = 6;

/** Digits and letters as in hashes, ids and base64; whether it is one is asked of each. */
const LONG_WORD = /[A-Za-z0-9+/_=-]{8,}/g;
const DAY_OR_MONTH =
  /\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Jan|January|Feb|February|Mar|March|Apr|April|May|Jun|June|Jul|July|Aug|August|Sep|September|Oct|October|Nov|November|Dec|December)\b/g;
/** Numbers, dates and times: digits, with what stands between them. */
const NUMBER = /\d+(?:[.,:/T+-]\d+)*/g;

/**
 * Six hex digits, the same for lines that differ in numbers, hexadecimal digits, ids, dates and white space alone. It
 * is a hash: nothing of the line can be read from it, though a line can be guessed and tried.
 */
export function linePattern(line: string): string {
  const folded = line
    .slice(0, MAX_CHARS)
    .replace(LONG_WORD, (word) => (isId(word) ? "#" : word))
    .replace(DAY_OR_MONTH, "#")
    .replace(NUMBER, "#")
    .replace(/\s+/g, " ")
    .trim();
  return hash("sha256", folded, "hex").slice(0, HASH_CHARS);
}

/** Hexadecimal digits, with or without dashes; or a long word as chance makes them. */
function isId(word: string): boolean {
  const digits = word.match(/\d/g)?.length ?? 0;
  if (digits === 0) return false;
  if (/^[0-9a-f-]+$/.test(word) || /^[0-9A-F-]+$/.test(word)) return true;
  if (word.length < 16) return false;
  const runs = word.match(/[a-z]+|[A-Z]+|\d+/g)?.length ?? 0;
  return digits >= 3 || runs >= word.length / 3;
}
