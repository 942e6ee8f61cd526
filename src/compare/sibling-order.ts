/**
 * What a difference at `#order` (markup.ts) says. A child that only one side has changes that text too, but is
 * told of by a place of its own, or ignored: what is left is whether those that both have stand in another order.
 */

import type { Difference } from "../model/reports.ts";

const ORDER_STEP = "['#order']";

/** Children listed in a short text; more are not worth a table. */
const MAX_CHILDREN = 300;

/** Drops the differences at `#order` that say nothing of their own; the others are of kind "order". */
export function tidyOrder(differences: readonly Difference[]): readonly Difference[] {
  if (!differences.some(isOrder)) return differences;
  return differences.flatMap((difference) => {
    if (!isOrder(difference)) return [difference];
    if (difference.kind !== "value") return difference.kind === "type" ? [difference] : [];
    return isMove(difference.old, difference.new) ? [{ ...difference, kind: "order" as const }] : [];
  });
}

/** Whether it is one at `#order`. */
export function isOrder({ place }: Difference): boolean {
  return place.endsWith(ORDER_STEP);
}

/** Texts that cannot be read (cut, redacted) are given the benefit of the doubt: a move. */
function isMove(oldText: string | null, newText: string | null): boolean {
  const oldNames = namesOf(oldText);
  const newNames = namesOf(newText);
  if (oldNames === null || newNames === null) return true;
  const left = countsOf(oldNames);
  const right = countsOf(newNames);
  let shared = 0;
  for (const [name, count] of left) shared += Math.min(count, right.get(name) ?? 0);
  return longestCommon(oldNames, newNames) < shared;
}

/** "dt dd*2" → dt dd dd. */
function namesOf(text: string | null): readonly string[] | null {
  if (text === null || !text.startsWith('"') || !text.endsWith('"') || text.length < 2) return null;
  const names: string[] = [];
  for (const run of text.slice(1, -1).split(" ")) {
    const [, name = run, times = "1"] = /^(.+)\*(\d{1,6})$/.exec(run) ?? [];
    if (names.length + Number(times) > MAX_CHILDREN) return null;
    for (let left = Number(times); left > 0; left--) names.push(name);
  }
  return names;
}

function countsOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Length of the longest common subsequence. */
function longestCommon(left: readonly string[], right: readonly string[]): number {
  let row = new Array<number>(right.length + 1).fill(0);
  for (const name of left) {
    const next = [0];
    for (let at = 1; at <= right.length; at++) {
      const taken = name === right[at - 1] ? (row[at - 1] ?? 0) + 1 : 0;
      next.push(Math.max(taken, row[at] ?? 0, next[at - 1] ?? 0));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
