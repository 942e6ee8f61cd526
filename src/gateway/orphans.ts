/** Rollbacks of routes that the rules do not name any more. */

import type { Ruleset } from "../model/ruleset.ts";

/**
 * A latch belongs to a name: a route that was renamed starts without it, which may be meant or a slip. What it makes
 * is asked at each load with the latched names, and says each orphan once: again only after it was none meanwhile.
 */
export function orphanNotes(): (latched: readonly string[], ruleset: Pick<Ruleset, "routes">) => string[] {
  let said: ReadonlySet<string> = new Set();
  return (latched, { routes }) => {
    const named = new Set(routes.map(({ name }) => name));
    const orphans = latched.filter((name) => !named.has(name));
    const fresh = orphans.filter((name) => !said.has(name));
    said = new Set(orphans);
    return fresh.map(
      (name) =>
        `${name} is rolled back but is not in the rules: if it was renamed, the new name is not latched; ` +
        `\`cutover reset ${name} --reason …\` forgets it`,
    );
  };
}
