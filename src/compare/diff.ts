/**
 * Where two JSON values differ: a flat list of places, bounded in length, text and time.
 *
 * The walk over objects is our own and jsondiffpatch only aligns arrays: over whole documents it takes
 * quadratic time, does not see members named `__proto__` or `toString`, and throws on one named `constructor`
 * (0.7.7) — names that a backend may send.
 */

import type { Difference } from "../model/reports.ts";
import { alignItems } from "./align.ts";
import { isJsonObject, sameJson, type Work } from "./canonical.ts";
import type { OriginalIndexes } from "./ignore.ts";
import { cut, escapeCharacter, shortJson } from "./text.ts";

/** A hundred places say what a thousand would. */
export const MAX_DIFFERENCES = 100;

/** Names come from the answers: a place must not be megabytes. */
const MAX_PLACE_CHARS = 1000;

/** About a tenth of a second; a usual pair needs a hundredth of it. */
const WORK = 5_000_000;

/** From the inside out, so that a path is only spelled out where something differs. */
interface Path {
  readonly parent: Path | null;
  readonly key: string | number;
}

interface Walk {
  readonly differences: Difference[];
  readonly work: Work;
  readonly indexes: OriginalIndexes;
}

/**
 * The differences of two parsed values, at most MAX_DIFFERENCES; none: they are equal. `indexes` are those of
 * `removeIgnored`. A place is a JSONPath into old; into new for what new alone has.
 */
export function diffJson(
  oldValue: unknown,
  newValue: unknown,
  indexes: OriginalIndexes = new Map(),
): readonly Difference[] {
  const walk: Walk = { differences: [], work: { left: WORK }, indexes };
  if (!sameJson(oldValue, newValue, { left: 0 })) walkValues(walk, null, oldValue, newValue);
  return walk.differences;
}

function walkValues(walk: Walk, path: Path | null, oldValue: unknown, newValue: unknown): void {
  if (oldValue === newValue || isFull(walk)) return;
  if (Array.isArray(oldValue) && Array.isArray(newValue)) {
    walkArrays(walk, path, oldValue, newValue);
  } else if (isJsonObject(oldValue) && isJsonObject(newValue)) {
    walkObjects(walk, path, oldValue, newValue);
  } else {
    const kind = jsonType(oldValue) === jsonType(newValue) ? "value" : "type";
    report(walk, path, kind, shortJson(oldValue), shortJson(newValue));
  }
}

function walkObjects(
  walk: Walk,
  path: Path | null,
  oldObject: Readonly<Record<string, unknown>>,
  newObject: Readonly<Record<string, unknown>>,
): void {
  for (const key of Object.keys(oldObject)) {
    if (isFull(walk)) return;
    const here = { parent: path, key };
    if (Object.hasOwn(newObject, key)) walkValues(walk, here, oldObject[key], newObject[key]);
    else report(walk, here, "missing", shortJson(oldObject[key]), null);
  }
  for (const key of Object.keys(newObject)) {
    if (isFull(walk)) return;
    if (!Object.hasOwn(oldObject, key)) {
      report(walk, { parent: path, key }, "added", null, shortJson(newObject[key]));
    }
  }
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
      : alignItems(oldItems.slice(head, oldEnd), newItems.slice(head, newEnd), walk.work);
  if (alignment === null) {
    walkPositions(walk, path, oldItems, newItems, { head, oldEnd, newEnd });
    return;
  }
  if (alignment.moved) report(walk, path, "order", shortJson(oldItems), shortJson(newItems));
  for (const [left, right] of alignment.pairs) {
    const here = placeOf(walk, path, oldItems, head + left);
    walkValues(walk, here, oldItems[head + left], newItems[head + right]);
  }
  for (const at of alignment.missing) reportItem(walk, path, "missing", oldItems, head + at);
  for (const at of alignment.added) reportItem(walk, path, "added", newItems, head + at);
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
  while (head < Math.min(oldEnd, newEnd) && sameJson(oldItems[head], newItems[head], walk.work)) head++;
  while (Math.min(oldEnd, newEnd) > head && sameJson(oldItems[oldEnd - 1], newItems[newEnd - 1], walk.work)) {
    oldEnd--;
    newEnd--;
  }
  return { head, oldEnd, newEnd };
}

function walkPositions(
  walk: Walk,
  path: Path | null,
  oldItems: readonly unknown[],
  newItems: readonly unknown[],
  { head, oldEnd, newEnd }: Middle,
): void {
  for (let at = head; at < Math.max(oldEnd, newEnd) && !isFull(walk); at++) {
    if (at >= newEnd) reportItem(walk, path, "missing", oldItems, at);
    else if (at >= oldEnd) reportItem(walk, path, "added", newItems, at);
    else walkValues(walk, placeOf(walk, path, oldItems, at), oldItems[at], newItems[at]);
  }
}

/** Ignored items are gone from the array; the place counts them all the same. */
function placeOf(walk: Walk, path: Path | null, items: readonly unknown[], at: number): Path {
  return { parent: path, key: walk.indexes.get(items)?.[at] ?? at };
}

function reportItem(
  walk: Walk,
  path: Path | null,
  kind: "missing" | "added",
  items: readonly unknown[],
  at: number,
): void {
  const text = shortJson(items[at]);
  const here = placeOf(walk, path, items, at);
  report(walk, here, kind, kind === "missing" ? text : null, kind === "added" ? text : null);
}

function isFull(walk: Walk): boolean {
  return walk.differences.length >= MAX_DIFFERENCES;
}

function report(
  walk: Walk,
  path: Path | null,
  kind: Difference["kind"],
  oldText: string | null,
  newText: string | null,
): void {
  if (!isFull(walk)) walk.differences.push({ place: spell(path), kind, old: oldText, new: newText });
}

/** A symbol is an exact number (json.ts). */
function jsonType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "symbol" ? "number" : typeof value;
}

const SHORTHAND = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** What a quoted name may not hold as it is, or should not: quotes, backslashes, and what cannot be seen. */
const UNQUOTABLE = /['\\\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** `$.items[3]['a b']`: one spelling for each place, that reads as in the rules and works as an `ignore` there. */
function spell(path: Path | null): string {
  const steps: string[] = [];
  let length = 0;
  for (let at = path; at !== null; at = at.parent) {
    const step = spellStep(at.key);
    steps.push(step);
    length += step.length;
  }
  const place = `$${steps.reverse().join("")}`;
  return length < MAX_PLACE_CHARS ? place : cut(place, MAX_PLACE_CHARS);
}

function spellStep(key: string | number): string {
  if (typeof key === "number") return `[${key}]`;
  if (SHORTHAND.test(key) && key.length <= MAX_PLACE_CHARS) return `.${key}`;
  const name = key.slice(0, MAX_PLACE_CHARS).replace(UNQUOTABLE, (character) => {
    return character === "'" || character === "\\" ? `\\${character}` : escapeCharacter(character);
  });
  return `['${name}']`;
}
