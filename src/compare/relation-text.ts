/** Regular relations between two texts. Each holds exactly: undoing it gives the other text. */

import { dateReadings, instantOf, instantRelation } from "./instant.ts";
import { cut, visible } from "./text.ts";

/** Longer values are documents: nobody maps them by a rule that has a short name. */
export const MAX_RELATED_CHARS = 10_000;

/** Of what was put before or behind. */
const MAX_AFFIX_CHARS = 32;

/** How one text follows from another, different one; null: in no way that has a name. */
export function textRelation(old: string, fresh: string): string | null {
  if (old === "" || fresh === "" || old.length > MAX_RELATED_CHARS || fresh.length > MAX_RELATED_CHARS) {
    return null;
  }
  for (const relation of RELATIONS) {
    const name = relation(old, fresh);
    if (name !== null) return name;
  }
  return null;
}

type Relation = (old: string, fresh: string) => string | null;

/** Ordered: of two that hold, the one that says more. */
const RELATIONS: readonly Relation[] = [
  (old, fresh) => (old.toLowerCase() === fresh.toLowerCase() ? "case" : null),
  whitespace,
  unicode,
  time,
  thousands,
  boolean,
  percentEncoding,
  htmlEntities,
  url,
  separator,
  affix,
];

function unicode(old: string, fresh: string): string | null {
  // ASCII has one form, and asking ICU takes microseconds.
  if (!/[\u0080-\uffff]/.test(old) && !/[\u0080-\uffff]/.test(fresh)) return null;
  return old.normalize("NFKC") === fresh.normalize("NFKC") ? "unicode form" : null;
}

function whitespace(old: string, fresh: string): string | null {
  return /\s/.test(old + fresh) && old.replace(/\s+/g, "") === fresh.replace(/\s+/g, "")
    ? "whitespace"
    : null;
}

function time(old: string, fresh: string): string | null {
  const [oldInstant, newInstant] = [instantOf(old), instantOf(fresh)];
  if (oldInstant !== null && newInstant !== null) return instantRelation(oldInstant, newInstant);
  const [oldDates, newDates] = [dateReadings(old), dateReadings(fresh)];
  if (oldDates.length > 0 && newDates.length > 0) {
    // 03/04/2026 beside 04/03/2026 may be anything.
    const isClear = oldDates.length === 1 || newDates.length === 1;
    return isClear && oldDates.some((date) => newDates.includes(date)) ? "date format" : null;
  }
  // The timestamp is clear, whatever 03/04/2026 may be by itself.
  if (newDates.some((date) => hasDate(old, date))) return "date without time";
  return oldDates.some((date) => hasDate(fresh, date)) ? "date with time" : null;
}

/** A timestamp, with or without an offset, that is written with this date. */
function hasDate(text: string, date: string): boolean {
  if (text.length > 40 || !/^\d{4}-?\d\d-?\d\d[T ]\d/.test(text)) return false;
  const written = text.startsWith(date) || text.startsWith(date.replaceAll("-", ""));
  return written && (instantOf(text) ?? instantOf(`${text}Z`)) !== null;
}

function thousands(old: string, fresh: string): string | null {
  const grouped = /^-?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
  if (!grouped.test(old) && !grouped.test(fresh)) return null;
  const plain = (text: string): string => (grouped.test(text) ? text.replaceAll(",", "") : text);
  return plain(old) === plain(fresh) ? "thousands separator" : null;
}

const WORDS_OF_TRUTH: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  y: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  n: false,
  off: false,
  "0": false,
};

function boolean(old: string, fresh: string): string | null {
  const truth = (text: string): boolean | undefined => {
    const word = text.length <= 5 ? text.toLowerCase() : "";
    return Object.hasOwn(WORDS_OF_TRUTH, word) ? WORDS_OF_TRUTH[word] : undefined;
  };
  const was = truth(old);
  return was !== undefined && was === truth(fresh) ? "boolean format" : null;
}

function percentEncoding(old: string, fresh: string): string | null {
  if (!/[%+]/.test(old + fresh)) return null;
  const isDecoded = (text: string, other: string): boolean =>
    text.includes("%") && (decoded(text) === other || decoded(text.replaceAll("+", " ")) === other);
  if (isDecoded(old, fresh) || isDecoded(fresh, old)) return "percent encoding";
  const [oldText, newText] = [decoded(old), decoded(fresh)];
  return oldText !== null && oldText === newText ? "percent encoding" : null;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

const NAMED_ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
};

function htmlEntities(old: string, fresh: string): string | null {
  if (!/&[#a-z]/i.test(old) && !/&[#a-z]/i.test(fresh)) return null;
  return unescapeHtml(old) === unescapeHtml(fresh) ? "html entities" : null;
}

function unescapeHtml(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return NAMED_ENTITIES[String(name)] ?? all;
    const code = decimal !== undefined ? Number(decimal) : Number.parseInt(String(hex), 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

function url(old: string, fresh: string): string | null {
  if (!old.includes("://") || !fresh.includes("://")) return null;
  const pattern = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\s]+)([/?#].*|)$/is;
  const [oldParts, newParts] = [pattern.exec(old), pattern.exec(fresh)];
  if (oldParts === null || newParts === null || oldParts[3] !== newParts[3]) return null;
  const sameScheme = oldParts[1] === newParts[1];
  if (oldParts[2] === newParts[2]) return "url scheme";
  return sameScheme ? "url host" : "url scheme and host";
}

/** "1-2" and "1_2", "two words" and "two_words", snake_case and camelCase; ids with and without dashes. */
function separator(old: string, fresh: string): string | null {
  const letters = (text: string): string => text.replace(/[ _.:/-]/g, "").toLowerCase();
  if (letters(old) !== letters(fresh)) return null;
  const [oldWords, newWords] = [words(old), words(fresh)];
  if (oldWords.length > 1 && oldWords.join("\0") === newWords.join("\0")) return "separator";
  const [oldBare, newBare] = [old.replaceAll(/[-_]/g, ""), fresh.replaceAll(/[-_]/g, "")];
  // "-5" and "5", "a-" and "a" are no separators.
  const isInside = (text: string): boolean => !/^[-_]|[-_]$/.test(text);
  if (oldBare !== newBare || oldBare.length < 8 || !isInside(old) || !isInside(fresh)) return null;
  return oldBare === old || newBare === fresh ? "separator" : null;
}

function words(text: string): readonly string[] {
  if (!/^[\p{L}\p{N}][\p{L}\p{N} _.:/-]*$/u.test(text)) return [text];
  const parts = text.split(/[ _.:/-]/).flatMap((part) => part.split(/(?<=[\p{Ll}\p{N}])(?=\p{Lu})/u));
  return parts.includes("") ? [text] : parts.map((part) => part.toLowerCase());
}

function affix(old: string, fresh: string): string | null {
  if (fresh.endsWith(old)) return `prefix ${quoted(fresh.slice(0, -old.length))} added`;
  if (old.endsWith(fresh)) return `prefix ${quoted(old.slice(0, -fresh.length))} removed`;
  if (fresh.startsWith(old)) return `suffix ${quoted(fresh.slice(old.length))} added`;
  return old.startsWith(fresh) ? `suffix ${quoted(old.slice(fresh.length))} removed` : null;
}

/** A text within a relation's name: short, and harmless wherever it is shown. */
export function quoted(text: string): string {
  return `"${cut(visible(text, MAX_AFFIX_CHARS), MAX_AFFIX_CHARS)}"`;
}
