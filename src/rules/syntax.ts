/** What the YAML parser finds wrong, placed where the slip was made and said without the parser's words. */

import { type Document, isMap, visit } from "yaml";
import { MAX_PROBLEMS, type Problem, problemAt, type SourceText, type Span } from "./problem.ts";

type SyntaxError = Document.Parsed["errors"][number] | Document.Parsed["warnings"][number];

/** A place other than the parser's, where that is not where the slip was made. */
interface Explanation {
  readonly why: string;
  readonly span?: Span;
}

/** Pieces of hostile lines, which may be megabytes long, are looked at up to here. */
const MAX_LOOK = 300;

/** All syntax errors that are not mere consequences of others. */
export function syntaxProblems(source: SourceText, document: Document.Parsed): Problem[] {
  const problems: Problem[] = [];
  for (const error of [...document.errors, ...document.warnings]) {
    const span = { start: error.pos[0], end: Math.max(error.pos[1], error.pos[0] + 1) };
    const explained = explain(error, source.text, span, document);
    problems.push(problemAt(source, explained.span ?? span, explained.why));
    // After a structural error the rest of the file reads as nonsense: only what is independent goes on.
    if (error.code !== "TAG_RESOLVE_FAILED" || problems.length >= MAX_PROBLEMS) break;
  }
  return problems;
}

function explain(error: SyntaxError, text: string, span: Span, document: Document.Parsed): Explanation {
  const unquoted = unquotedBraces(text, span);
  if (unquoted !== undefined) return { why: unquoted };
  const quoted = text.slice(span.start, Math.min(span.end, span.start + MAX_LOOK));
  switch (error.code) {
    case "TAB_AS_INDENT":
      return { why: "a tab cannot indent YAML: use spaces" };
    case "TAG_RESOLVE_FAILED":
      return { why: `YAML tags (${quoted}) have no meaning in rules: leave it out` };
    case "BAD_SCALAR_START":
      return { why: badStart(text, span, quoted) };
    case "BAD_INDENT":
      return unclosed(error.message, text, span, document) ?? wrongIndent(text, span.start) ?? other(error);
    case "UNEXPECTED_TOKEN":
      return /^[}\]]/.test(quoted)
        ? { why: `this ${quoted[0]} closes nothing: take it away, or open it first` }
        : other(error);
    case "MISSING_CHAR":
      return (
        unclosedQuote(error.message, text, span, document) ?? wrongIndent(text, span.start) ?? other(error)
      );
    case "BLOCK_AS_IMPLICIT_KEY":
      return nestedFields(text, span) ?? other(error);
    case "MULTILINE_IMPLICIT_KEY":
      return noColon(quoted) ?? other(error);
    default:
      return other(error);
  }
}

const GUESSED = new Set(["MISSING_CHAR", "BLOCK_AS_IMPLICIT_KEY", "MULTILINE_IMPLICIT_KEY"]);

function other({ code, message }: SyntaxError): Explanation {
  const question = "; is there a quote, a colon or an indent missing on this line or the one before?";
  const said = message.charAt(0).toLowerCase() + message.slice(1);
  return { why: `this is no YAML: ${said}${GUESSED.has(code) ? question : ""}` };
}

/** Braces of templates and variables, which YAML's flow style takes for its own. */
function unquotedBraces(text: string, span: Span): string | undefined {
  const { start, end } = lineAround(text, span.start);
  const line = text.slice(Math.max(start, span.start - MAX_LOOK), Math.min(end, span.start + MAX_LOOK));
  const template = /[{,[]\s*path:\s*(\/[^\s"',]*\{[^\s"'{}]*\}[^\s"',}\]]*)/.exec(line)?.[1];
  if (template !== undefined) return `quote a path with {…} in YAML's flow style: { path: "${template}" }`;
  return /[{[].*\$\{/.test(line.replace(/"[^"]*"|'[^']*'/g, ""))
    ? `quote a variable in YAML's flow style: { url: "\${URL}" }`
    : undefined;
}

function badStart(text: string, { start }: Span, quoted: string): string {
  const share = /^%\s?([0-9]{1,3}(?:\.[0-9]{1,4})?)/.exec(text.slice(start, start + 20))?.[1];
  return `a text that begins with ${quoted} must be quoted${share === undefined ? "" : `; if a share is meant, write ${share}%`}`;
}

/** A flow list or block of fields: the bracket that opens it is the place. */
function unclosed(
  message: string,
  text: string,
  span: Span,
  document: Document.Parsed,
): Explanation | undefined {
  const kind = /^Flow (map|sequence) /.exec(message)?.[1];
  if (kind === undefined) return undefined;
  const isMapping = kind === "map";
  const [open, close] = isMapping ? ["{", "}"] : ["[", "]"];
  let start: number | undefined;
  visit(document, {
    Collection: (_, node) => {
      const from = node.range?.[0];
      // The innermost of those that are still open there: the parser complains of it first.
      if (from === undefined || !node.flow || isMap(node) !== isMapping || from >= span.start) return;
      if (text[(node.range?.[1] ?? 0) - 1] !== close || (node.range?.[1] ?? 0) > span.start) start = from;
    },
  });
  if (start === undefined) return undefined;
  const opener = { start, end: start + 1 };
  return text[span.start] === close
    ? {
        why: `this ${close} stands too far left: indent it further than line ${lineNumber(text, start)}, which opens it`,
      }
    : { why: `this ${open} is not closed: write ${close} where it ends`, span: opener };
}

function unclosedQuote(
  message: string,
  text: string,
  span: Span,
  document: Document.Parsed,
): Explanation | undefined {
  if (!/^Missing closing .quote/.test(message)) return undefined;
  let start: number | undefined;
  visit(document, {
    Scalar: (_, node) => {
      if (node.type?.startsWith("QUOTE_") && (node.range?.[1] ?? 0) >= span.start - 1)
        start ??= node.range?.[0];
    },
  });
  if (start === undefined) return undefined;
  return {
    why: `this ${text[start]} is not closed: write another where the text ends`,
    span: { start, end: start + 1 },
  };
}

/** The line that an offset is on, in another column than the fields of the line before. */
function wrongIndent(text: string, offset: number): Explanation | undefined {
  // The parser may count the comments and empty lines in front of it in.
  const here = lineAround(text, offset);
  const start = isContent(text, here.start) ? here.start : (nextLine(text, here.end) ?? here.start);
  const line = lineAround(text, start);
  const previous = previousLine(text, line.start);
  if (previous === undefined) return undefined;
  const column = indentOf(text, line.start);
  const fields = fieldsColumn(text, previous);
  if (column === fields) return undefined;
  const from = line.start + column;
  const why = `this line begins after ${spaces(column)}, and what is above it, on line ${lineNumber(text, previous)}, after ${spaces(fields)}: give the fields of one block the same indent`;
  return { why, span: { start: from, end: Math.max(from + 1, Math.min(line.end, from + MAX_LOOK)) } };
}

/** "a: b" followed by a deeper "c: d", or "a: b: c" on one line. */
function nestedFields(text: string, span: Span): Explanation | undefined {
  const line = lineAround(text, span.start);
  const rest = text.slice(span.start, Math.min(line.end, span.start + MAX_LOOK));
  if (/:(\s|$)/.test(rest))
    return {
      why: 'two fields are on one line: put the second on a line of its own, or quote a text that holds ": "',
    };
  const next = nextLine(text, line.end);
  return next !== undefined && indentOf(text, next) > fieldsColumn(text, line.start)
    ? wrongIndent(text, next)
    : undefined;
}

function noColon(quoted: string): Explanation | undefined {
  const first = quoted.split("\n")[0]?.trim() ?? "";
  return first === "" || first.includes(":") || !quoted.includes("\n")
    ? undefined
    : { why: `this line has no colon: write a field as ${first.split(/\s/)[0]}: and its value` };
}

const spaces = (count: number) => (count === 1 ? "1 space" : `${count} spaces`);

function lineAround(text: string, offset: number): Span {
  const end = text.indexOf("\n", offset);
  return { start: text.lastIndexOf("\n", offset - 1) + 1, end: end === -1 ? text.length : end };
}

function indentOf(text: string, lineStart: number): number {
  let at = lineStart;
  while (text[at] === " ") at++;
  return at - lineStart;
}

/** Where the fields of a line's block begin: behind the dashes of list items. */
function fieldsColumn(text: string, lineStart: number): number {
  const line = text.slice(lineStart, lineStart + MAX_LOOK);
  return /^ *(?:- +)*/.exec(line)?.[0].length ?? 0;
}

/** The nearest line above with something on it but a comment; lines are skipped up to a bound. */
function previousLine(text: string, lineStart: number): number | undefined {
  let start = lineStart;
  for (let skipped = 0; start > 0 && skipped < MAX_LOOK; skipped++) {
    start = lineAround(text, start - 1).start;
    if (isContent(text, start)) return start;
  }
  return undefined;
}

function nextLine(text: string, lineEnd: number): number | undefined {
  let end = lineEnd;
  for (let skipped = 0; end < text.length && skipped < MAX_LOOK; skipped++) {
    if (isContent(text, end + 1)) return end + 1;
    end = lineAround(text, end + 1).end;
  }
  return undefined;
}

const isContent = (text: string, lineStart: number) =>
  /^[ \t]*[^\s#]/.test(text.slice(lineStart, lineStart + MAX_LOOK));

function lineNumber(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
