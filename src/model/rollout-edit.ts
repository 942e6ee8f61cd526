/** What an edit of the rules did to a rollout, told from how it stood before and after. */

import {
  beginsByItself,
  describePlace,
  type Moved,
  percent,
  type RolloutState,
  STEP_IS_GONE,
} from "./rollout.ts";

/**
 * What an edit of the rules did to a rollout that is under way, as a line of the audit trail; null: its place is the
 * same, and it is not stopped. `pause` where it stands now, `resume` where it goes on in its new place.
 */
export function movedByRules(before: RolloutState, after: RolloutState): Moved | null {
  const isStopped = before.phase !== "paused" && after.phase === "paused";
  const isUnderWay = after.phase === "paused" || after.phase === "baking";
  // What comes from behind a latch is the rollback's and the reset's to tell.
  if (before.phase === "rolled-back" || !isUnderWay) return null;
  // It has moved nowhere yet.
  if (beginsByItself(after)) return null;
  const [from, to] = [describePlace(before), describePlace(after)];
  if (!isStopped && from === to) return null;
  const action = after.phase === "paused" ? "pause" : "resume";
  return { action, by: "rules", reason: whyMoved(before, after), from, to };
}

function whyMoved(before: RolloutState, after: RolloutState): string {
  // Without an operator's words in front of it.
  if (before.why !== after.why) return STEP_IS_GONE.exec(after.why)?.[0].replace(/^; /, "") ?? after.why;
  return before.shares.shadowPpm === after.shares.shadowPpm
    ? "its step has another number in the rules now"
    : `its step has shadow ${percent(after.shares.shadowPpm)} in the rules now`;
}
