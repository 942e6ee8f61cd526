/**
 * Both bodies of a pair without what nobody may see, so that they compare just as they did with it: a hidden value is
 * "[redacted]" on both sides where both have the same, and "[redacted 1]", "[redacted 2]" … elsewhere, one number for
 * each value of the pair. That says which values are equal, and nothing else of them.
 */

import type { Key } from "../model/jsonpath.ts";
import { isJsonObject, sameJson } from "./canonical.ts";
import { type ExactNumbers, parseRaw } from "./json.ts";
import { isHidden, type Marks, type Node } from "./marks.ts";
import { type Holder, setChild } from "./paths.ts";
import { REDACTED } from "./redact.ts";
import type { Spots } from "./rename.ts";
import { createComparing, sameNodes } from "./same.ts";
import { applyRules, exactSideOf, markHidden, type Side } from "./sides.ts";
import type { Tree, TreeRules } from "./tree-rules.ts";

/** A hidden value, and where its marker goes. */
interface Slot {
  readonly into: object;
  readonly key: Key;
  readonly node: Node;
  /** The outermost list around it; null: it is in none. */
  readonly list: readonly unknown[] | null;
}

interface Copy {
  readonly side: Side;
  /** What is stored: everything but the hidden values. */
  readonly copy: Holder;
  readonly slots: readonly Slot[];
  readonly slotAt: ReadonlyMap<object, ReadonlyMap<Key, Slot>>;
}

/**
 * Copies of both trees with the nodes under `redact` paths as markers. "The same" is by all rules: what is ignored
 * within a hidden value counts for nothing there. In lists that differ, where nobody knows which item belongs to which,
 * every value has its number: tolerated numbers are the same only where they are equal, and one item that is hidden
 * equals none that is not. JSON.stringify of the
 * copies keeps all digits. Trees with a text may have been through `diffTrees`. Throws TooMuchWork as `diffTrees` does.
 */
export function redactPair(
  old: Tree,
  fresh: Tree,
  rules: TreeRules,
): { readonly old: unknown; readonly new: unknown } {
  const exactNumbers: ExactNumbers = new Map();
  const [left, right] = [copyOf(old, rules, exactNumbers), copyOf(fresh, rules, exactNumbers)];
  const { same, partners, equalLists } = findPartners(left, right);
  // From here on the trees are without what is ignored; nothing else looks at them any more.
  const { marks } = applyRules(left.side, right.side, rules);
  const comparing = createComparing(marks);
  for (const [oldSlot, newSlot] of partners) {
    if (sameNodes(comparing, oldSlot.node, newSlot.node)) same.add(oldSlot).add(newSlot);
  }
  const { exact } = comparing.identities;
  const all = [...left.slots, ...right.slots];
  const isSame = (slot: Slot): boolean => same.has(slot) || (slot.list !== null && equalLists.has(slot.list));
  const numbers = new Map<number, number>();
  for (const slot of all) {
    const identity = isSame(slot) ? null : exact(slot.node.value);
    if (identity !== null && !numbers.has(identity)) numbers.set(identity, numbers.size + 1);
  }
  // What moves to another name may meet there what has a number: then it needs it too.
  const mayMeet = rules.rename.length > 0;
  for (const slot of all) {
    const isPlain = isSame(slot) && !(mayMeet && numbers.has(exact(slot.node.value)));
    const marker = isPlain ? REDACTED : `[redacted ${numbers.get(exact(slot.node.value))}]`;
    setChild(slot.into, slot.key, marker);
  }
  return { old: left.copy[0], new: right.copy[0] };
}

function copyOf(tree: Tree, rules: TreeRules, exactNumbers: ExactNumbers): Copy {
  const side = exactSideOf(tree, rules, exactNumbers);
  const hidden: Spots = new Map();
  markHidden(side, rules, hidden);
  const raw = tree.text === null || tree.longNumbers.length === 0 ? side.shape[0] : parseRaw(tree.text);
  const slots: Slot[] = [];
  const slotAt = new Map<object, Map<Key, Slot>>();
  const marks: Pick<Marks, "hidden"> = { hidden };

  const child = (into: object, node: Node, rawValue: unknown, list: Slot["list"]): unknown => {
    if (!isHidden(marks, node)) return copied(node.value, rawValue, list);
    const slot = { into, key: node.key, node, list };
    slots.push(slot);
    const byKey = slotAt.get(node.container);
    if (byKey === undefined) slotAt.set(node.container, new Map([[node.key, slot]]));
    else byKey.set(node.key, slot);
    return REDACTED;
  };
  const copied = (value: unknown, rawValue: unknown, list: Slot["list"]): unknown => {
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      const rawItems = Array.isArray(rawValue) ? rawValue : value;
      for (let at = 0; at < value.length; at++) {
        const node = { container: value, key: at, value: value[at] };
        items.push(child(items, node, rawItems[at], list ?? value));
      }
      return items;
    }
    if (!isJsonObject(value)) return rawValue;
    const members = {};
    const rawMembers = isJsonObject(rawValue) ? rawValue : value;
    for (const key of Object.keys(value)) {
      const node = { container: value, key, value: value[key] };
      setChild(members, key, child(members, node, rawMembers[key], list));
    }
    return members;
  };
  const copy: Holder = [null];
  copy[0] = child(copy, { container: side.tree, key: 0, value: side.tree[0] }, raw, null);
  return { side, copy, slots, slotAt };
}

interface Partners {
  /** Those whose values are equal whatever the rules say. */
  readonly same: Set<Slot>;
  /** Those at one place, outside of all lists, whose values are not. */
  readonly partners: readonly (readonly [Slot, Slot])[];
  readonly equalLists: ReadonlySet<object>;
}

/** Before the rules change the trees: what is equal now stays so, whatever later rules may say. */
function findPartners(left: Copy, right: Copy): Partners {
  const same = new Set<Slot>();
  const partners: (readonly [Slot, Slot])[] = [];
  const equalLists = new Set<object>();
  const visit = (old: object, oldKey: Key, oldValue: unknown, fresh: object, newValue: unknown): void => {
    const oldSlot = left.slotAt.get(old)?.get(oldKey);
    const newSlot = right.slotAt.get(fresh)?.get(oldKey);
    if (oldSlot !== undefined || newSlot !== undefined) {
      if (oldSlot === undefined || newSlot === undefined) return;
      if (sameJson(oldValue, newValue, { left: 0 })) same.add(oldSlot).add(newSlot);
      else partners.push([oldSlot, newSlot]);
    } else if (Array.isArray(oldValue) && Array.isArray(newValue)) {
      if (sameJson(oldValue, newValue, { left: 0 })) equalLists.add(oldValue).add(newValue);
    } else if (isJsonObject(oldValue) && isJsonObject(newValue)) {
      for (const key of Object.keys(oldValue)) {
        if (Object.hasOwn(newValue, key)) visit(oldValue, key, oldValue[key], newValue, newValue[key]);
      }
    }
  };
  visit(left.side.tree, 0, left.side.tree[0], right.side.tree, right.side.tree[0]);
  return { same, partners, equalLists };
}
