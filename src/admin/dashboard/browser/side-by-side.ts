/** Two texts laid beside each other, line by line. */

import { diffArrays } from "diff";
import { indentJson, looksLikeJson } from "../../../model/json-text.ts";
import type { AnswerSample } from "../../../model/reports.ts";

/** More lines than a person reads; a browser lays them out still. */
const MAX_LINES = 2_000;
const MAX_ROWS = 600;
const MAX_LINE_CHARS = 1_000;
/** Equal lines around a difference. */
const CONTEXT = 3;
/** Longest search for the fewest changed lines. */
const SEARCH_MS = 300;

export type Row =
  | { readonly kind: "same"; readonly text: string }
  | { readonly kind: "changed"; readonly old: Piece | null; readonly new: Piece | null }
  | { readonly kind: "skipped"; readonly lines: number };

/** A line with its differing part in the middle. */
export interface Piece {
  readonly before: string;
  readonly differs: string;
  readonly after: string;
}

export interface SideBySide {
  readonly rows: readonly Row[];
  /** Not everything is shown. */
  readonly isCut: boolean;
}

/** The bodies of a pair: JSON is indented on both sides or on none. */
export function sideBySide(old: AnswerSample, fresh: AnswerSample): SideBySide {
  const isJson = [old, fresh].every(({ body, headers, tree }) =>
    looksLikeJson(body ?? "", tree === true ? undefined : headers["content-type"]),
  );
  const [left, right] = [old, fresh].map(({ body }) => linesOf(body ?? "", isJson)) as [string[], string[]];
  const isCut = left.length > MAX_LINES || right.length > MAX_LINES;
  const rows = withoutEqual(aligned(left.slice(0, MAX_LINES), right.slice(0, MAX_LINES)));
  return { rows: rows.slice(0, MAX_ROWS), isCut: isCut || rows.length > MAX_ROWS };
}

function linesOf(text: string, isJson: boolean): string[] {
  return (isJson ? indentJson(text) : text)
    .split(/\r?\n/)
    .map((line) => (line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS)}…` : line));
}

function aligned(left: readonly string[], right: readonly string[]): Row[] {
  const changes = diffArrays([...left], [...right], { timeout: SEARCH_MS });
  // Too unlike to be laid beside each other in time: line by line.
  if (changes === undefined) return paired(left, right);
  const rows: Row[] = [];
  let removed: readonly string[] = [];
  for (const { value, added, removed: isRemoved } of changes) {
    if (isRemoved) {
      rows.push(...paired(removed, []));
      removed = value;
    } else if (added) {
      rows.push(...paired(removed, value));
      removed = [];
    } else {
      rows.push(...paired(removed, []), ...value.map((text): Row => ({ kind: "same", text })));
      removed = [];
    }
  }
  return [...rows, ...paired(removed, [])];
}

function paired(left: readonly string[], right: readonly string[]): Row[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, index): Row => {
    const [old, fresh] = [left[index], right[index]];
    if (old !== undefined && old === fresh) return { kind: "same", text: old };
    return { kind: "changed", old: pieceOf(old, fresh), new: pieceOf(fresh, old) };
  });
}

/** What two lines have in common at their beginning and end is left out of what differs. */
function pieceOf(line: string | undefined, other: string | undefined): Piece | null {
  if (line === undefined) return null;
  if (other === undefined) return { before: "", differs: line, after: "" };
  const most = Math.min(line.length, other.length);
  let start = 0;
  while (start < most && line[start] === other[start]) start++;
  let end = 0;
  while (end < most - start && line[line.length - 1 - end] === other[other.length - 1 - end]) end++;
  return {
    before: line.slice(0, start),
    differs: line.slice(start, line.length - end),
    after: line.slice(line.length - end),
  };
}

function withoutEqual(rows: readonly Row[]): Row[] {
  const isNear = new Array<boolean>(rows.length).fill(false);
  for (const [index, { kind }] of rows.entries()) {
    if (kind !== "changed") continue;
    for (let near = Math.max(0, index - CONTEXT); near <= Math.min(rows.length - 1, index + CONTEXT); near++)
      isNear[near] = true;
  }
  const kept: Row[] = [];
  let skipped = 0;
  for (const [index, row] of rows.entries()) {
    if (isNear[index] === true) {
      if (skipped > 0) kept.push({ kind: "skipped", lines: skipped });
      skipped = 0;
      kept.push(row);
    } else skipped++;
  }
  if (skipped > 0) kept.push({ kind: "skipped", lines: skipped });
  return kept;
}
