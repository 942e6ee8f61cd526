/** Short texts for people: bounded in length, and harmless on a terminal and in a page's source. */

/** Longest text of a value in a difference. */
export const MAX_TEXT_CHARS = 200;

/** Control and format characters: they move cursors, reverse text, or are not there to be seen. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** The text with invisible characters written as escapes, at most `maxChars` long ("…" says that it was cut). */
export function visible(text: string, maxChars: number): string {
  // Cut first: the text may be megabytes.
  const escaped = text.slice(0, maxChars + 1).replace(INVISIBLE, escapeCharacter);
  return cut(escaped, maxChars, text.length > maxChars);
}

/** The first `maxChars` of a text, never half of a surrogate pair. */
export function cut(text: string, maxChars: number, isCut: boolean = false): string {
  if (text.length <= maxChars && !isCut) return text;
  const kept = text.slice(0, maxChars - 1);
  return `${isLead(kept.charCodeAt(kept.length - 1)) ? kept.slice(0, -1) : kept}…`;
}

function isLead(charCode: number): boolean {
  return charCode >= 0xd800 && charCode <= 0xdbff;
}

/** As \uXXXX, which JSON and JSONPath read back. */
export function escapeCharacter(character: string): string {
  let escaped = "";
  for (let at = 0; at < character.length; at++) {
    escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}

/** The JSON text of a value, cut; costs no more for a value of megabytes. A symbol is an exact number (json.ts). */
export function shortJson(value: unknown, maxChars: number = MAX_TEXT_CHARS): string {
  const out = { text: "" };
  appendJson(out, value, maxChars + 1);
  return visible(out.text, maxChars);
}

function appendJson(out: { text: string }, value: unknown, enough: number): void {
  if (out.text.length >= enough) return;
  if (Array.isArray(value)) {
    out.text += "[";
    for (let at = 0; at < value.length && out.text.length < enough; at++) {
      if (at > 0) out.text += ",";
      appendJson(out, value[at], enough);
    }
    out.text += "]";
  } else if (typeof value === "object" && value !== null) {
    let separator = "{";
    for (const [key, member] of Object.entries(value)) {
      if (out.text.length >= enough) break;
      out.text += `${separator}${JSON.stringify(key.slice(0, enough))}:`;
      appendJson(out, member, enough);
      separator = ",";
    }
    out.text += separator === "{" ? "{}" : "}";
  } else if (typeof value === "symbol") {
    out.text += value.description ?? "";
  } else {
    out.text += typeof value === "string" ? JSON.stringify(value.slice(0, enough)) : String(value);
  }
}

/** Where two texts that differ part ways, with a little of what comes before. */
export function excerptsAt(oldText: string, newText: string): { readonly old: string; readonly new: string } {
  let at = 0;
  while (at < oldText.length && at < newText.length && oldText.charCodeAt(at) === newText.charCodeAt(at))
    at++;
  const from = at > 40 ? at - 20 : 0;
  return { old: excerpt(oldText, from), new: excerpt(newText, from) };
}

function excerpt(text: string, from: number): string {
  if (from === 0) return visible(text, MAX_TEXT_CHARS);
  return `…${visible(text.slice(from, from + 2 * MAX_TEXT_CHARS), MAX_TEXT_CHARS - 1)}`;
}
