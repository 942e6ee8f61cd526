/**
 * Samples that were stored before a rule said to redact something in them: whoever writes that rule does not expect
 * to read it for another week. They are removed as soon as such rules are in force, at a start too.
 */

import type { Compare, Redact, Route } from "../model/ruleset.ts";
import type { Store } from "./store-types.ts";

const META_NAME = "redact";
/** Routes that left the rules are remembered, in case they come back; so many. */
const MAX_ROUTES = 10_000;

/** What of a route's answers may be stored. */
export interface Allowed {
  readonly redact: Redact;
  readonly samples: boolean;
}

/** An older version may have stored anything. */
const ANYTHING: Allowed = { redact: { paths: [], headers: [], query: [] }, samples: true };

export interface Forgotten {
  /** Whose rules are stricter than before. */
  readonly routes: readonly string[];
  /** How many were removed. */
  readonly samples: number;
}

export function allowedBy({ redact, samples }: Compare): Allowed {
  return { redact, samples };
}

/** True where samples stored under `before` hold what must not be stored under `now`. */
export function isStricter(before: Allowed, now: Allowed): boolean {
  if (before.samples && !now.samples) return true;
  const lists = ["paths", "headers", "query"] as const;
  return lists.some((list) => now.redact[list].some((each) => !before.redact[list].includes(each)));
}

/** Removes the samples of routes whose rules became stricter since they were stored. */
export async function forgetRedacted(store: Store, routes: readonly Route[]): Promise<Forgotten> {
  const known = parse(await store.meta(META_NAME));
  const stricter: string[] = [];
  let isChanged = false;
  for (const { name, compare } of routes) {
    if (compare === null) continue;
    const now = allowedBy(compare);
    const before = known.get(name);
    if (isStricter(before ?? ANYTHING, now)) stricter.push(name);
    if (JSON.stringify(before) === JSON.stringify(now)) continue;
    isChanged = true;
    known.delete(name);
    known.set(name, now);
  }
  const samples = stricter.length === 0 ? 0 : await store.dropSamples(stricter);
  // Afterwards: where the removal failed, the next start tries again.
  if (isChanged) await store.setMeta(META_NAME, JSON.stringify([...known].slice(-MAX_ROUTES)));
  return { routes: stricter, samples };
}

/** Written by ourselves; anything else is as good as nothing. */
function parse(text: string | undefined): Map<string, Allowed> {
  if (text === undefined) return new Map();
  try {
    return new Map(JSON.parse(text) as [string, Allowed][]);
  } catch {
    return new Map();
  }
}
