/** A mistake in the rules, shown the way a compiler shows one. */

export interface Problem {
  /** As the user would name it. */
  readonly file: string;
  /** From 1; null for what concerns a whole file. */
  readonly line: number | null;
  readonly column: number | null;
  /** One line, without the place. */
  readonly message: string;
  /** Place, message, source line and caret; several lines. */
  readonly text: string;
}

/** A text with its name, for placing problems in it. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

export interface Span {
  /** Offsets into the text, end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** Nobody reads more at once; a hostile file could hold a million. Of each file's form, and of the rules' sense. */
export const MAX_PROBLEMS = 100;

/** Longest piece of a source line that is shown. */
const MAX_SHOWN_COLUMNS = 120;

/** A problem that has no place within its file (it cannot be read, say). */
export function fileProblem(file: string, message: string, line: number | null = null): Problem {
  const clean = printable(message);
  const place = line === null ? printable(file) : `${printable(file)}:${line}:1`;
  return { file, line, column: line === null ? null : 1, message: clean, text: `${place}  ${clean}` };
}

/** A problem at a span of a source text. */
export function problemAt(source: SourceText, span: Span, message: string): Problem {
  const { line, column, lineStart } = positionOf(source, span.start);
  const clean = printable(message);
  return {
    file: source.path,
    line,
    column,
    message: clean,
    text: `${printable(source.path)}:${line}:${column}  ${clean}\n${excerpt(source.text, span, line, lineStart)}`,
  };
}

/** "rules/a.yaml:3:5". */
export function placeText(source: SourceText, span: Span): string {
  const { line, column } = positionOf(source, span.start);
  return `${printable(source.path)}:${line}:${column}`;
}

/** Where the lines of a text begin, found once. */
const lineStartsOf = new WeakMap<SourceText, readonly number[]>();

function lineStarts(source: SourceText): readonly number[] {
  const known = lineStartsOf.get(source);
  if (known) return known;
  const starts = [0];
  for (let at = source.text.indexOf("\n"); at !== -1; at = source.text.indexOf("\n", at + 1))
    starts.push(at + 1);
  lineStartsOf.set(source, starts);
  return starts;
}

function positionOf(source: SourceText, offset: number): { line: number; column: number; lineStart: number } {
  const starts = lineStarts(source);
  let from = 0;
  let to = starts.length - 1;
  while (from < to) {
    const middle = (from + to + 1) >>> 1;
    if ((starts[middle] ?? 0) <= offset) from = middle;
    else to = middle - 1;
  }
  const lineStart = starts[from] ?? 0;
  return { line: from + 1, column: offset - lineStart + 1, lineStart };
}

function excerpt(text: string, span: Span, line: number, lineStart: number): string {
  const newline = text.indexOf("\n", lineStart);
  const whole = text.slice(lineStart, newline === -1 ? text.length : newline).replace(/\r$/, "");
  const at = span.start - lineStart;
  // A very long line is shown from a little before the caret.
  const from = at > MAX_SHOWN_COLUMNS - 40 ? at - 40 : 0;
  const shown = whole.slice(from, from + MAX_SHOWN_COLUMNS);
  const width = Math.min(span.end - span.start, shown.length - (at - from));
  const gutter = String(line);
  // Tabs are kept in front of the caret, so that it stays under its character however wide they are shown.
  const indent = shown.slice(0, at - from).replace(/[^\t]/g, " ");
  return [
    `  ${gutter} | ${printable(shown)}`,
    `  ${" ".repeat(gutter.length)} | ${indent}${"^".repeat(Math.max(1, width))}`,
  ].join("\n");
}

/** Control characters made harmless for terminals and logs; tabs stay. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "�");
}

/** Files in the order given, within a file by place. */
export function inOrder(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const rank = new Map(files.map((file, index) => [file, index]));
  return [...problems].sort(
    (a, b) =>
      (rank.get(a.file) ?? files.length) - (rank.get(b.file) ?? files.length) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}
