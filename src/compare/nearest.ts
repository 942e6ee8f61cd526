/**
 * Pairs items that are alike but for tolerated numbers, so that as many as possible lie within tolerance of
 * their partner. "Within" is not transitive (1.0 ~ 1.1 ~ 1.2), so this is a matching and no grouping.
 */

import { isJsonObject } from "./canonical.ts";
import { checkDebt } from "./debt.ts";
import { allowancesOf, type Context, itemNode, memberNode, type Node } from "./marks.ts";
import { isWithin, numericKind, WORK_PER_NUMBER } from "./tolerance.ts";

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
  /** The same numbers, each with its place; null: some are in an array without order, and go with any. */
  readonly leaves: readonly Node[] | null;
}

function sorted(context: Context, items: readonly Item[]): readonly Ranked[] {
  return items
    .map((item) => ({ ...item, ...toleratedNumbers(context, item.node) }))
    .sort((left, right) => compareLists(left.numbers, right.numbers));
}

/** The tolerated numbers in a value, in an order that is the same for values that are alike. */
function toleratedNumbers(context: Context, root: Node): Pick<Ranked, "numbers" | "leaves"> {
  const numbers: number[] = [];
  const leaves: Node[] = [];
  let isOrdered = true;
  const collect = (node: Node): void => {
    const { container, key, value } = node;
    context.work.left--;
    if (Array.isArray(value)) {
      if (context.marks.unordered.has(value)) isOrdered = false;
      for (let at = 0; at < value.length; at++) collect(itemNode(context, value, at));
    } else if (isJsonObject(value)) {
      for (const name of Object.keys(value).sort()) collect(memberNode(value, name));
    } else if (context.marks.allowances.get(container)?.has(key) && numericKind(value) !== null) {
      numbers.push(Number(typeof value === "symbol" ? value.description : value));
      leaves.push(node);
    }
  };
  collect(root);
  return { numbers, leaves: isOrdered ? leaves : null };
}

type IsNear = (old: Ranked, fresh: Ranked) => boolean;

/**
 * Whether items of one group are the same: they are alike but for their tolerated numbers. Where the last two were told
 * apart, the next two are looked at first.
 */
function createNearness(context: Context, isSame: Groups["isSame"]): IsNear {
  let suspect = 0;
  const isNearAt = (old: Node, fresh: Node): boolean => {
    if (old.value === fresh.value) return true;
    context.work.left -= WORK_PER_NUMBER;
    const allowances = allowancesOf(context.marks, old, fresh);
    return allowances !== null && isWithin(old.value, fresh.value, allowances);
  };
  return (old, fresh) => {
    checkDebt(context);
    if (old.leaves === null || fresh.leaves === null) return isSame(old.node, fresh.node);
    const { leaves } = fresh;
    context.work.left -= old.leaves.length;
    const isFar = (node: Node | undefined, at: number): boolean => {
      const other = leaves[at];
      return node !== undefined && (other === undefined || !isNearAt(node, other));
    };
    if (isFar(old.leaves[suspect], suspect)) {
      context.work.left += old.leaves.length - 1;
      return false;
    }
    const far = old.leaves.findIndex(isFar);
    if (far >= 0) suspect = far;
    return far < 0;
  };
}

function compareLists(left: readonly number[], right: readonly number[]): number {
  for (let at = 0; at < left.length && at < right.length; at++) {
    const leftNumber = left[at] ?? 0;
    const rightNumber = right[at] ?? 0;
    if (leftNumber !== rightNumber) return leftNumber < rightNumber ? -1 : 1;
  }
  return left.length - right.length;
}

interface Left {
  readonly old: readonly Ranked[];
  readonly new: readonly Ranked[];
}

function matchGroup(
  context: Context,
  old: readonly Ranked[],
  fresh: readonly Ranked[],
  isSame: Groups["isSame"],
): Left {
  const isNear = createNearness(context, isSame);
  const couples = matchInOrder(old, fresh, isNear);
  const isDone = couples.size === Math.min(old.length, fresh.length);
  const hasOneNumber = old.every(({ numbers }) => numbers.length <= 1);
  if (!isDone && !hasOneNumber && Math.max(old.length, fresh.length) <= MAX_SEARCHED) {
    matchMore(old, fresh, couples, isNear);
  }
  const taken = new Set(couples.values());
  return { old: old.filter((_, at) => !couples.has(at)), new: fresh.filter((_, at) => !taken.has(at)) };
}

/** Indexes of old and new that belong together. */
type Couples = Map<number, number>;

function matchInOrder(old: readonly Ranked[], fresh: readonly Ranked[], isNear: IsNear): Couples {
  const couples: Couples = new Map();
  let left = 0;
  let right = 0;
  for (;;) {
    const oldItem = old[left];
    const newItem = fresh[right];
    if (oldItem === undefined || newItem === undefined) return couples;
    if (isNear(oldItem, newItem)) couples.set(left++, right++);
    else if (compareLists(oldItem.numbers, newItem.numbers) <= 0) left++;
    else right++;
  }
}

/** Makes of a matching the largest one there is, by augmenting paths (Kuhn); only who needs it is looked at. */
function matchMore(old: readonly Ranked[], fresh: readonly Ranked[], couples: Couples, isNear: IsNear): void {
  const partnerOfNew = new Map<number, number>();
  for (const [oldAt, newAt] of couples) partnerOfNew.set(newAt, oldAt);
  const known = new Map<number, readonly number[]>();
  const nearTo = (oldAt: number): readonly number[] => {
    const before = known.get(oldAt);
    const item = old[oldAt];
    if (before !== undefined || item === undefined) return before ?? [];
    const near = fresh.flatMap((other, at) => (isNear(item, other) ? [at] : []));
    known.set(oldAt, near);
    return near;
  };
  const findPartner = (oldAt: number, tried: Set<number>): boolean => {
    for (const newAt of nearTo(oldAt)) {
      if (tried.has(newAt)) continue;
      tried.add(newAt);
      const rival = partnerOfNew.get(newAt);
      if (rival !== undefined && !findPartner(rival, tried)) continue;
      partnerOfNew.set(newAt, oldAt);
      couples.set(oldAt, newAt);
      return true;
    }
    return false;
  };
  for (const oldAt of old.keys()) if (!couples.has(oldAt)) findPartner(oldAt, new Set());
}
