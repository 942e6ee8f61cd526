/** Which items of two arrays belong together, so that an inserted item does not make all after it differ. */

import { create } from "jsondiffpatch";

import { isJsonObject, type Work } from "./canonical.ts";

/** jsondiffpatch fills a table of old × new items: 500 × 500 take a few milliseconds, 5,000 × 5,000 a second. */
const MAX_CELLS = 250_000;

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
 * Aligns two lists of items by numbers that are equal where items are the same one; null: compare by position,
 * since aligning would cost too much or keep no more items together. Items between two that belong together
 * pair up in order: a changed item is a change, not a loss and a gain.
 */
export function alignItems(
  oldIds: readonly number[],
  newIds: readonly number[],
  work: Work,
): Alignment | null {
  const cells = oldIds.length * newIds.length;
  if (cells > MAX_CELLS || work.left < cells) return null;
  work.left -= cells;
  const alignment = pairUp(oldIds.length, newIds.length, readDelta(differ.diff(oldIds, newIds)));
  return isBetterInPlace(oldIds, newIds, alignment) ? null : alignment;
}

/** Of several ways to keep as many items, that which moves none is the one that people see. */
function isBetterInPlace(
  oldIds: readonly number[],
  newIds: readonly number[],
  { pairs }: Alignment,
): boolean {
  if (oldIds.length !== newIds.length) return false;
  const inPlace = oldIds.filter((id, at) => id === newIds[at]).length;
  return inPlace >= pairs.filter(([left, right]) => oldIds[left] === newIds[right]).length;
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
