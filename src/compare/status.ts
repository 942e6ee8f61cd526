/** When two statuses count as the same. */

import type { Difference } from "../model/reports.ts";
import type { StatusRule } from "../model/ruleset.ts";

/** The difference of two statuses, or null where they are the same under the rule (null: not compared). */
export function statusDifference(
  oldStatus: number,
  newStatus: number,
  rule: StatusRule | null,
): Difference | null {
  if (rule === null || oldStatus === newStatus) return null;
  if (rule.by === "class" && classOf(oldStatus) === classOf(newStatus)) return null;
  const declared = rule.equal.some((pair) => means(pair.old, oldStatus) && means(pair.new, newStatus));
  if (declared) return null;
  return {
    place: "status",
    template: "status",
    kind: "status",
    old: String(oldStatus),
    new: String(newStatus),
    relation: null,
  };
}

function classOf(status: number): number {
  return Math.floor(status / 100);
}

/** Whether "200" or "4xx" speaks of this status. */
function means(text: string, status: number): boolean {
  const wanted = text.toLowerCase();
  return wanted === String(status) || wanted === `${classOf(status)}xx`;
}
