/** Takes nodes out of trees. */

import type { Key } from "../model/jsonpath.ts";
import type { OriginalIndexes } from "./redact.ts";
import type { Spots } from "./rename.ts";

/** Removes the nodes, in place, and notes in `indexes` where the items of shortened arrays were. */
export function removeSpots(doomed: Spots, indexes: OriginalIndexes): void {
  for (const [container, keys] of doomed) {
    if (Array.isArray(container)) indexes.set(container, removeItems(container, keys));
    else for (const key of keys) Reflect.deleteProperty(container, key);
  }
}

function removeItems(items: unknown[], doomed: ReadonlySet<Key>): readonly number[] {
  const left: number[] = [];
  for (let at = 0; at < items.length; at++) {
    if (doomed.has(at)) continue;
    items[left.length] = items[at];
    left.push(at);
  }
  items.length = left.length;
  return left;
}
