/** What is said of pins: to operators with the key, in the audit trail and the log with its fingerprint alone. */

import { unitOf } from "../model/bucket.ts";
import { MAX_PINS_PER_ROUTE } from "../model/pins.ts";
import type { Route, Side } from "../model/ruleset.ts";
import type { KeyOfRoute } from "./pin-writes.ts";
import type { NewAuditEntry, PinRecord } from "./store-types.ts";

/** Why this route cannot take such a pin, and what to do instead; null: it can. */
export function whyNotPin({ name, key, new: fresh }: Route, side: Side, isFull: boolean): string | null {
  if (key.length === 0) {
    return `${name} has no key, so nobody can be told apart: write key: [header:x-tenant-id] in the rules`;
  }
  if (side === "new" && fresh === null) {
    return `${name} has no new to pin to: name a backend as its new in the rules`;
  }
  if (isFull) {
    return (
      `${name} has ${MAX_PINS_PER_ROUTE} pins already: unpin some, or list keys in split.new, split.newFile or ` +
      "split.old of the rules"
    );
  }
  return null;
}

/** `"acme" of profiles is pinned to old until 2026-05-01T10:00:00.000Z` */
export function describePin({ route, key, side, expiresAt }: PinRecord): string {
  return `${quotedKey(key)} of ${route} is pinned to ${side}${untilWords(expiresAt)}`;
}

/** Long enough to know it again. */
const MAX_SHOWN_CHARS = 100;

export function quotedKey(key: string): string {
  return JSON.stringify(key.length > MAX_SHOWN_CHARS ? `${key.slice(0, MAX_SHOWN_CHARS)}…` : key);
}

/** The audit line of a pin; `before`: the one that it replaces. */
export function asPinned(record: PinRecord, before: PinRecord | undefined): NewAuditEntry {
  const { route, at, by, reason, side, expiresAt } = record;
  const to = `${nameOf(record)}: ${side}${untilWords(expiresAt)}`;
  return { at, route, action: "pin", by, reason, from: placeBefore(record, before), to, evidence: null };
}

/** The audit line of an end: by an operator, also where the time they gave is over. */
export function asUnpinned(
  of: KeyOfRoute,
  before: PinRecord | undefined,
  { at, reason }: { readonly at: string; readonly reason: string },
): NewAuditEntry {
  const to = `${nameOf(of)}: rules`;
  const from = placeBefore(of, before);
  return { at, route: of.route, action: "unpin", by: "operator", reason, from, to, evidence: null };
}

function placeBefore(of: KeyOfRoute, before: PinRecord | undefined): string {
  return `${nameOf(of)}: ${before?.side ?? "rules"}`;
}

/** The trail is kept for good and told to others: it has the fingerprint, which `explain` and `pin` show. */
function nameOf({ route, key }: KeyOfRoute): string {
  return `key ${unitOf(route, key)}`;
}

function untilWords(expiresAt: string | null): string {
  return expiresAt === null ? "" : ` until ${expiresAt}`;
}
