/** What a reload does not change at once, or not for everything that is open. */

import type { Ruleset } from "../model/ruleset.ts";

/** One sentence for each change of `after` that connections or upgrades made before it do not take over. */
export function reloadNotes(before: Ruleset, after: Ruleset): string[] {
  const notes: string[] = [];
  if (before.limits.requestHeadBytes !== after.limits.requestHeadBytes) {
    notes.push(
      "limits.requestHead acts on connections from now on: those that are open keep the one before until they close",
    );
  }
  if (after.limits.connections < before.limits.connections) {
    notes.push("limits.connections closes none that is open: it refuses new ones until there are fewer");
  }
  return notes;
}
