/** One rules file as text, tree and plain data, with the way back from a path in the data to its characters. */

import { isAlias, isMap, isScalar, isSeq, type Node } from "yaml";
import type { Problem, SourceText, Span } from "./problem.ts";
import { problemAt } from "./problem.ts";

export type Path = readonly (string | number)[];

export interface SourceFile extends SourceText {
  readonly root: Node | null;
  /** Every anchor by name, for following aliases. */
  readonly anchors: ReadonlyMap<string, Node>;
  /** Plain data, environment substituted. What could not be read is undefined in it, and reported already. */
  readonly data: unknown;
}

/** A field in a file: its value, or the name in front of it. */
export interface Place {
  readonly file: SourceFile;
  readonly path: Path;
  readonly at: "value" | "key";
}

/** The problem at a place. What is not there is placed at the nearest block of fields around it. */
export function problemAtPlace(place: Place, message: string): Problem {
  return problemAt(place.file, spanOf(place), message);
}

/** The characters of a place. */
export function spanOf(place: Place): Span {
  let node: Node | null = place.file.root;
  let span: Span = { start: 0, end: 1 };
  for (const [index, step] of place.path.entries()) {
    const found = child(follow(node, place.file.anchors), step);
    if (!found) return span;
    const isLast = index === place.path.length - 1;
    span =
      (isLast && place.at === "key" && spanOfNode(found.key)) || shownSpan(found.key, found.value) || span;
    node = found.value;
  }
  return span;
}

/** The plain value at a path; undefined when there is none. */
export function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** Is there something at a path, if only a value that could not be read (undefined)? */
export function isWritten(data: unknown, path: Path): boolean {
  const last = path.at(-1);
  if (last === undefined) return true;
  const parent = valueAt(data, path.slice(0, -1));
  return typeof parent === "object" && parent !== null && Object.hasOwn(parent, last);
}

/** A node, or what it is an alias of. */
export function follow(node: Node | null, anchors: ReadonlyMap<string, Node>): Node | null {
  // An alias of an alias cannot be written, so one step is enough.
  return isAlias(node) ? (anchors.get(node.source) ?? null) : node;
}

function child(
  node: Node | null,
  step: string | number,
): { key: Node | null; value: Node | null } | undefined {
  if (isSeq(node) && typeof step === "number") {
    const item = node.items[step] as Node | undefined;
    return item === undefined ? undefined : { key: null, value: item };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((each) => isScalar(each.key) && String(each.key.value) === String(step));
  return pair && { key: pair.key as Node, value: (pair.value as Node | null) ?? null };
}

/** Short values are marked themselves, blocks by the name in front of them. */
function shownSpan(key: Node | null, value: Node | null): Span | undefined {
  const keySpan = spanOfNode(key);
  const valueSpan = spanOfNode(value);
  if (!valueSpan || valueSpan.end === valueSpan.start) return keySpan;
  const isBlock = (isMap(value) || isSeq(value)) && !value.flow;
  return isBlock ? (keySpan ?? firstKeySpan(value) ?? valueSpan) : valueSpan;
}

/** For an item of a list: the name in it stands for the whole block. */
function firstKeySpan(value: Node | null): Span | undefined {
  return isMap(value) ? spanOfNode((value.items[0]?.key as Node | undefined) ?? null) : undefined;
}

function spanOfNode(node: Node | null): Span | undefined {
  const range = node?.range;
  return range ? { start: range[0], end: range[1] } : undefined;
}
