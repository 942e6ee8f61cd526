/** What nobody may see: found before anything is removed or moved, and shown as "[redacted]". */

import type { ParsedPath, ParsedRename, Step } from "../model/jsonpath.ts";
import { isJsonObject } from "./canonical.ts";
import type { Spots } from "./rename.ts";

/** Stands for a value in texts and samples. */
export const REDACTED = "[redacted]";

/** For arrays that lost items: where each item that is left was. */
export type OriginalIndexes = Map<object, readonly number[]>;

/**
 * The redacted paths, and by either name those that lead to, into or around a renamed member: what is secret
 * under old's name is secret under new's. Paths with filters, slices or unions are taken as they stand.
 */
export function redactedByBothNames(
  paths: readonly ParsedPath[],
  renames: readonly ParsedRename[],
): readonly ParsedPath[] {
  const all = [...paths];
  for (const path of paths) {
    if (path.kind !== "steps") continue;
    for (const rename of renames) {
      for (const steps of renamedPaths(path.steps, rename.old, rename.new))
        all.push({ kind: "steps", steps });
      for (const steps of renamedPaths(path.steps, rename.new, rename.old))
        all.push({ kind: "steps", steps });
    }
  }
  return all;
}

/** Where a path leads after what lies at `from` went to `to`; none where they have nothing in common. */
function renamedPaths(
  path: readonly Step[],
  from: readonly Step[],
  to: readonly Step[],
): readonly (readonly Step[])[] {
  /** How many steps of the path may have been taken on the way so far. */
  let taken = new Set([0]);
  for (const { key } of from) {
    const next = new Set<number>();
    for (const count of taken) {
      const step = path[count];
      if (step === undefined) continue;
      if (step.descends) next.add(count);
      if (step.key === null || key === null || mayBeSame(step.key, key)) next.add(count + 1);
    }
    taken = next;
    // The member, or something around it, is secret: so it is wherever it goes.
    if (taken.has(path.length)) return [to];
  }
  // Nothing taken yet is a `..` at the root, which finds the new place by itself.
  taken.delete(0);
  return [...taken].map((count) => [...to, ...path.slice(count)]);
}

function mayBeSame(step: string | number, key: string | number): boolean {
  // A negative index may be any.
  return step === key || (typeof step === "number" && step < 0 && typeof key === "number");
}

/**
 * A copy of a value with the hidden nodes below it as "[redacted]". `raw` is the same document with its long
 * numbers as they are to be shown, mostly the value itself. Keys are counted by `indexes`. At most
 * `maxNodes` nodes are copied; the text that is made of them is cut before it would show what is missing.
 */
export function redactedCopy(
  value: unknown,
  hidden: Spots,
  indexes: OriginalIndexes,
  raw: unknown = value,
  maxNodes: number = Number.POSITIVE_INFINITY,
): unknown {
  let left = maxNodes;
  const copy = (from: unknown, rawFrom: unknown): unknown => {
    left--;
    if (Array.isArray(from)) {
      const spots = hidden.get(from);
      const original = indexes.get(from);
      const rawItems = Array.isArray(rawFrom) ? rawFrom : from;
      const items: unknown[] = [];
      for (let at = 0; at < from.length && left > 0; at++) {
        items.push(spots?.has(original?.[at] ?? at) ? REDACTED : copy(from[at], rawItems[at]));
      }
      return items;
    }
    if (!isJsonObject(from)) return rawFrom;
    const spots = hidden.get(from);
    const rawMembers = isJsonObject(rawFrom) ? rawFrom : from;
    const members: [string, unknown][] = [];
    for (const key of Object.keys(from)) {
      if (left <= 0) break;
      members.push([key, spots?.has(key) ? REDACTED : copy(from[key], rawMembers[key])]);
    }
    // Unlike an assignment, entries may be named __proto__.
    return Object.fromEntries(members);
  };
  return copy(value, raw);
}
