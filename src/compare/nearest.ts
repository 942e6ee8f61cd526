/**
 * Pairs items that are alike but for tolerated numbers, so that as many as possible lie within tolerance of
 * their partner. "Within" is not transitive (1.0 ~ 1.1 ~ 1.2), so this is a matching and no grouping.
 */

import { isJsonObject } from "./canonical.ts";
import { type Context, itemNode, memberNode, type Node } from "./marks.ts";
import { numericKind } from "./tolerance.ts";

interface Item {
  readonly at: number;
  readonly node: Node;
}

interface Groups {
  /** By a number that is the same for values which may lie within tolerance of each other. */
  readonly old: ReadonlyMap<number, readonly Item[]>;
  readonly new: ReadonlyMap<number, readonly Item[]>;
  readonly isSame: (old: Node, fresh: Node) => boolean;
}

/** Larger groups are matched in the order of their numbers alone, which is the best way for one number an item. */
const MAX_SEARCHED = 200;

/** The indexes that find no partner. */
export function matchNearest(
  context: Context,
  groups: Groups,
): { readonly old: readonly number[]; readonly new: readonly number[] } {
  const oldLeft: number[] = [];
  const newLeft: number[] = [];
  for (const [number, items] of groups.old) {
    const others = groups.new.get(number) ?? [];
    const left = matchGroup(context, sorted(context, items), sorted(context, others), groups.isSame);
    for (const { at } of left.old) oldLeft.push(at);
    for (const { at } of left.new) newLeft.push(at);
  }
  for (const [number, items] of groups.new) {
    if (!groups.old.has(number)) for (const { at } of items) newLeft.push(at);
  }
  const ascending = (left: number, right: number): number => left - right;
  return { old: oldLeft.sort(ascending), new: newLeft.sort(ascending) };
}

interface Ranked extends Item {
  readonly numbers: readonly number[];
}

function sorted(context: Context, items: readonly Item[]): readonly Ranked[] {
  return items
    .map((item) => ({ ...item, numbers: toleratedNumbers(context, item.node) }))
    .sort((left, right) => compareLists(left.numbers, right.numbers));
}

/** The tolerated numbers in a value, in an order that is the same for values that are alike. */
function toleratedNumbers(context: Context, root: Node): readonly number[] {
  const numbers: number[] = [];
  const collect = (node: Node): void => {
    const { container, key, value } = node;
    context.work.left--;
    if (Array.isArray(value)) {
      for (let at = 0; at < value.length; at++) collect(itemNode(context, value, at));
    } else if (isJsonObject(value)) {
      for (const name of Object.keys(value).sort()) collect(memberNode(value, name));
    } else if (context.marks.allowances.get(container)?.has(key) && numericKind(value) !== null) {
      numbers.push(Number(typeof value === "symbol" ? value.description : value));
    }
  };
  collect(root);
  return numbers;
}

function compareLists(left: readonly number[], right: readonly number[]): number {
  for (let at = 0; at < left.length && at < right.length; at++) {
    const leftNumber = left[at] ?? 0;
    const rightNumber = right[at] ?? 0;
    if (leftNumber !== rightNumber) return leftNumber < rightNumber ? -1 : 1;
  }
  return left.length - right.length;
}

function matchGroup(
  context: Context,
  old: readonly Ranked[],
  fresh: readonly Ranked[],
  isSame: Groups["isSame"],
): { readonly old: readonly Ranked[]; readonly new: readonly Ranked[] } {
  const inOrder = matchInOrder(old, fresh, isSame);
  if (inOrder.old.length === 0 || inOrder.new.length === 0) return inOrder;
  const cells = old.length * fresh.length;
  const hasOneNumber = old.every(({ numbers }) => numbers.length <= 1);
  if (hasOneNumber || Math.max(old.length, fresh.length) > MAX_SEARCHED || context.work.left < cells)
    return inOrder;
  context.work.left -= cells;
  return matchMost(old, fresh, isSame);
}

function matchInOrder(
  old: readonly Ranked[],
  fresh: readonly Ranked[],
  isSame: Groups["isSame"],
): { readonly old: readonly Ranked[]; readonly new: readonly Ranked[] } {
  const oldLeft: Ranked[] = [];
  const newLeft: Ranked[] = [];
  let left = 0;
  let right = 0;
  for (;;) {
    const oldItem = old[left];
    const newItem = fresh[right];
    if (oldItem === undefined || newItem === undefined) break;
    if (isSame(oldItem.node, newItem.node)) {
      left++;
      right++;
    } else if (compareLists(oldItem.numbers, newItem.numbers) <= 0) {
      oldLeft.push(oldItem);
      left++;
    } else {
      newLeft.push(newItem);
      right++;
    }
  }
  return { old: [...oldLeft, ...old.slice(left)], new: [...newLeft, ...fresh.slice(right)] };
}

/** The largest matching, by augmenting paths (Kuhn). */
function matchMost(
  old: readonly Ranked[],
  fresh: readonly Ranked[],
  isSame: Groups["isSame"],
): { readonly old: readonly Ranked[]; readonly new: readonly Ranked[] } {
  const near = old.map(({ node }) => fresh.flatMap((other, at) => (isSame(node, other.node) ? [at] : [])));
  const partnerOfNew = new Map<number, number>();
  const findPartner = (oldAt: number, tried: Set<number>): boolean => {
    for (const newAt of near[oldAt] ?? []) {
      if (tried.has(newAt)) continue;
      tried.add(newAt);
      const rival = partnerOfNew.get(newAt);
      if (rival !== undefined && !findPartner(rival, tried)) continue;
      partnerOfNew.set(newAt, oldAt);
      return true;
    }
    return false;
  };
  const oldLeft = old.filter((_, at) => !findPartner(at, new Set()));
  return { old: oldLeft, new: fresh.filter((_, at) => !partnerOfNew.has(at)) };
}
