/**
 * Texts from anywhere inside Markdown: they stay text, whichever renderer reads them. What is made of letters, digits
 * and harmless punctuation goes in as it is, everything else as a code span, where nothing is markup, no address
 * becomes a link and no name a mention.
 */

/** Reasons are shorter; this is for what a defect or an old store may hold. */
const MAX_TEXT_CHARS = 600;

/** What no renderer gives a meaning within a line. */
const HARMLESS = /^[\p{L}\p{M}\p{N} .,;:%()/+\-–—→×±°'"=?…]*$/u;
/** Harmless characters that together are a link or an emoji (a time of day is none). */
const COMBINED = /:\/\/|www\.|:(?:[\p{N}_+-]*\p{L}[\p{L}\p{N}_+-]*|100|1234|[+-]1):/iu;
/** What would begin a list, a heading or a rule in front of a line. */
const BEGINS_BLOCK = /^(?:[-+=–—]|\d+[.)])/;

/** Controls, line separators and what reorders a line. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/** Text within a line or at its beginning, but not in a table; "–" for an empty one. */
export function inlineText(text: string): string {
  return render(text, (code) => code);
}

/** Text within a cell of a table. */
export function cellText(text: string): string {
  // A backslash before a pipe is read in two ways: they are kept apart.
  return render(text, (code) => code.replace(/\\(?=\|)/g, "\\ ").replaceAll("|", "\\|"));
}

function render(text: string, inCode: (code: string) => string): string {
  const shown = visible(text);
  if (shown === "") return "–";
  if (HARMLESS.test(shown) && !COMBINED.test(shown) && !BEGINS_BLOCK.test(shown)) return shown;
  return codeSpan(inCode(shown));
}

/** One line, without what cannot be seen, bounded. */
function visible(text: string): string {
  const line = text
    .toWellFormed()
    .replace(/\s+/gu, " ")
    .replace(UNSAFE, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`)
    .trim();
  return line.length > MAX_TEXT_CHARS ? `${line.slice(0, MAX_TEXT_CHARS - 1).toWellFormed()}…` : line;
}

function codeSpan(text: string): string {
  const longest = Math.max(0, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return `${fence}${pad}${text}${pad}${fence}`;
}

/** The lines of a table; the cells are Markdown already. */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
