/** Two trees made ready to be compared: what the rules name is moved, removed or marked. */

import type { ParsedPath } from "../model/jsonpath.ts";
import { type ExactNumbers, parseExact } from "./json.ts";
import { addAllowance, createMarks, type Marks } from "./marks.ts";
import { childOf, type Holder, type Visit, visitNodes } from "./paths.ts";
import { redactedCopy } from "./redact.ts";
import { removeSpots } from "./remove.ts";
import { addSpot, renameNodes, type Spots } from "./rename.ts";
import type { Tree, TreeRules } from "./tree-rules.ts";

/** One tree on its way through the rules. */
export interface Side {
  readonly tree: Holder;
  /** The same document with plain numbers, for filters that look at values. */
  readonly shape: Holder;
  /** Of the tree. */
  readonly unread: ParsedPath | null;
}

/** Its numbers as doubles. A tree with a text is changed by the rules in place, others are copied first. */
export function sideOf({ value, text, unread }: Tree, rules: TreeRules): Side {
  const isChanged = rules.ignore.length + rules.rename.length > 0;
  const tree: Holder = [text === null && isChanged ? redactedCopy(value, new Map(), new Map()) : value];
  return { tree, shape: tree, unread: unread ?? null };
}

/** Its long numbers as symbols; `exactNumbers` is that of both sides. */
export function exactSideOf(given: Tree, rules: TreeRules, exactNumbers: ExactNumbers): Side {
  if (given.text === null) return sideOf(given, rules);
  const { text, unread } = given;
  return { tree: [parseExact(text, exactNumbers)], shape: [JSON.parse(text)], unread: unread ?? null };
}

/** Renames, marks and removes in both, in place, in the order that `diffTrees` tells. */
export function applyRules(
  old: Side,
  fresh: Side,
  rules: TreeRules,
): { readonly marks: Marks; readonly isChanged: boolean } {
  const marks = createMarks();
  markHidden(old, rules, marks.hidden);
  if (rules.rename.length > 0) {
    renameNodes(rules.rename, old.tree, fresh.tree, marks.hidden);
    if (old.shape !== old.tree) renameNodes(rules.rename, old.shape, fresh.shape, new Map());
    markHidden(old, rules, marks.hidden);
  }
  markHidden(fresh, rules, marks.hidden);
  const doomed: Spots = new Map();
  for (const side of [old, fresh]) mark(side, rules, marks, doomed);
  removeSpots(doomed, marks.indexes);
  return { marks, isChanged: doomed.size > 0 || rules.rename.length > 0 };
}

/**
 * Notes the nodes that nobody may see: those that are named, and a text or number where an object was to hold one, for
 * what was in it may be what is there now. Of markup, what lists its elements (`#order`) holds nothing but names.
 */
export function markHidden({ tree, shape, unread }: Side, rules: TreeRules, hidden: Spots): void {
  if (unread !== null && rules.redact.length > 0) {
    visitNodes(unread, tree, shape, (container, key) => {
      if (typeof childOf(container, key) === "string") addSpot(hidden, container, key);
    });
  }
  const hide: Visit = (container, key) => addSpot(hidden, container, key);
  const hideInstead: Visit = (container, key) => {
    if (key !== "#order") hide(container, key);
  };
  for (const path of rules.redact) visitNodes(path, tree, shape, hide, hideInstead);
}

function mark({ tree, shape }: Side, rules: TreeRules, marks: Marks, doomed: Spots): void {
  for (const path of rules.ignore) {
    visitNodes(path, tree, shape, (container, key) => addSpot(doomed, container, key));
  }
  for (const path of rules.unordered) {
    visitNodes(path, tree, shape, (container, key) => {
      const items = childOf(container, key);
      if (Array.isArray(items)) marks.unordered.add(items);
    });
  }
  for (const { path, allowances } of rules.tolerance) {
    visitNodes(path, tree, shape, (container, key) => addAllowance(marks, container, key, allowances));
  }
}
