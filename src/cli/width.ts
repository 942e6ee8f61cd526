/** How much room a text takes on a terminal, and a text cut to the room that there is. */

const SEGMENTS = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Written two cells wide by every common terminal: East Asian scripts, full-width forms, emoji. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\p{Script=Tangut}\p{Script=Nushu}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]|\ufe0f/u;

/** One cell a character, without a look at each: ASCII, Latin letters, dashes and arrows, and the blocks of charts. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant
const NARROW = /^[\x00-\x7f\u00a1-\u024f\u2010-\u2027\u2190-\u21ff\u2580-\u259f]*$/;

/** Cells that a printable text takes. */
export function textWidth(text: string): number {
  if (NARROW.test(text)) return text.length;
  let width = 0;
  for (const { segment } of SEGMENTS.segment(text)) width += segmentWidth(segment);
  return width;
}

/** At most `width` cells of a text; what is left out is said by "…" at the end. */
export function cutEnd(text: string, width: number): string {
  if (text.length <= width && isAscii(text)) return text;
  if (textWidth(text) <= width) return text;
  return width <= 0 ? "" : `${head(text, width - 1)}…`;
}

/** The same with the "…" in the middle: the end of a path says as much as its beginning. */
export function cutMiddle(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width <= 0) return "";
  const tailWidth = Math.floor((width - 1) * 0.6);
  return `${head(text, width - 1 - tailWidth)}…${tail(text, tailWidth)}`;
}

/**
 * A text in lines of at most `width` cells, broken between words where that is possible. Beyond `maxLines` it is cut,
 * and the cut is said by "…". Never empty.
 */
export function wrapText(text: string, width: number, maxLines = Number.POSITIVE_INFINITY): string[] {
  const room = Math.max(width, 1);
  const lines: string[] = [];
  let rest = text.trim();
  while (textWidth(rest) > room) {
    if (lines.length + 1 >= maxLines) return [...lines, cutEnd(rest, room)];
    const line = firstLine(rest, room);
    lines.push(line.trimEnd());
    rest = rest.slice(line.length).trimStart();
  }
  return rest === "" && lines.length > 0 ? lines : [...lines, rest];
}

/** As much of a text as fits, to the end of a word; a word that is longer than the line is broken. */
function firstLine(text: string, width: number): string {
  const fitting = head(text, width);
  if (text[fitting.length] === " ") return fitting;
  const end = fitting.lastIndexOf(" ");
  if (end > 0) return fitting.slice(0, end);
  // A single character wider than the line: it must go somewhere.
  return fitting === "" ? (SEGMENTS.segment(text)[Symbol.iterator]().next().value?.segment ?? text) : fitting;
}

function head(text: string, width: number): string {
  let [kept, used] = ["", 0];
  for (const { segment } of SEGMENTS.segment(text)) {
    used += segmentWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return kept;
}

function tail(text: string, width: number): string {
  const segments = Array.from(SEGMENTS.segment(text), ({ segment }) => segment);
  let [kept, used] = ["", 0];
  for (const segment of segments.reverse()) {
    used += segmentWidth(segment);
    if (used > width) break;
    kept = segment + kept;
  }
  return kept;
}

function segmentWidth(segment: string): number {
  return WIDE.test(segment) ? 2 : 1;
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant
  return /^[\x00-\x7f]*$/.test(text);
}

/** What terminals without UTF-8 show in place of the signs that we use ourselves. */
const PLAIN: Readonly<Record<string, string>> = {
  "·": "-",
  "–": "-",
  "—": "-",
  "…": "~",
  "→": ">",
  "’": "'",
};

/** The same text in ASCII and in as many cells, for a terminal whose locale is not UTF-8. */
export function asciiOnly(text: string): string {
  if (isAscii(text)) return text;
  return Array.from(SEGMENTS.segment(text), ({ segment }) =>
    isAscii(segment) ? segment : (PLAIN[segment] ?? "?".repeat(segmentWidth(segment))),
  ).join("");
}
