/** zod's issues → placed problems in words. */

import type { z } from "zod";
import { readPlainScalar } from "./env.ts";
import { fieldName } from "./field-name.ts";
import { MAX_PROBLEMS, type Problem } from "./problem.ts";
import { readNote } from "./schema-kit.ts";
import { isWritten, type Path, problemAtPlace, type SourceFile, valueAt } from "./source-file.ts";
import { nearest } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

const LONGEST_SHOWN_VALUE = 60;

/** Explains issues that were found in a file's data. */
export function explainIssues(file: SourceFile, issues: readonly Issue[]): Problem[] {
  const problems: Problem[] = [];
  for (const issue of issues) {
    if (problems.length >= MAX_PROBLEMS) break;
    problems.push(...explain(file, issue, [], ""));
  }
  return problems;
}

/** Where in the data the values are that issues are about; what is missing has a path too. */
export function wrongPaths(issues: readonly Issue[], base: Path = []): Path[] {
  return issues.flatMap((issue): Path[] => {
    const path = pathOf(issue, base);
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => [...path, key]);
    if (issue.code !== "invalid_union") return [path];
    const { issues: inside } = chooseBranch(issue.errors);
    return inside ? wrongPaths(inside, path) : [path];
  });
}

const pathOf = (issue: Issue, base: Path): Path => [
  ...base,
  ...issue.path.filter((part) => typeof part !== "symbol"),
];

function explain(file: SourceFile, issue: Issue, base: Path, suffix: string): Problem[] {
  const path = pathOf(issue, base);
  if (issue.code === "unrecognized_keys")
    return issue.keys.slice(0, MAX_PROBLEMS).map((key) => unknownField(file, path, key, issue.message));
  if (issue.code === "invalid_key") {
    const why = issue.issues[0]?.message ?? issue.message;
    return [problemAtPlace({ file, path, at: "key" }, `${fieldName(path)}: ${why}`)];
  }
  if (issue.code === "invalid_union") {
    const branch = chooseBranch(issue.errors);
    const note = readNote(issue.message);
    const inner = note?.kind === "shorthand" && branch.index === 0 ? `.${note.field}` : "";
    if (branch.issues) return branch.issues.flatMap((each) => explain(file, each, path, inner));
  }
  return wrongValue(file, path, suffix, issue);
}

/**
 * The branch of a union that was meant: the one that took the value's type, and then found something wrong in
 * it. None: the union's own words are better.
 */
function chooseBranch(branches: readonly (readonly Issue[])[]): {
  index: number;
  issues: readonly Issue[] | null;
} {
  const rank = (issues: readonly Issue[]): number => {
    const atRoot = issues.filter((issue) => issue.path.length === 0);
    if (atRoot.some((issue) => issue.code === "invalid_type" || issue.code === "invalid_value")) return 0;
    return atRoot.some((issue) => issue.code === "invalid_union") ? 1 : 2;
  };
  const ranks = branches.map(rank);
  const best = Math.max(...ranks);
  if (best > 0) {
    const index = ranks.indexOf(best);
    return { index, issues: branches[index] ?? null };
  }
  // Of a wrong type for all: a bare number for a share, say, where the short form knows what to teach.
  const taught = branches.findIndex((issues) => issues.some((issue) => /^write [0-9]/.test(issue.message)));
  return taught === -1 ? { index: -1, issues: null } : { index: -1, issues: branches[taught] ?? null };
}

function unknownField(file: SourceFile, path: Path, key: string, message: string): Problem {
  const field = fieldName([...path, key]);
  const place = { file, path: [...path, key], at: "key" } as const;
  const note = readNote(message);
  if (note?.kind !== "fields") return problemAtPlace(place, `${field} is not a field here`);
  const later = hintFor(key, note.later);
  if (later !== undefined) return problemAtPlace(place, `${field} is not built yet: ${later}`);
  const near = nearest(key, note.known);
  const advice =
    hintFor(key, note.instead) ??
    (near === undefined ? `the fields here are ${note.known.join(", ")}` : `did you mean ${near}?`);
  return problemAtPlace(place, `${field} is not a field here: ${advice}`);
}

const hintFor = (key: string, hints: Readonly<Record<string, string>> = {}): string | undefined =>
  Object.hasOwn(hints, key) ? hints[key] : undefined;

function wrongValue(file: SourceFile, path: Path, suffix: string, issue: Issue): Problem[] {
  const value = valueAt(file.data, path);
  // Why it could not be read is said already.
  if (value === undefined && isWritten(file.data, path)) return [];
  const field = `${fieldName(path)}${suffix}`;
  const name = field === "" ? "the file" : field;
  const note = readNote(issue.message);
  const why =
    note === undefined ? issue.message : note.kind === "fields" ? "write a block of fields" : note.why;
  const near = note?.kind === "names" && typeof value === "string" ? nearest(value, note.known) : undefined;
  const advice = near === undefined ? why : `did you mean ${near}? (${why})`;
  if (value === undefined)
    return [problemAtPlace({ file, path, at: "key" }, `${name} is missing: ${advice}`)];
  const is =
    typeof value === "string" && isQuotedByMistake(value, issue)
      ? `the text "${cut(value)}": take the quotes away`
      : `${shown(value)}: ${advice}`;
  return [problemAtPlace({ file, path, at: "value" }, `${name} is ${is}`)];
}

/** A text that would be right, or nearer to it, without its quotes: "5" where a number is wanted. */
function isQuotedByMistake(value: string, issue: Issue): boolean {
  const unquoted = typeof readPlainScalar(value);
  if (issue.code === "invalid_union")
    return issue.errors.some((branch) => branch.some((each) => isQuotedByMistake(value, each)));
  if (issue.code === "invalid_value")
    return issue.values.some((each) => typeof each === unquoted && unquoted !== "string");
  return (
    issue.code === "invalid_type" &&
    (issue.expected === unquoted || (issue.expected === "int" && unquoted === "number"))
  );
}

/** A value as a word or two in a sentence. */
function shown(value: unknown): string {
  if (value === null || value === "") return "empty";
  if (Array.isArray(value)) return value.length === 0 ? "empty" : "a list";
  if (typeof value === "object") return "a block of fields";
  if (typeof value !== "string") return String(value);
  return cut(value);
}

const cut = (text: string) =>
  text.length > LONGEST_SHOWN_VALUE ? `${text.slice(0, LONGEST_SHOWN_VALUE)}…` : text;
