/** What is kept over restarts, and the promises of whoever keeps it. */

import type { Actor, AuditEntry, MismatchSample, PinReport, RollbackEvidence } from "../model/reports.ts";
import type { RolloutState } from "../model/rollout-state.ts";

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

/** Where a route's rollout has come to. */
export interface RolloutRecord {
  readonly route: string;
  readonly state: RolloutState;
  /** What the current step has shown so far (model/detector.ts), so that a restart goes on with it; null: nothing. */
  readonly shown: unknown;
}

export type PinRecord = Readonly<PinReport>;

/** Which audit lines: all three must hold. */
export interface AuditSearch {
  readonly route: string;
  readonly action: string;
  readonly by: Actor;
}

export type NewAuditEntry = Omit<AuditEntry, "id">;
export type NewSample = Omit<MismatchSample, "id">;

export interface SampleFilter {
  readonly route: string | null;
  readonly cluster: string | null;
  /** False: `body` is null in all of them. True: the newest only, up to a bound of their bytes. */
  readonly bodies: boolean;
}

/** The clusters of one route, as they were at a moment. */
export interface ClusterRecord {
  readonly route: string;
  /** ISO 8601. */
  readonly at: string;
  /** Of the `compare` that they were found under: under another one they say nothing. */
  readonly compareSha256: string;
  /** JSON. */
  readonly clusters: string;
}

/** What all routes did in a stretch of time, as the charts show it. */
export interface HistoryRecord {
  /** Seconds that such a stretch has where nothing interrupts it: 60 or 300. */
  readonly resolution: number;
  /** Numbers of the first look in it, and of the first one after it. */
  readonly from: number;
  readonly to: number;
  /** When it began; ISO 8601. */
  readonly at: string;
  readonly seconds: number;
  /** Of `routes`. */
  readonly format: number;
  /** JSON: an array of numbers a route, by its name. */
  readonly routes: string;
}

/** A null record: the row does not parse. */
export interface StoredHistory {
  readonly id: number;
  readonly record: HistoryRecord | null;
}

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
  /** Also of routes that the rules do not name at present. */
  rollouts(): Promise<readonly RolloutRecord[]>;
  /** The state and its audit line, in one transaction. Nothing may be promoted before it resolves. */
  moveRollout(record: RolloutRecord, audit: NewAuditEntry): Promise<AuditEntry>;
  /** Progress within steps, of all routes that bake: one transaction. */
  keepRollouts(records: readonly RolloutRecord[]): Promise<void>;
  /** Forgets how far the rollouts of these routes have come. */
  dropRollouts(routes: readonly string[]): Promise<void>;
  pins(): Promise<readonly PinRecord[]>;
  /** Replaces an older pin of the key. */
  pin(pin: PinRecord, audit: NewAuditEntry): Promise<AuditEntry>;
  unpin(route: string, key: string, audit: NewAuditEntry): Promise<AuditEntry>;
  /** Newest first. */
  audit(filter: { readonly route: string | null; readonly limit: number }): Promise<readonly AuditEntry[]>;
  /** The newest line of its kind. */
  newestAudit(search: AuditSearch): Promise<AuditEntry | undefined>;
  auditAfter(id: number): Promise<readonly AuditEntry[]>;
  /**
   * Stores a group of samples. Of each cluster a few are kept; beyond the caps of count and bytes those go first that
   * are the least loss: of clusters that have more of them, and older ones.
   */
  addSamples(samples: readonly NewSample[]): Promise<void>;
  /** Newest first. */
  samples(filter: SampleFilter): Promise<readonly MismatchSample[]>;
  sample(id: number): Promise<MismatchSample | undefined>;
  /** The newest of a cluster. */
  sampleOfCluster(cluster: string): Promise<MismatchSample | undefined>;
  /** Ids of the samples of each cluster, newest first. */
  clusterSamples(): Promise<ReadonlyMap<string, readonly number[]>>;
  /** Samples of the clusters `from` are from now on of the cluster `to`. */
  mergeClusterSamples(from: readonly string[], to: string): Promise<void>;
  /** Removes the samples and clusters of these routes, from the files too; answers how many samples there were. */
  dropSamples(routes: readonly string[]): Promise<number>;
  /** Puts these in place of what was kept of their routes, and forgets all routes but `routes`. */
  saveClusters(records: readonly ClusterRecord[], routes: readonly string[]): Promise<void>;
  clusters(): Promise<readonly ClusterRecord[]>;
  /** Stores these, in one transaction, and forgets the oldest ones beyond the caps. */
  addHistory(records: readonly HistoryRecord[]): Promise<void>;
  /** Oldest first, a part of those after `id`; empty: there are no more. */
  history(id: number): Promise<readonly StoredHistory[]>;
  /** Oldest first: audit lines of a route and of the whole gateway that explain its charts, since `sinceMs`. */
  markers(route: string, sinceMs: number): Promise<readonly AuditEntry[]>;
  /** Small lasting values: the salt of key hashes … */
  meta(key: string): Promise<string | undefined>;
  setMeta(key: string, value: string): Promise<void>;
  close(): Promise<void>;
}
