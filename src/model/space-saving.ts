/**
 * The most frequent keys of a stream in bounded memory (Metwally, Agrawal & El Abbadi 2005). When all places are
 * taken, a newcomer takes that of the least frequent key, and its count: so a count is never too low, and too high by
 * at most `overcount`; a key that makes up more than 1/max of the stream is always there. Each key carries a value.
 */

export interface Slot<T> {
  readonly key: string;
  count: number;
  overcount: number;
  value: T;
  /** Where it stands in the heap. */
  index: number;
}

export interface SpaceSaving<T> {
  readonly max: number;
  readonly slots: Map<string, Slot<T>>;
  /** The least count first. */
  readonly heap: Slot<T>[];
}

export function createSpaceSaving<T>(max: number): SpaceSaving<T> {
  return { max: Math.max(1, max), slots: new Map(), heap: [] };
}

/** Counts a key once. `create` makes the value of a key that is not known (any more). */
export function countKey<T>(counter: SpaceSaving<T>, key: string, create: () => T): Slot<T> {
  const known = counter.slots.get(key);
  if (known !== undefined) {
    known.count += 1;
    sink(counter.heap, known.index);
    return known;
  }
  const [least] = counter.heap;
  if (least === undefined || counter.heap.length < counter.max) {
    return insertSlot(counter, { key, count: 1, overcount: 0, value: create() });
  }
  removeSlot(counter, least);
  return insertSlot(counter, { key, count: least.count + 1, overcount: least.count, value: create() });
}

/** Puts a key with its counts in; the caller sees to it that it is not there yet and that there is room. */
export function insertSlot<T>(counter: SpaceSaving<T>, slot: Omit<Slot<T>, "index">): Slot<T> {
  const inserted: Slot<T> = { ...slot, index: counter.heap.length };
  counter.slots.set(inserted.key, inserted);
  counter.heap.push(inserted);
  rise(counter.heap, inserted.index);
  return inserted;
}

export function removeSlot<T>(counter: SpaceSaving<T>, slot: Slot<T>): void {
  counter.slots.delete(slot.key);
  const last = counter.heap.pop();
  if (last === undefined || last === slot) return;
  place(counter.heap, last, slot.index);
  rise(counter.heap, last.index);
  sink(counter.heap, last.index);
}

function place<T>(heap: Slot<T>[], slot: Slot<T>, index: number): void {
  heap[index] = slot;
  slot.index = index;
}

function rise<T>(heap: Slot<T>[], from: number): void {
  let index = from;
  while (index > 0) {
    const above = (index - 1) >> 1;
    if (!swapIfLess(heap, index, above)) return;
    index = above;
  }
}

function sink<T>(heap: Slot<T>[], from: number): void {
  let index = from;
  for (;;) {
    const left = 2 * index + 1;
    const right = left + 1;
    const least = countAt(heap, right) < countAt(heap, left) ? right : left;
    if (!swapIfLess(heap, least, index)) return;
    index = least;
  }
}

/** Swaps a slot with the one above it where it has the lower count. */
function swapIfLess<T>(heap: Slot<T>[], below: number, above: number): boolean {
  const lower = heap[below];
  const upper = heap[above];
  if (lower === undefined || upper === undefined || lower.count >= upper.count) return false;
  place(heap, lower, above);
  place(heap, upper, below);
  return true;
}

function countAt<T>(heap: readonly Slot<T>[], index: number): number {
  return heap[index]?.count ?? Number.POSITIVE_INFINITY;
}
