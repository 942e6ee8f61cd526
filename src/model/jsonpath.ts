/**
 * RFC 9535 JSONPath, read once for rules and comparison alike. What the parser of jsonpath-rfc9535 (1.3.0)
 * lets through although the RFC does not, and what it misreads, is put right here.
 */

import parse from "jsonpath-rfc9535/parser";

import { patternMistake } from "./pattern.ts";

/** Longer ones are no longer read by people; the parser's time grows with them. */
export const MAX_PATH_CHARS = 500;

/** The parser tries nested functions several ways: 3^depth. */
const MAX_BRACKETS = 8;

export type Key = string | number;

export interface Step {
  /** Null: every member or item. */
  readonly key: Key | null;
  /** At any depth (`..`). */
  readonly descends: boolean;
}

/** Names, indexes, wildcards and `..` are steps; unions, slices and filters make it a query for the library. */
export type ParsedPath =
  | { readonly kind: "steps"; readonly steps: readonly Step[] }
  | { readonly kind: "query"; readonly text: string };

type Segment = ReturnType<typeof parse>["segments"][number];

/** Reads a JSONPath; throws an Error that says why it is none, in the words of `checkPath`. */
export function parsePath(text: string): ParsedPath {
  const read = readPath(text);
  if (typeof read === "string") throw new Error(read);
  return read;
}

/** Why a text is no JSONPath (RFC 9535) and what to write; null: it is one. */
export function checkPath(text: string): string | null {
  const read = readPath(text);
  return typeof read === "string" ? read : null;
}

function readPath(text: string): ParsedPath | string {
  if (!text.startsWith("$"))
    return `a JSONPath begins with $: write ${namesPath(text) ?? "$.updatedAt, or $['updated-at']"}`;
  if (text.length > MAX_PATH_CHARS) return `a JSONPath has at most ${MAX_PATH_CHARS} characters`;
  const scan = scanBrackets(text);
  if (scan.deepest > MAX_BRACKETS)
    return `this JSONPath has brackets in brackets in brackets: at most ${MAX_BRACKETS} deep`;
  let segments: readonly Segment[];
  try {
    segments = parse(scan.text).segments;
  } catch (error) {
    const meant = namesPath(text.slice(1));
    if (meant !== null) return `this is no JSONPath (RFC 9535): write ${meant}`;
    const where = scan.text === text ? errorPosition(error, text) : "";
    return `this is no JSONPath (RFC 9535)${where}; examples: $.updatedAt, $..etag, $.items[*].id`;
  }
  const wrong = segmentsMistake(segments);
  if (wrong !== null) return wrong;
  const steps: Step[] = [];
  for (const segment of segments) {
    const key = simpleKey(segment);
    if (key === undefined) return { kind: "query", text: scan.text };
    steps.push({ key, descends: segment.type === "DescendantSegment" });
  }
  return { kind: "steps", steps };
}

const PLAIN_NAME = /^[A-Za-z_\u{80}-\u{10ffff}][\w\u{80}-\u{10ffff}]*$/u;
/** A name that needs no escapes, and the items of lists behind it. */
const NAME_AND_ITEMS = /^([^\s'"\\[\](){}?@,:*&|=<>$]+)((?:\[(?:\*|\d{1,9})\])*)$/;
const MAX_SUGGESTION_CHARS = 100;

/** The JSONPath that was meant by names with dots or slashes between them; null: nobody knows. */
function namesPath(text: string): string | null {
  if (text.length > MAX_SUGGESTION_CHARS) return null;
  const steps: string[] = [];
  for (const part of text.replace(/^[./]/, "").split(text.startsWith("/") ? "/" : ".")) {
    const [, name, items] = NAME_AND_ITEMS.exec(part) ?? [];
    if (name === undefined) return null;
    steps.push(PLAIN_NAME.test(name) ? `.${name}` : `['${name}']`, items ?? "");
  }
  return `$${steps.join("")}`;
}

function errorPosition(error: unknown, text: string): string {
  if (!(error instanceof Error) || !("location" in error)) return "";
  const offset = (error.location as { start?: { offset?: number } } | undefined)?.start?.offset;
  if (offset === undefined) return "";
  const found = text[offset];
  return found === undefined ? ": it ends too early" : `: "${found}" at character ${offset + 1}`;
}

/** The one key that a segment selects, null for all; undefined: it is not as simple as that. */
function simpleKey(segment: Segment): Key | null | undefined {
  const node = segment.node;
  if (node.type === "MemberNameShorthand") return node.value;
  if (node.type === "WildcardSelector") return null;
  const only = node.selectors.length === 1 ? node.selectors[0] : undefined;
  if (only?.type === "NameSelector" || only?.type === "IndexSelector") return only.value;
  return only?.type === "WildcardSelector" ? null : undefined;
}

/**
 * The text with every `a && b && c` written as `a && (b && c)`, which means the same: the parser reads the
 * former as `a && (b || c)`, so that an ignore would hide what nobody asked it to.
 */
function scanBrackets(text: string): { readonly text: string; readonly deepest: number } {
  /** Where the conjunctions of each open bracket have their `&&`. */
  const open: number[][] = [[]];
  const inserts: { readonly at: number; readonly text: string }[] = [];
  let deepest = 0;
  const closeConjunction = (at: number): void => {
    const ands = open.at(-1) ?? [];
    const extra = ands.slice(0, -1);
    for (const and of extra) inserts.push({ at: and + 2, text: " (" });
    if (extra.length > 0) inserts.push({ at, text: ")".repeat(extra.length) });
    ands.length = 0;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "'" || character === '"') {
      at++;
      while (at < text.length && text[at] !== character) at += text[at] === "\\" ? 2 : 1;
    } else if (character === "[" || character === "(") {
      deepest = Math.max(deepest, open.push([]) - 1);
    } else if (character === "]" || character === ")") {
      closeConjunction(at);
      if (open.length > 1) open.pop();
    } else if (character === ",") {
      closeConjunction(at);
    } else if (text.startsWith("||", at)) {
      closeConjunction(at++);
    } else if (text.startsWith("&&", at)) {
      open.at(-1)?.push(at++);
    }
  }
  let rewritten = "";
  let from = 0;
  for (const insert of inserts.sort((left, right) => left.at - right.at)) {
    rewritten += text.slice(from, insert.at) + insert.text;
    from = insert.at;
  }
  return { text: rewritten + text.slice(from), deepest };
}

/** Functions of RFC 9535: what they give, "logical" ones stand alone and "value" ones beside a comparison. */
const FUNCTIONS: Readonly<Record<string, { readonly gives: "value" | "logical"; readonly takes: number }>> = {
  length: { gives: "value", takes: 1 },
  count: { gives: "value", takes: 1 },
  value: { gives: "value", takes: 1 },
  match: { gives: "logical", takes: 2 },
  search: { gives: "logical", takes: 2 },
};

function segmentsMistake(segments: readonly Segment[]): string | null {
  let mistake: string | null = null;
  const look = (node: unknown, parent: string): void => {
    if (typeof node !== "object" || node === null || mistake !== null) return;
    if (Array.isArray(node)) {
      for (const item of node) look(item, parent);
      return;
    }
    const { type, ...members } = node as { readonly type?: unknown };
    mistake = nodeMistake(String(type), members, parent);
    for (const member of Object.values(members)) look(member, String(type));
  };
  look(segments, "");
  return mistake;
}

function nodeMistake(type: string, members: object, parent: string): string | null {
  if (type === "IndexSelector" || type === "SliceSelector") {
    const isLarge = Object.values(members).some((at) => typeof at === "number" && !Number.isSafeInteger(at));
    return isLarge ? "an index of a JSONPath is an integer within ±9007199254740991" : null;
  }
  if (type !== "FunctionExpr") return null;
  const { name, arguments: given } = members as { readonly name?: string; readonly arguments?: unknown[] };
  const known = Object.hasOwn(FUNCTIONS, name ?? "") ? FUNCTIONS[name ?? ""] : undefined;
  if (known === undefined)
    return `${name} is no function of a JSONPath: write length, count, match, search or value`;
  if (given?.length !== known.takes)
    return `${name} takes ${known.takes === 1 ? "one argument" : "two arguments"}`;
  if (known.gives === "value" && parent === "TestExpr")
    return `${name}(…) is a value: compare it with another, as in ${name}(@.name) > 1`;
  if (known.gives === "logical" && parent === "ComparisonExpr")
    return `${name}(…) is true or false by itself: compare it with nothing`;
  return name === "match" || name === "search" ? patternArgumentMistake(name, given[1]) : null;
}

/** The library takes what is no pattern for one that never fits. One that a body holds is not known here. */
function patternArgumentMistake(name: "match" | "search", argument: unknown): string | null {
  const { type, value } = argument as { readonly type?: unknown; readonly value?: unknown };
  if (type !== "Literal") return null;
  if (typeof value !== "string")
    return `${name}(…, ${value}): its second argument is a regular expression in quotes, as in ${name}(@.name, 'a.*')`;
  const why = patternMistake(value, name === "match");
  return why === null ? null : `${name}: ${why}`;
}

/** A rename as steps; `wildcards` of them are shared by both, and everything before the last is the same. */
export interface ParsedRename {
  readonly old: readonly Step[];
  readonly new: readonly Step[];
}

/** Reads a rename; throws an Error that says why it cannot be, in the words of `checkRename`. */
export function parseRename(oldText: string, newText: string): ParsedRename {
  const read = readRename(oldText, newText);
  if (typeof read === "string") throw new Error(read);
  return read;
}

/** Why old's path cannot become new's, and what to write; null: it can. */
export function checkRename(oldText: string, newText: string): string | null {
  const read = readRename(oldText, newText);
  return typeof read === "string" ? read : null;
}

function readRename(oldText: string, newText: string): ParsedRename | string {
  const old = readRenamePath(oldText);
  if (typeof old === "string") return old;
  const fresh = readRenamePath(newText);
  if (typeof fresh === "string") return fresh;
  const oldWild = old.findLastIndex((step) => step.key === null);
  const newWild = fresh.findLastIndex((step) => step.key === null);
  const shared = old.slice(0, oldWild + 1);
  const sameStart = oldWild === newWild && shared.every((step, at) => step.key === fresh[at]?.key);
  if (!sameStart)
    return `${oldText} and ${newText}: up to the last [*] both are the same, as in $.users[*].fullName: $.users[*].name`;
  if (old.length === fresh.length && old.every((step, at) => step.key === fresh[at]?.key))
    return `${oldText} is renamed to itself: leave it out`;
  return { old, new: fresh };
}

function readRenamePath(text: string): readonly Step[] | string {
  const path = readPath(text);
  if (typeof path === "string") return path;
  const example = "write names alone, such as $.fullName, or $.users[*].fullName for each item";
  if (path.kind === "query") return `${text} is not one place: ${example}`;
  if (path.steps.some((step) => step.descends)) return `${text} has "..": ${example}`;
  if (typeof path.steps.at(-1)?.key !== "string") return `${text} does not end in a name: ${example}`;
  const isNegative = path.steps.some((step) => typeof step.key === "number" && step.key < 0);
  return isNegative ? `${text} counts from the end: ${example}` : path.steps;
}
