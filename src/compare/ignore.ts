/**
 * What a route's `ignore` paths name, taken out of both answers before they are compared.
 *
 * Names, indexes, wildcards and `..` are walked here (several times faster than the library, which keeps a
 * path for every node that it visits); everything else of RFC 9535 is left to the library.
 */

import { exec } from "jsonpath-rfc9535";
import parse from "jsonpath-rfc9535/parser";

import { isJsonObject } from "./canonical.ts";

type Key = string | number;
type Mark = (container: object, key: Key) => void;

interface Step {
  /** Null: every member or item. */
  readonly key: Key | null;
  /** At any depth (`..`). */
  readonly descends: boolean;
}

type CompiledPath =
  | { readonly kind: "steps"; readonly steps: readonly Step[] }
  | { readonly kind: "query"; readonly text: string };

export interface CompiledIgnore {
  /** `$` itself is ignored: bodies are not compared at all. */
  readonly whole: boolean;
  readonly paths: readonly CompiledPath[];
}

/** For arrays that lost items: where each item that is left was. */
export type OriginalIndexes = Map<object, readonly number[]>;

/** Compiles JSONPaths. Throws an Error that names the path that is not one. */
export function compileIgnore(paths: readonly string[]): CompiledIgnore {
  const compiled = paths.map(compilePath);
  return {
    whole: compiled.some((path) => path.kind === "steps" && path.steps.length === 0),
    paths: compiled,
  };
}

type Segment = ReturnType<typeof parse>["segments"][number];

function compilePath(text: string): CompiledPath {
  let segments: readonly Segment[];
  try {
    segments = parse(text).segments;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`ignore: ${JSON.stringify(text)} is not a JSONPath (write e.g. "$.updatedAt"): ${why}`);
  }
  const steps: Step[] = [];
  for (const segment of segments) {
    const key = simpleKey(segment);
    if (key === undefined) return { kind: "query", text };
    steps.push({ key, descends: segment.type === "DescendantSegment" });
  }
  return { kind: "steps", steps };
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
 * Removes the matched nodes from `tree`, in place, and notes in `indexes` where items of shortened arrays
 * were, so that places go on naming the answer as it was received. `shape` is the same document with plain
 * numbers, for filters that look at values (the numbers of `tree` may be symbols, see json.ts).
 */
export function removeIgnored(
  ignore: CompiledIgnore,
  tree: unknown,
  shape: unknown,
  indexes: OriginalIndexes,
): void {
  const doomed = new Map<object, Set<Key>>();
  const mark: Mark = (container, key) => {
    const keys = doomed.get(container);
    if (keys === undefined) doomed.set(container, new Set([key]));
    else keys.add(key);
  };
  // Everything is found before anything is removed: removing moves what later paths would count.
  for (const path of ignore.paths) {
    if (path.kind === "steps") markSteps(tree, path.steps, 0, mark);
    else markQuery(tree, shape, path.text, mark);
  }
  for (const [container, keys] of doomed) {
    if (Array.isArray(container)) indexes.set(container, removeItems(container, keys));
    else for (const key of keys) Reflect.deleteProperty(container, key);
  }
}

function removeItems(items: unknown[], doomed: ReadonlySet<Key>): readonly number[] {
  const left: number[] = [];
  for (let at = 0; at < items.length; at++) {
    if (doomed.has(at)) continue;
    items[left.length] = items[at];
    left.push(at);
  }
  items.length = left.length;
  return left;
}

function markSteps(value: unknown, steps: readonly Step[], at: number, mark: Mark): void {
  const step = steps[at];
  if (step === undefined || typeof value !== "object" || value === null) return;
  const isLast = at === steps.length - 1;
  for (const key of selectedKeys(value, step.key)) {
    if (isLast) mark(value, key);
    else markSteps(childOf(value, key), steps, at + 1, mark);
  }
  if (!step.descends) return;
  if (Array.isArray(value)) for (const item of value) markSteps(item, steps, at, mark);
  else for (const key of Object.keys(value)) markSteps(childOf(value, key), steps, at, mark);
}

function selectedKeys(container: object, key: Key | null): Iterable<Key> {
  if (Array.isArray(container)) {
    if (key === null) return container.keys();
    if (typeof key === "string") return [];
    const index = key < 0 ? container.length + key : key;
    return index >= 0 && index < container.length ? [index] : [];
  }
  if (key === null) return Object.keys(container);
  return typeof key === "string" && Object.hasOwn(container, key) ? [key] : [];
}

function childOf(container: object, key: Key): unknown {
  if (Array.isArray(container)) return typeof key === "number" ? container[key] : undefined;
  return isJsonObject(container) && Object.hasOwn(container, key) ? container[key] : undefined;
}

function markQuery(tree: unknown, shape: unknown, text: string, mark: Mark): void {
  exec(shape as Parameters<typeof exec>[0], text, (_value, path) => {
    const last = path.at(-1);
    if (last === undefined) return;
    let container = tree;
    for (const key of path.slice(0, -1)) container = step(container, plainKey(key));
    if (typeof container === "object" && container !== null) mark(container, plainKey(last));
  });
}

function step(value: unknown, key: Key): unknown {
  return typeof value === "object" && value !== null ? childOf(value, key) : undefined;
}

/** The library hands out names escaped as in a normalized path. */
function plainKey(key: Key): Key {
  if (typeof key === "number" || !key.includes("\\")) return key;
  return key.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_all, hex: string | undefined, character: string) =>
    hex === undefined ? (ESCAPES[character] ?? character) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
