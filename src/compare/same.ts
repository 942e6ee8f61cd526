/** Whether two values are the same by the rules: order and small distances forgiven where the rules say so. */

import { isJsonObject, sameJson } from "./canonical.ts";
import { checkDebt } from "./debt.ts";
import { createIdentities, type Identities } from "./identity.ts";
import {
  allowancesOf,
  type Context,
  isUnordered,
  itemNode,
  type Marks,
  memberNode,
  type Node,
} from "./marks.ts";
import { matchNearest } from "./nearest.ts";
import { isWithin, WORK_PER_NUMBER } from "./tolerance.ts";

export interface Comparing extends Context {
  readonly identities: Identities;
  /** What is known of unordered arrays of old and new. */
  readonly sameArrays: Map<object, Map<object, boolean>>;
}

/** About a tenth of a second; a usual pair needs a hundredth of it. */
const WORK = 5_000_000;

/** A comparison of two trees that bear these marks; nothing is known yet. */
export function createComparing(marks: Marks): Comparing {
  const isPlain = marks.unordered.size === 0 && marks.allowances.size === 0;
  const context = { marks, work: { left: WORK }, isPlain };
  return { ...context, identities: createIdentities(context), sameArrays: new Map() };
}

export function sameNodes(context: Comparing, old: Node, fresh: Node): boolean {
  const left = old.value;
  const right = fresh.value;
  if (context.isPlain) return sameJson(left, right, context.work);
  context.work.left--;
  if (left === right) return true;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    if (isUnordered(context.marks, left, right)) return sameUnordered(context, left, right);
    return left.every((_, at) =>
      sameNodes(context, itemNode(context, left, at), itemNode(context, right, at)),
    );
  }
  if (isJsonObject(left)) {
    if (!isJsonObject(right)) return false;
    const keys = Object.keys(left);
    if (keys.length !== Object.keys(right).length) return false;
    return keys.every(
      (key) => Object.hasOwn(right, key) && sameNodes(context, memberNode(left, key), memberNode(right, key)),
    );
  }
  const allowances = allowancesOf(context.marks, old, fresh);
  if (allowances === null) return false;
  context.work.left -= WORK_PER_NUMBER;
  return isWithin(left, right, allowances);
}

/** Remembered: in nested arrays every level asks again for all below it. */
function sameUnordered(context: Comparing, left: readonly unknown[], right: readonly unknown[]): boolean {
  let known = context.sameArrays.get(left);
  if (known === undefined) {
    known = new Map();
    context.sameArrays.set(left, known);
  }
  const before = known.get(right);
  if (before !== undefined) return before;
  const are = matchEqual(context, left, right).old.length === 0;
  known.set(right, are);
  return are;
}

/** What it costs to find an item's like, beside one step of a walk. */
export const WORK_PER_ITEM = 15;

/** Indexes of the items that have no equal on the other side. */
export interface Unmatched {
  readonly old: readonly number[];
  readonly new: readonly number[];
}

/** Takes from two arrays, whose order means nothing, one item of each for every two that are the same. */
export function matchEqual(
  context: Comparing,
  oldItems: readonly unknown[],
  newItems: readonly unknown[],
): Unmatched {
  const { identities } = context;
  const left = cancel(
    oldItems.map((_, at) => at),
    newItems.map((_, at) => at),
    (at) => identities.exact(oldItems[at]),
    (at) => identities.exact(newItems[at]),
  );
  if (context.marks.allowances.size === 0 || left.old.length === 0 || left.new.length === 0) return left;
  context.work.left -= (left.old.length + left.new.length) * WORK_PER_ITEM;
  checkDebt(context);
  const couple = (old: readonly number[], fresh: readonly number[]): Unmatched =>
    matchNearest(context, {
      old: groupBy(context, oldItems, old),
      new: groupBy(context, newItems, fresh),
      isSame: (one, other) => sameNodes(context, one, other),
    });
  const still = couple(left.old, left.new);
  const canBeMore = still.old.length > 0 && still.new.length > 0;
  if (!canBeMore || left.old.length === oldItems.length) return still;
  // 1.0 and 1.1 beside 1.1 and 1.2: who takes what is equal may leave others without one that is near.
  context.work.left -= (oldItems.length + newItems.length) * WORK_PER_ITEM;
  const all = couple([...oldItems.keys()], [...newItems.keys()]);
  return all.old.length < still.old.length ? all : still;
}

function cancel(
  oldAts: readonly number[],
  newAts: readonly number[],
  oldNumber: (at: number) => number,
  newNumber: (at: number) => number,
): Unmatched {
  const waiting = new Map<number, number[]>();
  for (const at of newAts) {
    const number = newNumber(at);
    const others = waiting.get(number);
    if (others === undefined) waiting.set(number, [at]);
    else others.push(at);
  }
  // The first one waiting goes first; shift() would take quadratic time.
  for (const ats of waiting.values()) ats.reverse();
  const old = oldAts.filter((at) => waiting.get(oldNumber(at))?.pop() === undefined);
  return { old, new: [...waiting.values()].flat().sort((left, right) => left - right) };
}

function groupBy(
  context: Comparing,
  items: readonly unknown[],
  ats: readonly number[],
): Map<number, { readonly at: number; readonly node: Node }[]> {
  const groups = new Map<number, { readonly at: number; readonly node: Node }[]>();
  for (const at of ats) {
    const node = itemNode(context, items, at);
    const number = context.identities.rough(node);
    const group = groups.get(number);
    if (group === undefined) groups.set(number, [{ at, node }]);
    else group.push({ at, node });
  }
  return groups;
}
