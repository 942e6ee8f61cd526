/** Small changes to a YAML text: where a new item or field goes, so that all else stays as it is, byte for byte. */

import { isMap, isPair, isScalar, isSeq, type Node, type Pair, type YAMLMap, type YAMLSeq } from "yaml";

/** Replaces the characters from `start` to `end` (exclusive; equal: an insertion). */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A change that this layout does not allow, in words for the user. */
export class LayoutError extends Error {}

type Collection = YAMLMap | YAMLSeq;

const insertion = (at: number, text: string): Splice => ({ start: at, end: at, text });

/** `splices` do not overlap. */
export function applySplices(text: string, splices: readonly Splice[]): string {
  let result = "";
  let from = 0;
  for (const splice of [...splices].sort((left, right) => left.start - right.start)) {
    result += text.slice(from, splice.start) + splice.text;
    from = splice.end;
  }
  return result + text.slice(from);
}

/** The line ending that a text uses. */
function eolOf(text: string): string {
  const newline = text.indexOf("\n");
  return newline > 0 && text[newline - 1] === "\r" ? "\r\n" : "\n";
}

/** `item` as the last of a list or block in flow style, laid out as those before it. */
export function appendToFlow(text: string, flow: Collection, item: string): Splice[] {
  const [open, close] = bracketsOf(flow);
  const last = flow.items.at(-1);
  if (last === undefined) return [intoEmptyFlow(text, flow, item)];
  const [start, end] = extentOf(text, last);
  const lineStart = startOfLine(text, start);
  const indent = text.slice(lineStart, start);
  if (lineStart <= open || indent.trim() !== "") return [insertion(end, `, ${item}`)];
  // One item a line: the new one gets a line too, and a comma behind it if the last one had one.
  const comma = commaAt(text, end, close);
  const after = comma === undefined ? end : comma + 1;
  const newline = text.indexOf("\n", after);
  const eol = eolOf(text);
  const [own, others] = comma === undefined ? ["", [insertion(end, ",")]] : [",", []];
  if (newline !== -1 && newline < close)
    return [...others, insertion(newline + 1, `${indent}${item}${own}${eol}`)];
  return [insertion(after, `${comma === undefined ? "," : ""}${eol}${indent}${item}${own}`)];
}

function intoEmptyFlow(text: string, flow: Collection, item: string): Splice {
  const [open, close] = bracketsOf(flow);
  const inside = text.slice(open + 1, close);
  const padding = inside === "" && isSeq(flow) ? "" : " ";
  if (inside.trim() === "" && !inside.includes("\n"))
    return { start: open + 1, end: close, text: `${padding}${item}${padding}` };
  return insertion(open + 1, `${padding}${item}`);
}

/** `scalar` as the last item of a list in block style. */
export function appendToBlockList(text: string, list: YAMLSeq, scalar: string): Splice[] {
  const dash = list.items
    .map((item) => dashBefore(text, item as Node))
    .findLast((each) => each !== undefined);
  if (dash === undefined) throw new LayoutError("its items are not each behind a dash on a line");
  return [insertLines(text, list, [`${dash}${scalar}`])];
}

/** Lines behind the last one of a list or block in block style. */
export function insertLines(text: string, block: Collection, lines: readonly string[]): Splice {
  const eol = eolOf(text);
  const at = nextLine(text, lastOffset(text, block));
  const isCutOff = at === text.length && !text.endsWith("\n");
  return insertion(at, isCutOff ? eol + lines.join(eol) : lines.map((line) => line + eol).join(""));
}

/** Takes one item out of a list; `key` is the name in front of it. */
export function removeItem(text: string, key: Node, list: YAMLSeq, index: number): Splice[] {
  const item = list.items[index] as Node;
  const [start, end] = extentOf(text, item);
  if (list.flow) return [removeFromFlow(text, list, index)];
  if (dashBefore(text, item) === undefined) throw new LayoutError("the item shares its line with others");
  const line = { start: startOfLine(text, start), end: nextLine(text, end), text: "" };
  return list.items.length > 1 ? [line] : [insertion(colonAfter(text, key), " []"), line];
}

function removeFromFlow(text: string, list: YAMLSeq, index: number): Splice {
  const [open, close] = bracketsOf(list);
  const extents = list.items.map((item) => extentOf(text, item));
  const [start, end] = extents[index] ?? [open + 1, close];
  const [before, after] = [extents[index - 1], extents[index + 1]];
  if (!before && !after) return { start: open + 1, end: close, text: "" };
  const comma = commaAt(text, end, after?.[0] ?? close);
  const lineStart = startOfLine(text, start);
  const newline = text.indexOf("\n", comma ?? end);
  const isAlone = lineStart > open && text.slice(lineStart, start).trim() === "";
  const isLastOfLine = newline !== -1 && newline < (after?.[0] ?? close);
  if (isAlone && isLastOfLine) return { start: lineStart, end: newline + 1, text: "" };
  return after ? { start, end: after[0], text: "" } : { start: before?.[1] ?? start, end, text: "" };
}

/** Behind the colon of a field. */
export function colonAfter(text: string, key: Node): number {
  const end = key.range?.[1] ?? 0;
  const colon = /^\s*:/.exec(text.slice(end, end + 100));
  if (!colon) throw new LayoutError("there is no colon behind the field's name");
  return end + colon[0].length;
}

/** How far in the fields of a block are: the column of their names. */
export function columnOf(text: string, block: YAMLMap): number {
  for (const { key } of block.items) {
    const start = (key as Node).range?.[0] ?? 0;
    const before = text.slice(startOfLine(text, start), start).replace(/^\uFEFF/, "");
    if (/^ *(?:- +)*$/.test(before)) return before.length;
  }
  throw new LayoutError("its fields do not begin their lines");
}

/** How much further in the blocks within a block are; 2 where there are none. */
export function stepOf(text: string, block: YAMLMap, kind: "fields" | "list"): number {
  const column = columnOf(text, block);
  for (const { value } of block.items) {
    if (kind === "fields" && isMap(value) && !value.flow) return columnOf(text, value) - column;
    if (kind !== "list" || !isSeq(value) || value.flow) continue;
    const dash = value.items.map((item) => dashBefore(text, item as Node)).find((each) => each !== undefined);
    if (dash !== undefined) return dash.indexOf("-") - column;
  }
  return 2;
}

/** The number of the line, from 1, that an offset is on. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

const startOfLine = (text: string, offset: number): number => text.lastIndexOf("\n", offset - 1) + 1;

function nextLine(text: string, offset: number): number {
  if (text[offset - 1] === "\n") return offset;
  const newline = text.indexOf("\n", offset);
  return newline === -1 ? text.length : newline + 1;
}

/** Indent, dash and spaces in front of an item of a block list, if nothing else is. */
function dashBefore(text: string, item: Node): string | undefined {
  const start = item.range?.[0];
  if (start === undefined) return undefined;
  return /^ *- +/.exec(text.slice(startOfLine(text, start), start))?.[0];
}

function bracketsOf({ range }: Collection): [number, number] {
  return [range?.[0] ?? 0, (range?.[1] ?? 1) - 1];
}

/** The first comma from an offset that is in no comment. */
function commaAt(text: string, from: number, to: number): number | undefined {
  const code = text.slice(from, to).replace(/(^|\s)#.*/g, (comment) => " ".repeat(comment.length));
  const comma = code.indexOf(",");
  return comma === -1 ? undefined : from + comma;
}

/** First character and end of an item of a collection. */
function extentOf(text: string, item: unknown): [number, number] {
  const first = isPair(item) ? (item.key as Node) : (item as Node);
  return [first.range?.[0] ?? 0, lastOffset(text, item)];
}

/** Where the last character of something is, without the comments and empty lines behind it. */
function lastOffset(text: string, item: unknown): number {
  if (isPair(item)) return endOfPair(text, item);
  if ((isMap(item) || isSeq(item)) && !item.flow && item.items.length > 0)
    return lastOffset(text, item.items.at(-1));
  return (item as Node | null)?.range?.[1] ?? 0;
}

function endOfPair(text: string, { key, value }: Pair): number {
  const isEmpty = value === null || (isScalar(value) && value.value === null && value.source === "");
  return isEmpty ? colonAfter(text, key as Node) : lastOffset(text, value);
}
