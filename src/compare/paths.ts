/**
 * The nodes that JSONPaths name in a tree.
 *
 * Names, indexes, wildcards and `..` are walked here (several times faster than the library, which keeps a
 * path for every node that it visits); everything else of RFC 9535 is left to the library.
 */

import { exec } from "jsonpath-rfc9535";

import { type Key, type ParsedPath, parsePath, type Step } from "../model/jsonpath.ts";
import { isJsonObject } from "./canonical.ts";

/** What a root is a member of, so that every node, the root too, has a container and a key. */
export type Holder = [root: unknown];

/** One node: `container` is an object, an array, or the holder. */
export type Visit = (container: object, key: Key) => void;

/** Compiles JSONPaths of one field of `compare`. Throws an Error that names the path that is not one. */
export function compilePaths(field: string, paths: readonly string[]): readonly ParsedPath[] {
  return paths.map((text) => compilePath(field, text));
}

export function compilePath(field: string, text: string): ParsedPath {
  try {
    return parsePath(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${field}: ${JSON.stringify(text)} is not a JSONPath that can be used here: ${why}`);
  }
}

/**
 * Visits every node of the tree in `holder` that a path names, at least once and at most a few times. `shape`
 * holds the same document with plain numbers, for filters that look at values (the numbers of the tree may be
 * symbols, see json.ts); mostly it is the holder itself. Nothing may be changed before all is found.
 * `stopped` is called for every text, number and boolean where a path of steps had to end too early (`isStop`).
 */
export function visitNodes(
  path: ParsedPath,
  holder: Holder,
  shape: Holder,
  visit: Visit,
  stopped: Visit | null = null,
): void {
  if (path.kind === "query") {
    visitQuery(path.text, holder, shape, visit);
    return;
  }
  const { steps } = path;
  if (steps.length === 0) visit(holder, 0);
  else if (stopped !== null && isStop(holder[0], steps, 0)) stopped(holder, 0);
  else visitSteps({ steps, visit, stopped, seen: seenOf(steps) }, holder[0], 0);
}

interface Search {
  readonly steps: readonly Step[];
  readonly visit: Visit;
  readonly stopped: Visit | null;
  /** By step: the values whose descendants were searched already; null: no path can come twice. */
  readonly seen: readonly Set<object>[] | null;
}

/** `$..a..b` meets a `b` below ten `a` ten times, and a hostile body nests 500 of them. */
function seenOf(steps: readonly Step[]): readonly Set<object>[] | null {
  const descents = steps.filter((step) => step.descends).length;
  return descents < 2 ? null : steps.map(() => new Set<object>());
}

function visitSteps(search: Search, value: unknown, at: number): void {
  const step = search.steps[at];
  if (step === undefined || typeof value !== "object" || value === null) return;
  const seen = search.seen?.[at];
  if (seen?.has(value)) return;
  seen?.add(value);
  const isLast = at === search.steps.length - 1;
  for (const key of selectedKeys(value, step.key)) {
    if (isLast) {
      search.visit(value, key);
      continue;
    }
    const child = childOf(value, key);
    if (search.stopped !== null && isStop(child, search.steps, at + 1)) search.stopped(value, key);
    else visitSteps(search, child, at + 1);
  }
  if (!step.descends) return;
  if (Array.isArray(value)) for (const item of value) visitSteps(search, item, at);
  else for (const key of Object.keys(value)) visitSteps(search, childOf(value, key), at);
}

/**
 * Whether the way to `steps[at]` ends at a value that has no members. Not where that step or the one before looks
 * anywhere for anything (`$..e`, `$..*.e`): it would stop at all there is.
 */
function isStop(value: unknown, steps: readonly Step[], at: number): boolean {
  if (value === null || value === undefined || typeof value === "object") return false;
  const before = steps[at - 1];
  return steps[at]?.descends === false && !(before?.descends === true && before.key === null);
}

/** The keys of a container that a step selects; null: all. */
export function selectedKeys(container: object, key: Key | null): Iterable<Key> {
  if (Array.isArray(container)) {
    if (key === null) return container.keys();
    if (typeof key === "string") return [];
    const index = key < 0 ? container.length + key : key;
    return index >= 0 && index < container.length ? [index] : [];
  }
  if (key === null) return Object.keys(container);
  return typeof key === "string" && Object.hasOwn(container, key) ? [key] : [];
}

/** The value of an own key, undefined where there is none. */
export function childOf(container: object, key: Key): unknown {
  if (Array.isArray(container)) return typeof key === "number" ? container[key] : undefined;
  return isJsonObject(container) && Object.hasOwn(container, key) ? container[key] : undefined;
}

/** Sets an own member, whatever its name: assigning to `__proto__` would change the prototype. */
export function setChild(container: object, key: Key, value: unknown): void {
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
}

function visitQuery(text: string, holder: Holder, shape: Holder, visit: Visit): void {
  exec(shape[0] as Parameters<typeof exec>[0], text, (_value, path) => {
    let container: unknown = holder;
    let key: Key = 0;
    for (const next of path) {
      container = stepInto(container, key);
      key = plainKey(next);
    }
    if (typeof container === "object" && container !== null) visit(container, key);
  });
}

function stepInto(value: unknown, key: Key): unknown {
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
