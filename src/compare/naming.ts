/** By which member the items of an array are known. */

import { isJsonObject } from "./canonical.ts";

/** Members that name an item, in order of trust. One counts only if every item has it and none shares it. */
export const NAMING_MEMBERS = ["id", "_id", "uuid", "key", "name"] as const;

/** Items by the value of a member that names them; null: it does not. */
export function byName(
  values: Iterable<readonly [number, unknown]>,
  member: string,
): Map<unknown, number> | null {
  const named = new Map<unknown, number>();
  for (const [at, item] of values) {
    if (!isJsonObject(item) || !Object.hasOwn(item, member)) return null;
    const name = item[member];
    const isName = typeof name === "string" || typeof name === "number" || typeof name === "symbol";
    if (!isName || named.has(name)) return null;
    named.set(name, at);
  }
  return named;
}
