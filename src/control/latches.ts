/**
 * Rollbacks: who is latched and why. Taking traffic back acts first and is stored then; giving it to new again
 * is stored first and acts then.
 */

import type { Actor, AuditEntry } from "../model/reports.ts";
import type { Route } from "../model/ruleset.ts";
import { withoutCause } from "../model/trip-words.ts";
import { type Book, type Books, forgetEvidence } from "./books.ts";
import { evidenceOfBook, noCounts } from "./evidence-snapshot.ts";
import type { Kept, LateWrites } from "./late-writes.ts";
import type { LatchRecord, NewAuditEntry, Store, StoreHealth } from "./store-types.ts";
import { within } from "./within.ts";

/** A store of which nobody knows what was latched. */
export type UnknownStore = Extract<StoreHealth, { readonly why: string }>;

/** A disk that hangs must hold up neither a reload nor an operator's answer: what it keeps for later goes on. */
const STORE_PATIENCE_MS = 2_000;

export interface Cause {
  /** killSwitch | errors | client-errors | latency | mismatches | operator */
  readonly cause: string;
  readonly by: Actor;
  readonly reason: string;
  /** One sentence with metric, value, limit and samples. */
  readonly summary: string;
}

/** What staged rollouts do with a latch; see rollouts.ts. */
export interface RolloutsBehind {
  /** Where a route's rollout stands, in words; null: it has none. */
  placeOf(route: string): string | null;
  /** The latch has closed. */
  rolledBack(route: string): void;
  /**
   * Before a latch is cleared: stores that nothing will be on new. Rejects where the latch must stay. Null: the route
   * has no rollout, and nothing has to be waited for.
   */
  opening(route: string): Promise<void> | null;
  /** The latch opens now. */
  opens(route: string): void;
}

export interface LatchTools {
  readonly store: Store;
  readonly books: Books;
  readonly late: LateWrites;
  readonly rollouts: RolloutsBehind;
  readonly rulesVersion: () => string;
  readonly nowMs: () => number;
  readonly nowIso: () => string;
  /** To those who listen: the entry is in the store. */
  readonly announce: (entry: AuditEntry) => void;
  /** To the event log: it has happened. */
  readonly log: (msg: "rollback" | "reset", fields: Readonly<Record<string, unknown>>) => void;
  /** A store that cannot be written: loud, but never in the way of a rollback. */
  readonly storeFailed: (error: unknown) => void;
}

export class Latches {
  readonly #tools: LatchTools;
  /** Also of routes that the rules do not name at present: they come back latched. */
  readonly #records = new Map<string, LatchRecord>();
  readonly #rollbackCounts = new Map<string, Map<string, number>>();
  readonly #clearing = new Set<string>();
  #damage: (UnknownStore & { readonly at: string }) | null = null;

  constructor(tools: LatchTools) {
    this.#tools = tools;
  }

  /** Reads what was latched before the start; a store that cannot tell closes everything. */
  async restore(): Promise<void> {
    const { store, nowIso } = this.#tools;
    const { health } = store;
    this.#records.clear();
    this.#damage = "why" in health ? { ...health, at: nowIso() } : null;
    for (const record of await store.latches()) this.#records.set(record.route, record);
  }

  /** A reset that is being stored: the latch stands until it is, and a new rollback outlives it. */
  isClearing(route: string): boolean {
    return this.#clearing.has(route);
  }

  /** Why nothing may go to new; null: the store was sound when it was read. */
  get damage(): UnknownStore | null {
    return this.#damage;
  }

  of(route: string): LatchRecord | undefined {
    return this.#damage === null ? this.#records.get(route) : this.#damageRecord(route, this.#damage);
  }

  /** Latched names, those that the rules do not name too. */
  get names(): readonly string[] {
    return [...this.#records.keys()];
  }

  /** Rollbacks since the start by cause. */
  counts(route: string): ReadonlyMap<string, number> {
    return this.#rollbackCounts.get(route) ?? new Map();
  }

  /**
   * Sets the board to what is known, before the rules act: a latch lasts through reloads and restarts. A
   * `revision` above the one at the latch clears it, which is stored first.
   */
  async apply(routes: readonly Route[]): Promise<void> {
    for (const route of routes) {
      const book = this.#tools.books.named(route.name);
      if (book === undefined) continue;
      if (this.#damage !== null) {
        book.tile.close();
        continue;
      }
      const record = this.#records.get(route.name);
      if (record === undefined) continue;
      book.tile.latch();
      if (route.revision <= record.revision) continue;
      const reason = `revision ${record.revision} → ${route.revision}`;
      // Where it fails the route stays latched: the next reload tries again.
      const clearing = this.#clear(route.name, "rules", reason).catch(this.#tools.storeFailed);
      await within(clearing, STORE_PATIENCE_MS);
    }
  }

  /** Latches at once, then stores. Resolves when it is stored, could not be, or the disk takes its time. */
  async rollback(book: Book, cause: Cause): Promise<Kept> {
    const { route } = book;
    if (route === null) return "stored";
    const { rollouts } = this.#tools;
    book.tile.latch();
    const at = this.#tools.nowIso();
    const from = rollouts.placeOf(route.name) ?? "serving";
    const record: LatchRecord = {
      route: route.name,
      cause: cause.cause,
      at,
      by: cause.by,
      reason: cause.reason,
      evidence: evidenceOfBook(book, cause.summary, this.#tools.rulesVersion()),
      revision: route.revision,
    };
    this.#records.set(route.name, record);
    // Before the rollout notes it: a crash between the two must not leave that without a latch.
    const keeping = this.#keep(record, auditOf(record, from));
    rollouts.rolledBack(route.name);
    const counts = this.#rollbackCounts.get(route.name) ?? new Map<string, number>();
    counts.set(cause.cause, (counts.get(cause.cause) ?? 0) + 1);
    this.#rollbackCounts.set(route.name, counts);
    const { cause: metric, by, reason, evidence } = record;
    this.#tools.log("rollback", { route: route.name, cause: metric, by, reason, evidence });
    return (await within(keeping, STORE_PATIENCE_MS)) ?? "not stored yet";
  }

  /** Writes every latch again: into a store that took a damaged one's place. */
  async storeAgain(): Promise<void> {
    for (const record of this.#records.values()) await this.#keep(record, auditOf(record, "serving"));
  }

  /** A store that fails is asked again for as long as the latch stands: a restart must find it. */
  #keep(record: LatchRecord, audit: NewAuditEntry): Promise<Kept> {
    const { store, late } = this.#tools;
    const { route } = record;
    const write = (): Promise<AuditEntry> => store.latch(record, audit);
    const isStanding = (): boolean => this.#records.get(route) === record;
    const again = (): Promise<AuditEntry> => (isStanding() ? write() : store.append(audit));
    return late.keep({ route, what: `rollback of ${route}`, isVital: true, write, again });
  }

  /**
   * Stores first: a crash between the two must not serve new behind a latch that is still on disk. The rules need
   * not name the route.
   */
  reset(name: string, by: Actor, reason: string): Promise<void> {
    return this.#clear(name, by, reason);
  }

  async #clear(name: string, by: Actor, reason: string): Promise<void> {
    const { store, books, late, rollouts, nowIso, nowMs, announce } = this.#tools;
    const record = this.#records.get(name);
    this.#clearing.add(name);
    try {
      if (late.count(name) > 0) await late.retry(); // what happened before it comes before it in the trail
      const opening = rollouts.opening(name);
      if (opening !== null) await opening;
      if (this.#records.get(name) !== record) return; // rolled back again meanwhile: that one stays
      const [from, to] = ["rolled-back", rollouts.placeOf(name) ?? "serving"];
      const audit = { at: nowIso(), route: name, action: "reset", by, reason, from, to, evidence: null };
      announce(await store.unlatch(name, audit));
    } catch (error) {
      rollouts.rolledBack(name); // the latch stands, and so does what is behind it
      throw error;
    } finally {
      this.#clearing.delete(name);
    }
    // Rolled back again meanwhile: that one is stored after this, and stays.
    if (this.#records.get(name) !== record) return;
    this.#records.delete(name);
    const book = books.named(name); // a reload may have brought it, or taken it away, meanwhile
    if (book !== undefined) {
      forgetEvidence(book, nowMs());
      rollouts.opens(name);
      book.tile.unlatch();
    }
    this.#tools.log("reset", { route: name, by, reason });
  }

  /** Why is said once for the gateway: here it would be repeated for every route. */
  #damageRecord(route: string, { kind, at }: UnknownStore & { readonly at: string }): LatchRecord {
    const summary = "nobody knows what was rolled back";
    return {
      route,
      cause: `store-${kind}`,
      at,
      by: "gateway",
      reason: summary,
      evidence: { summary, ...noCounts(), evidence: {}, rulesVersion: this.#tools.rulesVersion() },
      revision: 0,
    };
  }
}

/** An audit line has no field for the cause; an operator's is no more than "operator". */
function auditOf(record: LatchRecord, from: string): NewAuditEntry {
  const { at, route, cause, by, reason, evidence } = record;
  const why = by === "operator" ? reason : `${cause}: ${withoutCause(cause, reason)}`;
  return { at, route, action: "rollback", by, reason: why, from, to: "rolled-back", evidence };
}
