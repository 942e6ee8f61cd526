/**
 * Where two trees differ: a flat list of places, bounded in length, text and time.
 *
 * The walk over objects is our own and jsondiffpatch only aligns arrays: over whole documents it takes
 * quadratic time, does not see members named `__proto__` or `toString`, and throws on one named `constructor`
 * (0.7.7) — names that a backend may send.
 */

import type { Difference } from "../model/reports.ts";
import { alignItems } from "./align.ts";
import { isJsonObject } from "./canonical.ts";
import { addFinding, areFull, createFindings, type Findings, hasRoomFor } from "./findings.ts";
import { allowancesOf, isHidden, isUnordered, itemNode, type Marks, memberNode, type Node } from "./marks.ts";
import { byName, NAMING_MEMBERS } from "./naming.ts";
import type { Holder } from "./paths.ts";
import { REDACTED, redactedCopy } from "./redact.ts";
import { MISSING, relationOf } from "./relation.ts";
import { findRenamed, type Renamed } from "./renamed.ts";
import { type Comparing, createComparing, sameNodes } from "./same.ts";
import { type Path, spellPlace, templateOf } from "./template.ts";
import { MAX_TEXT_CHARS, shortJson } from "./text.ts";
import { isWithin } from "./tolerance.ts";
import { matchUnordered } from "./unordered.ts";

interface Walk extends Comparing {
  readonly findings: Findings;
}

/**
 * The differences of two trees under the marks, at most MAX_DIFFERENCES; none: they are the same. A place is a
 * JSONPath into old; into new for what new alone has. Throws TooMuchWork where hostile nests of unordered arrays
 * with tolerated numbers would take too long.
 */
export function diffMarked(old: Holder, fresh: Holder, marks: Marks): readonly Difference[] {
  const walk: Walk = { ...createComparing(marks), findings: createFindings() };
  walkNodes(
    walk,
    null,
    { container: old, key: 0, value: old[0] },
    { container: fresh, key: 0, value: fresh[0] },
  );
  return walk.findings.differences;
}

function walkNodes(walk: Walk, path: Path | null, old: Node, fresh: Node): void {
  const oldValue = old.value;
  const newValue = fresh.value;
  if (oldValue === newValue || isFull(walk)) return;
  if (isHidden(walk.marks, old) || isHidden(walk.marks, fresh)) {
    // Names and counts below a hidden value would tell of it: one difference for all of it.
    if (!sameNodes(walk, old, fresh)) report(walk, path, changeKind(oldValue, newValue), old, fresh);
  } else if (Array.isArray(oldValue) && Array.isArray(newValue)) {
    if (isUnordered(walk.marks, oldValue, newValue)) walkUnordered(walk, path, oldValue, newValue);
    else walkArrays(walk, path, oldValue, newValue);
  } else if (isJsonObject(oldValue) && isJsonObject(newValue)) {
    walkObjects(walk, path, oldValue, newValue);
  } else {
    const allowances = allowancesOf(walk.marks, old, fresh);
    if (allowances !== null && isWithin(oldValue, newValue, allowances)) return;
    report(walk, path, changeKind(oldValue, newValue), old, fresh);
  }
}

function walkObjects(
  walk: Walk,
  path: Path | null,
  oldObject: Readonly<Record<string, unknown>>,
  newObject: Readonly<Record<string, unknown>>,
): void {
  let known: Renamed | null = null;
  const renamed = (): Renamed => {
    known ??= findRenamed(walk, oldObject, newObject);
    return known;
  };
  for (const key of Object.keys(oldObject)) {
    if (isFull(walk)) return;
    if (!Object.hasOwn(newObject, key)) {
      const relation = renamed().missing.get(key);
      report(walk, { parent: path, key }, "missing", memberNode(oldObject, key), null, relation);
    } else if (oldObject[key] !== newObject[key]) {
      walkNodes(walk, { parent: path, key }, memberNode(oldObject, key), memberNode(newObject, key));
    }
  }
  for (const key of Object.keys(newObject)) {
    if (isFull(walk)) return;
    if (!Object.hasOwn(oldObject, key)) {
      const relation = renamed().added.get(key);
      report(walk, { parent: path, key }, "added", null, memberNode(newObject, key), relation);
    }
  }
}

function walkUnordered(
  walk: Walk,
  path: Path | null,
  oldItems: readonly unknown[],
  newItems: readonly unknown[],
): void {
  const { pairs, missing, added } = matchUnordered(walk, oldItems, newItems);
  walkMatched(walk, path, oldItems, newItems, { pairs, missing, added, from: 0 });
}

function walkArrays(
  walk: Walk,
  path: Path | null,
  oldItems: readonly unknown[],
  newItems: readonly unknown[],
): void {
  // Too much work already: by position throughout, which looks at everything once.
  const middle = walk.work.left > 0 ? differingMiddle(walk, oldItems, newItems) : null;
  const { head, oldEnd, newEnd } = middle ?? { head: 0, oldEnd: oldItems.length, newEnd: newItems.length };
  // One item against one, or against none, leaves nothing to align.
  const alignment =
    middle === null || Math.min(oldEnd, newEnd) === head || Math.max(oldEnd, newEnd) === head + 1
      ? null
      : align(walk, oldItems, newItems, middle);
  if (alignment === null) {
    walkPositions(walk, path, oldItems, newItems, { head, oldEnd, newEnd });
    return;
  }
  if (alignment.moved) reportOrder(walk, path, oldItems, newItems);
  walkMatched(walk, path, oldItems, newItems, { ...alignment, from: head });
}

interface Middle {
  readonly head: number;
  readonly oldEnd: number;
  readonly newEnd: number;
}

/** What is left of two arrays without the equal items at both ends. */
function differingMiddle(walk: Walk, oldItems: readonly unknown[], newItems: readonly unknown[]): Middle {
  let head = 0;
  let oldEnd = oldItems.length;
  let newEnd = newItems.length;
  const same = (oldAt: number, newAt: number): boolean =>
    sameNodes(walk, itemNode(walk, oldItems, oldAt), itemNode(walk, newItems, newAt));
  while (head < Math.min(oldEnd, newEnd) && same(head, head)) head++;
  while (Math.min(oldEnd, newEnd) > head && same(oldEnd - 1, newEnd - 1)) {
    oldEnd--;
    newEnd--;
  }
  return { head, oldEnd, newEnd };
}

function align(
  walk: Walk,
  oldItems: readonly unknown[],
  newItems: readonly unknown[],
  { head, oldEnd, newEnd }: Middle,
): ReturnType<typeof alignItems> {
  // Too large to align: spare the numbering too.
  if ((oldEnd - head) * (newEnd - head) > walk.work.left) return null;
  const old = oldItems.slice(head, oldEnd);
  const fresh = newItems.slice(head, newEnd);
  const naming = NAMING_MEMBERS.find(
    (name) => byName(old.entries(), name) !== null && byName(fresh.entries(), name) !== null,
  );
  const idOf = (items: readonly unknown[], at: number): number => {
    const item = items[at];
    if (naming !== undefined && isJsonObject(item)) return walk.identities.exact(item[naming]);
    // Tolerated numbers are told apart by where they stand among each other.
    return typeof item === "object"
      ? walk.identities.rough(itemNode(walk, items, at))
      : walk.identities.exact(item);
  };
  return alignItems(
    old.map((_, at) => idOf(oldItems, head + at)),
    fresh.map((_, at) => idOf(newItems, head + at)),
    walk.work,
  );
}

/** Indexes of old and new, all of them less `from`. */
interface Matched {
  readonly pairs: readonly (readonly [number, number])[];
  readonly missing: readonly number[];
  readonly added: readonly number[];
  readonly from: number;
}

function walkMatched(
  walk: Walk,
  path: Path | null,
  oldItems: readonly unknown[],
  newItems: readonly unknown[],
  { pairs, missing, added, from }: Matched,
): void {
  for (const [left, right] of pairs) {
    if (isFull(walk)) return;
    walkItems(walk, path, itemNode(walk, oldItems, from + left), itemNode(walk, newItems, from + right));
  }
  for (const at of missing) reportMissing(walk, path, itemNode(walk, oldItems, from + at));
  for (const at of added) reportAdded(walk, path, itemNode(walk, newItems, from + at));
}

function walkPositions(
  walk: Walk,
  path: Path | null,
  oldItems: readonly unknown[],
  newItems: readonly unknown[],
  { head, oldEnd, newEnd }: Middle,
): void {
  for (let at = head; at < Math.max(oldEnd, newEnd) && !isFull(walk); at++) {
    if (at >= newEnd) reportMissing(walk, path, itemNode(walk, oldItems, at));
    else if (at >= oldEnd) reportAdded(walk, path, itemNode(walk, newItems, at));
    else walkItems(walk, path, itemNode(walk, oldItems, at), itemNode(walk, newItems, at));
  }
}

function walkItems(walk: Walk, path: Path | null, old: Node, fresh: Node): void {
  if (old.value !== fresh.value) walkNodes(walk, { parent: path, key: old.key }, old, fresh);
}

function reportMissing(walk: Walk, path: Path | null, old: Node): void {
  if (!isFull(walk)) report(walk, { parent: path, key: old.key }, "missing", old, null);
}

function reportAdded(walk: Walk, path: Path | null, fresh: Node): void {
  if (!isFull(walk)) report(walk, { parent: path, key: fresh.key }, "added", null, fresh);
}

function isFull(walk: Walk): boolean {
  return areFull(walk.findings);
}

function changeKind(oldValue: unknown, newValue: unknown): "value" | "type" {
  return jsonType(oldValue) === jsonType(newValue) ? "value" : "type";
}

/** A symbol is an exact number (json.ts). */
function jsonType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "symbol" ? "number" : typeof value;
}

function reportOrder(
  walk: Walk,
  path: Path | null,
  oldItems: readonly unknown[],
  newItems: readonly unknown[],
): void {
  const shown = (items: readonly unknown[]): string => shownValue(walk.marks, items);
  add(walk, path, "order", () => ({ old: shown(oldItems), new: shown(newItems), relation: null }));
}

function report(
  walk: Walk,
  path: Path | null,
  kind: Difference["kind"],
  old: Node | null,
  fresh: Node | null,
  relation: string | undefined = undefined,
): void {
  const hidden =
    (old !== null && isHidden(walk.marks, old)) || (fresh !== null && isHidden(walk.marks, fresh));
  const shown = (node: Node | null): string | null => {
    if (node === null) return null;
    return hidden ? shortJson(REDACTED) : shownValue(walk.marks, node.value);
  };
  add(walk, path, kind, () => ({
    old: shown(old),
    new: shown(fresh),
    relation: hidden ? null : (relation ?? relationOf(valueIn(old), valueIn(fresh))),
  }));
}

function valueIn(node: Node | null): unknown {
  return node === null ? MISSING : node.value;
}

/** Every node costs a character, so that a longer copy would not be seen. */
function shownValue(marks: Marks, value: unknown): string {
  if (marks.hidden.size === 0) return shortJson(value);
  return shortJson(redactedCopy(value, marks.hidden, marks.indexes, value, MAX_TEXT_CHARS + 2));
}

function add(
  walk: Walk,
  path: Path | null,
  kind: Difference["kind"],
  texts: () => Pick<Difference, "old" | "new" | "relation">,
): void {
  const template = templateOf(path);
  if (!hasRoomFor(walk.findings, kind, template)) return;
  addFinding(walk.findings, { place: spellPlace(path), template, kind, ...texts() });
}
