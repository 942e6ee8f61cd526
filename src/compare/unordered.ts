/** Two arrays whose order means nothing: what is left when equal items have cancelled, side by side. */

import { isJsonObject } from "./canonical.ts";
import { itemNode, memberNode, type Node } from "./marks.ts";
import { byName, NAMING_MEMBERS } from "./naming.ts";
import { type Comparing, matchEqual, WORK_PER_ITEM } from "./same.ts";

/** What is left of two arrays: indexes of old and new. */
export interface Matching {
  /** Differ, but belong together. */
  readonly pairs: readonly (readonly [number, number])[];
  readonly missing: readonly number[];
  readonly added: readonly number[];
}

/** Looks at so many couples of items at most; common features, which say least, are looked at last. */
const MAX_COUPLES = 200_000;

/** Of one item, below its own members; more would say no more. */
const MAX_INNER_FEATURES = 60;
const MAX_FEATURE_DEPTH = 4;

/**
 * Matches the items of two arrays as multisets. What has no equal is paired by the member that names items,
 * then with whom it shares most, then by its shape: one changed field of one item is one difference there.
 * When the work is spent, equal items still cancel; the rest is paired by shape alone.
 */
export function matchUnordered(
  context: Comparing,
  oldItems: readonly unknown[],
  newItems: readonly unknown[],
): Matching {
  const left = matchEqual(context, oldItems, newItems);
  const leftOvers: LeftOvers = {
    old: new Set(left.old),
    new: new Set(left.new),
    pairs: [],
    nodeOf: (side, at) => itemNode(context, side === "old" ? oldItems : newItems, at),
  };
  if (left.old.length > 0 && left.new.length > 0) {
    const cost = (left.old.length + left.new.length) * WORK_PER_ITEM;
    if (context.work.left >= cost) {
      context.work.left -= cost;
      pairByName(leftOvers);
      pairByLikeness(context, leftOvers);
    }
    pairByShape(leftOvers);
  }
  return {
    pairs: leftOvers.pairs.sort((one, other) => one[0] - other[0]),
    missing: [...leftOvers.old],
    added: [...leftOvers.new],
  };
}

interface LeftOvers {
  readonly old: Set<number>;
  readonly new: Set<number>;
  readonly pairs: (readonly [number, number])[];
  readonly nodeOf: (side: "old" | "new", at: number) => Node;
}

function pair(leftOvers: LeftOvers, oldAt: number, newAt: number): void {
  if (!leftOvers.old.has(oldAt) || !leftOvers.new.has(newAt)) return;
  leftOvers.old.delete(oldAt);
  leftOvers.new.delete(newAt);
  leftOvers.pairs.push([oldAt, newAt]);
}

function pairByName(leftOvers: LeftOvers): void {
  const valuesOf = (side: "old" | "new"): (readonly [number, unknown])[] =>
    [...leftOvers[side]].map((at) => [at, leftOvers.nodeOf(side, at).value]);
  for (const member of NAMING_MEMBERS) {
    const oldNames = byName(valuesOf("old"), member);
    const newNames = oldNames === null ? null : byName(valuesOf("new"), member);
    if (oldNames === null || newNames === null) continue;
    for (const [name, oldAt] of oldNames) {
      const newAt = newNames.get(name);
      if (newAt !== undefined) pair(leftOvers, oldAt, newAt);
    }
    return;
  }
}

interface Sharers {
  readonly old: number[];
  readonly new: number[];
}

/** The more members two items share, and the fewer others share them, the surer they are the same thing. */
function pairByLikeness(context: Comparing, leftOvers: LeftOvers): void {
  const sharers = new Map<string, Sharers>();
  for (const side of ["old", "new"] as const) {
    for (const at of leftOvers[side]) {
      if (context.work.left < 0) break;
      for (const feature of featuresOf(context, leftOvers.nodeOf(side, at))) {
        const known = sharers.get(feature) ?? { old: [], new: [] };
        if (known[side].at(-1) !== at) known[side].push(at);
        sharers.set(feature, known);
      }
    }
  }
  const couples = (shared: Sharers): number => shared.old.length * shared.new.length;
  const telling = [...sharers.values()].filter((shared) => couples(shared) > 0);
  telling.sort((left, right) => couples(left) - couples(right));
  const scores = new Map<number, Map<number, number>>();
  let budget = Math.min(MAX_COUPLES, context.work.left);
  for (const shared of telling) {
    budget -= couples(shared);
    if (budget < 0) break;
    const weight = 1 / (shared.old.length + shared.new.length);
    for (const oldAt of shared.old) {
      const row = scores.get(oldAt) ?? new Map<number, number>();
      scores.set(oldAt, row);
      for (const newAt of shared.new) row.set(newAt, (row.get(newAt) ?? 0) + weight);
    }
  }
  context.work.left -= MAX_COUPLES - Math.max(0, budget);
  const ranked: (readonly [number, number, number])[] = [];
  for (const [oldAt, row] of scores) for (const [newAt, score] of row) ranked.push([score, oldAt, newAt]);
  ranked.sort((left, right) => right[0] - left[0] || left[1] - right[1] || left[2] - right[2]);
  for (const [, oldAt, newAt] of ranked) pair(leftOvers, oldAt, newAt);
}

/**
 * Numbers and texts that are the same for what two items share: members and items as they are, and the simple values
 * in them by the way that leads there, so that who changed in several places is known by all the others.
 */
function featuresOf(context: Comparing, root: Node): readonly string[] {
  const { identities, work } = context;
  const features: string[] = [];
  let level: readonly Way[] = childrenOf(context, { node: root, text: "" });
  let room = level.length + MAX_INNER_FEATURES;
  for (let depth = 0; depth < MAX_FEATURE_DEPTH && level.length > 0 && room > 0; depth++) {
    for (const { node, text } of level.slice(0, room)) features.push(`${text}:${identities.rough(node)}`);
    room -= level.length;
    const inner: Way[] = [];
    for (const way of level) {
      if (inner.length >= room) break;
      inner.push(...childrenOf(context, way));
    }
    level = inner;
  }
  work.left -= features.length * WORK_PER_ITEM;
  return features;
}

/** A node in an item, and how it is reached: indexes of lists say nothing. */
interface Way {
  readonly node: Node;
  readonly text: string;
}

function childrenOf(context: Comparing, { node: { value }, text }: Way): readonly Way[] {
  if (Array.isArray(value)) {
    return value.map((_, at) => ({ node: itemNode(context, value, at), text: `${text}[` }));
  }
  if (!isJsonObject(value)) return [];
  return Object.keys(value).map((key) => ({
    node: memberNode(value, key),
    text: `${text}.${context.identities.exact(key)}`,
  }));
}

/** What is still left goes by order with what looks like it: the same members, or any simple value. */
function pairByShape(leftOvers: LeftOvers): void {
  const waiting = new Map<string, number[]>();
  for (const at of leftOvers.new) {
    const shape = shapeOf(leftOvers.nodeOf("new", at).value);
    const others = waiting.get(shape);
    if (others === undefined) waiting.set(shape, [at]);
    else others.push(at);
  }
  for (const others of waiting.values()) others.reverse();
  for (const oldAt of [...leftOvers.old]) {
    const newAt = waiting.get(shapeOf(leftOvers.nodeOf("old", oldAt).value))?.pop();
    if (newAt !== undefined) pair(leftOvers, oldAt, newAt);
  }
}

function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return "[";
  return isJsonObject(value) ? JSON.stringify(Object.keys(value).sort()) : "";
}
