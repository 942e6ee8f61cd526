/** What the paths of the rules found in two trees, by container and key. */

import type { Key } from "../model/jsonpath.ts";
import type { Work } from "./canonical.ts";
import type { OriginalIndexes } from "./redact.ts";
import type { Spots } from "./rename.ts";
import type { Allowance } from "./tolerance.ts";

export interface Marks {
  /** Arrays whose order means nothing. */
  readonly unordered: Set<object>;
  readonly allowances: Map<object, Map<Key, readonly Allowance[]>>;
  readonly hidden: Spots;
  /** Keys of arrays in all of these are those of the answer as it was received. */
  readonly indexes: OriginalIndexes;
}

export function createMarks(): Marks {
  return { unordered: new Set(), allowances: new Map(), hidden: new Map(), indexes: new Map() };
}

/** `alone` holds one allowance: most numbers have just that one, and share it. */
export function addAllowance(marks: Marks, container: object, key: Key, alone: readonly [Allowance]): void {
  let byKey = marks.allowances.get(container);
  if (byKey === undefined) {
    byKey = new Map();
    marks.allowances.set(container, byKey);
  }
  const known = byKey.get(key);
  if (known === undefined) byKey.set(key, alone);
  else if (!known.includes(alone[0])) byKey.set(key, [...known, alone[0]]);
}

/** One comparison: its marks, and the work that it may still do. */
export interface Context {
  readonly marks: Marks;
  readonly work: Work;
  /** Neither unordered arrays nor tolerated numbers: equal is equal. */
  readonly isPlain: boolean;
}

/** A value and where it is. `key` is the original one, in arrays that lost items too. */
export interface Node {
  readonly container: object;
  readonly key: Key;
  readonly value: unknown;
}

export function itemNode(context: { readonly marks: Marks }, items: readonly unknown[], at: number): Node {
  return { container: items, key: originalIndex(context.marks, items, at), value: items[at] };
}

export function originalIndex(marks: Marks, items: readonly unknown[], at: number): number {
  return marks.indexes.size === 0 ? at : (marks.indexes.get(items)?.[at] ?? at);
}

export function memberNode(container: Readonly<Record<string, unknown>>, key: string): Node {
  return { container, key, value: container[key] };
}

/** Null where none covers either number, which is the rule. */
export function allowancesOf(marks: Marks, old: Node, fresh: Node): readonly Allowance[] | null {
  if (marks.allowances.size === 0) return null;
  const forOld = marks.allowances.get(old.container)?.get(old.key) ?? null;
  const forNew = marks.allowances.get(fresh.container)?.get(fresh.key) ?? null;
  if (forOld === null || forNew === null || forOld === forNew) return forOld ?? forNew;
  return [...forOld, ...forNew];
}

export function isUnordered(marks: Marks, old: object, fresh: object): boolean {
  return marks.unordered.size > 0 && (marks.unordered.has(old) || marks.unordered.has(fresh));
}

export function isHidden({ hidden }: Pick<Marks, "hidden">, { container, key }: Node): boolean {
  return hidden.size > 0 && (hidden.get(container)?.has(key) ?? false);
}
