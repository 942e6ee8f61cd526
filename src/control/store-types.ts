/** What is kept over restarts, and the promises of whoever keeps it. */

import type { Actor, AuditEntry, MismatchSample, RollbackEvidence } from "../model/reports.ts";

export interface LatchRecord {
  readonly route: string;
  readonly cause: string;
  /** ISO 8601. */
  readonly at: string;
  readonly by: Actor;
  readonly reason: string;
  readonly evidence: RollbackEvidence;
  /** The route's `revision` when it latched: a greater one clears the latch. */
  readonly revision: number;
}

export type NewAuditEntry = Omit<AuditEntry, "id">;
export type NewSample = Omit<MismatchSample, "id">;

/**
 * "fresh": made just now; "sound": read back whole; "damaged": not to be trusted, nothing was read; "unreadable":
 * perhaps whole, but nothing can be read at present, which a later start may. `why` names the file and what is wrong.
 */
export type StoreHealth =
  | { readonly kind: "fresh" }
  | { readonly kind: "sound" }
  | { readonly kind: "damaged" | "unreadable"; readonly why: string };

/**
 * The state folder. All calls are durable when they resolve, and reject with a StoreError that says what
 * could not be written and why (disk full, read-only …). Runs on a thread of its own, so that a disk that
 * hangs never stops the control thread from taking traffic back.
 */
export interface Store {
  readonly health: StoreHealth;
  latches(): Promise<readonly LatchRecord[]>;
  /** The latch and its audit line, in one transaction. Replaces an older latch of the route. */
  latch(latch: LatchRecord, audit: NewAuditEntry): Promise<AuditEntry>;
  /** Removes the latch and writes the audit line, in one transaction. */
  unlatch(route: string, audit: NewAuditEntry): Promise<AuditEntry>;
  append(audit: NewAuditEntry): Promise<AuditEntry>;
  /** Newest first. */
  audit(filter: { readonly route: string | null; readonly limit: number }): Promise<readonly AuditEntry[]>;
  auditAfter(id: number): Promise<readonly AuditEntry[]>;
  /** Stores a group of samples and drops the oldest beyond the caps (count and bytes). */
  addSamples(samples: readonly NewSample[]): Promise<void>;
  samples(route: string | null): Promise<readonly MismatchSample[]>;
  sample(id: number): Promise<MismatchSample | undefined>;
  /** Small lasting values: the salt of key hashes … */
  meta(key: string): Promise<string | undefined>;
  setMeta(key: string, value: string): Promise<void>;
  close(): Promise<void>;
}
