/** Which answers a route's rules lead one to expect: their series are there, as 0, before the first has happened. */

import type { Reason } from "./reasons.ts";
import type { Route, Side } from "./ruleset.ts";

export interface Expected {
  readonly side: Side;
  readonly reason: Reason;
}

/** Sides with reasons for which the rules may choose them. A force and an operator's pin are on nobody's list. */
export function expectedAnswers({ split, canary, rollout, fallback }: Route): readonly Expected[] {
  const fresh: Reason[] = [];
  if (split !== null && (split.new.length > 0 || split.newFile !== null)) fresh.push("split-new");
  if (canary.always.length > 0) fresh.push("canary-always");
  const isDrawn =
    rollout === null ? canary.sharePpm > 0 : rollout.steps.some(({ canaryPpm }) => canaryPpm > 0);
  if (isDrawn) fresh.push("canary-share");

  const old: Reason[] = ["default-old"];
  if (split !== null && split.old.length > 0) old.push("pinned-old");
  if (canary.never.length > 0) old.push("canary-never");
  if (fresh.length > 0) {
    old.push("rolled-back");
    if (fallback !== null) old.push("fallback");
  }
  return [...on("old", old), ...on("new", fresh)];
}

function on(side: Side, reasons: readonly Reason[]): Expected[] {
  return reasons.map((reason) => ({ side, reason }));
}
