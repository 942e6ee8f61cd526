/** Which items of two arrays belong together, so that an inserted item does not make all after it differ. */

import { create } from "jsondiffpatch";

import { canonicalText, isJsonObject, type Work } from "./canonical.ts";

/** jsondiffpatch fills a table of old × new items: 500 × 500 take a few milliseconds, 5,000 × 5,000 a second. */
const MAX_CELLS = 250_000;

/** Members that name an item, in order of trust. One counts only if every item has it and none shares it. */
const NAMING_MEMBERS = ["id", "_id", "uuid", "key", "name"] as const;

interface Alignment {
  /** Items that belong together: indexes of old and new, moved ones too. */
  readonly pairs: readonly (readonly [number, number])[];
  /** Items of old without a partner, and of new. */
  readonly missing: readonly number[];
  readonly added: readonly number[];
  /** Some items are there on both sides, but in another order. */
  readonly moved: boolean;
}

/** Numbers are compared by `===`; an objectHash keeps jsondiffpatch from looking for look-alikes first. */
const differ = create({ objectHash: String });

/**
 * Aligns two lists of items, or null when that would cost too much: compare by position then. Items between
 * two that belong together pair up in order: a changed item is a change, not a loss and a gain.
 */
export function alignItems(
  oldItems: readonly unknown[],
  newItems: readonly unknown[],
  work: Work,
): Alignment | null {
  const cells = oldItems.length * newItems.length;
  if (cells > MAX_CELLS || work.left < cells) return null;
  work.left -= cells;
  const identities = identify(oldItems, newItems, work);
  return pairUp(oldItems.length, newItems.length, readDelta(differ.diff(identities.old, identities.new)));
}

/** Small numbers, equal where items are the same one: by a naming member, else by the whole value. */
function identify(
  oldItems: readonly unknown[],
  newItems: readonly unknown[],
  work: Work,
): { readonly old: readonly number[]; readonly new: readonly number[] } {
  const naming = NAMING_MEMBERS.find((name) => names(oldItems, name) && names(newItems, name));
  const numbers = new Map<string, number>();
  const numberOf = (item: unknown): number => {
    const text = canonicalText(naming !== undefined && isJsonObject(item) ? item[naming] : item);
    work.left -= text.length;
    const known = numbers.get(text);
    if (known !== undefined) return known;
    numbers.set(text, numbers.size);
    return numbers.size - 1;
  };
  return { old: oldItems.map(numberOf), new: newItems.map(numberOf) };
}

function names(items: readonly unknown[], member: string): boolean {
  const seen = new Set<unknown>();
  for (const item of items) {
    if (!isJsonObject(item) || !Object.hasOwn(item, member)) return false;
    const name = item[member];
    if ((typeof name !== "string" && typeof name !== "number") || seen.has(name)) return false;
    seen.add(name);
  }
  return true;
}

interface Moves {
  readonly removed: ReadonlySet<number>;
  readonly added: ReadonlySet<number>;
  /** Old index → new index. */
  readonly moved: ReadonlyMap<number, number>;
}

/** jsondiffpatch's array delta: `_3: [value, 0, 0]` was removed, `_3: ["", 5, 3]` moved to 5, `5: [value]` added. */
function readDelta(delta: unknown): Moves {
  const removed = new Set<number>();
  const added = new Set<number>();
  const moved = new Map<number, number>();
  for (const [name, change] of isJsonObject(delta) ? Object.entries(delta) : []) {
    if (name === "_t" || !Array.isArray(change)) continue;
    if (!name.startsWith("_")) added.add(Number(name));
    else if (change[2] === 3) moved.set(Number(name.slice(1)), Number(change[1]));
    else removed.add(Number(name.slice(1)));
  }
  return { removed, added, moved };
}

function pairUp(oldLength: number, newLength: number, moves: Moves): Alignment {
  const pairs: (readonly [number, number])[] = [...moves.moved];
  const missing: number[] = [];
  const added: number[] = [];
  const arrivals = new Set(moves.moved.values());
  let gapOld: number[] = [];
  let gapNew: number[] = [];
  const closeGap = (): void => {
    for (let at = 0; at < Math.max(gapOld.length, gapNew.length); at++) {
      const left = gapOld[at];
      const right = gapNew[at];
      if (left !== undefined && right !== undefined) pairs.push([left, right]);
      else if (left !== undefined) missing.push(left);
      else if (right !== undefined) added.push(right);
    }
    gapOld = [];
    gapNew = [];
  };
  let left = 0;
  let right = 0;
  while (left < oldLength || right < newLength) {
    if (moves.moved.has(left)) left++;
    else if (arrivals.has(right)) right++;
    else if (moves.removed.has(left)) gapOld.push(left++);
    else if (moves.added.has(right)) gapNew.push(right++);
    else {
      closeGap();
      pairs.push([left++, right++]);
    }
  }
  closeGap();
  return { pairs, missing, added, moved: moves.moved.size > 0 };
}
