/** Whether a few keys make most of new's failures: then a person should look at those keys first. */

import { countKey, createSpaceSaving, type SpaceSaving } from "./space-saving.ts";

/** Enough for a key of a thirty-second of all failures to be among them for certain. */
const MAX_KEYS = 32;
const MOST_NAMED = 3;
const LEAST_FAILURES = 5;
const LEAST_SHARE = 0.5;
/** Of the fingerprint; `explain` shows all of it. */
const SHOWN_DIGITS = 6;

export interface BusyKeys {
  counter: SpaceSaving<null>;
}

export function createBusyKeys(): BusyKeys {
  return { counter: createSpaceSaving(MAX_KEYS) };
}

export function forgetBusyKeys(keys: BusyKeys): void {
  if (keys.counter.slots.size > 0) keys.counter = createSpaceSaving(MAX_KEYS);
}

/** A failure of new of this key (a fingerprint: unitOf). */
export function noteBusyKey({ counter }: BusyKeys, unit: string): void {
  countKey(counter, unit, () => null);
}

/**
 * "71% of new's errors come from 2 keys (3f9a12…, 77c1ab…)" where at most three keys make at least half of the
 * `failed` failures (five or more), null elsewhere. Of `failed` some may have no key.
 */
export function busyKeysWords({ counter }: BusyKeys, failed: number, what: string): string | null {
  if (failed < LEAST_FAILURES) return null;
  // The least that a key may really have.
  const keys = [...counter.slots.values()]
    .map(({ key, count, overcount }) => ({ key, count: count - overcount }))
    .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1));
  let sum = 0;
  for (const [i, { count }] of keys.slice(0, MOST_NAMED).entries()) {
    sum += count;
    if (sum < failed * LEAST_SHARE) continue;
    const named = keys.slice(0, i + 1).map(({ key }) => `${key.slice(0, SHOWN_DIGITS)}…`);
    const percent = Math.min(100, Math.floor((sum / failed) * 100));
    const count_ = named.length === 1 ? "1 key" : `${named.length} keys`;
    return `${percent}% of new's ${what} come from ${count_} (${named.join(", ")})`;
  }
  return null;
}
