/**
 * Rollbacks: who is latched and why. Taking traffic back acts first and is stored then; giving it to new again
 * is stored first and acts then.
 */

import { countsOf, evidenceOf } from "../model/detector.ts";
import type { Actor, AuditEntry, RollbackEvidence } from "../model/reports.ts";
import type { Route } from "../model/ruleset.ts";
import { type Book, type Books, forgetEvidence } from "./books.ts";
import type { LatchRecord, Store } from "./store-types.ts";

export interface Cause {
  /** killSwitch | errors | client-errors | latency | mismatches | operator | store-damaged */
  readonly cause: string;
  readonly by: Actor;
  readonly reason: string;
  /** One sentence with metric, value, limit and samples. */
  readonly summary: string;
}

export interface LatchTools {
  readonly store: Store;
  readonly books: Books;
  readonly rulesVersion: () => string;
  readonly nowMs: () => number;
  readonly nowIso: () => string;
  readonly announce: (entry: AuditEntry) => void;
  /** A store that cannot be written: loud, but never in the way of a rollback. */
  readonly storeFailed: (error: unknown) => void;
}

export class Latches {
  readonly #tools: LatchTools;
  /** Also of routes that the rules do not name at present: they come back latched. */
  readonly #records = new Map<string, LatchRecord>();
  readonly #rollbackCounts = new Map<string, Map<string, number>>();
  #damage: { readonly why: string; readonly at: string } | null = null;

  constructor(tools: LatchTools) {
    this.#tools = tools;
  }

  /** Reads what was latched before the start; a damaged store closes everything. */
  async restore(): Promise<void> {
    const { store, nowIso } = this.#tools;
    this.#records.clear();
    this.#damage = store.health.kind === "damaged" ? { why: store.health.why, at: nowIso() } : null;
    for (const record of await store.latches()) this.#records.set(record.route, record);
  }

  /** Why nothing may go to new; null: the store is sound. */
  get damage(): string | null {
    return this.#damage?.why ?? null;
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
      try {
        await this.#clear(book, route.name, "rules", `revision ${record.revision} → ${route.revision}`);
      } catch (error) {
        this.#tools.storeFailed(error); // stays latched: the next reload tries again
      }
    }
  }

  /** Latches at once, then stores. Resolves when it is stored, or could not be. */
  async rollback(book: Book, cause: Cause): Promise<void> {
    const { route } = book;
    if (route === null) return;
    book.tile.latch();
    const { store, nowIso, announce, storeFailed } = this.#tools;
    const at = nowIso();
    const record: LatchRecord = {
      route: route.name,
      cause: cause.cause,
      at,
      by: cause.by,
      reason: cause.reason,
      evidence: this.#evidence(book, cause.summary),
      revision: route.revision,
    };
    this.#records.set(route.name, record);
    const counts = this.#rollbackCounts.get(route.name) ?? new Map<string, number>();
    counts.set(cause.cause, (counts.get(cause.cause) ?? 0) + 1);
    this.#rollbackCounts.set(route.name, counts);
    const audit = {
      at,
      route: route.name,
      action: "rollback",
      by: cause.by,
      reason: cause.reason,
      from: "serving",
      to: "rolled-back",
    };
    try {
      announce(await store.latch(record, audit));
    } catch (error) {
      storeFailed(error);
    }
  }

  /** Stores first: a crash between the two must not serve new behind a latch that is still on disk. */
  async reset(book: Book, by: Actor, reason: string): Promise<void> {
    if (book.route !== null) await this.#clear(book, book.route.name, by, reason);
  }

  async #clear(book: Book, name: string, by: Actor, reason: string): Promise<void> {
    const { store, nowIso, nowMs, announce } = this.#tools;
    const entry = await store.unlatch(name, {
      at: nowIso(),
      route: name,
      action: "reset",
      by,
      reason,
      from: "rolled-back",
      to: "serving",
    });
    this.#records.delete(name);
    forgetEvidence(book, nowMs());
    book.tile.unlatch();
    announce(entry);
  }

  #evidence(book: Book, summary: string): RollbackEvidence {
    const { detector } = book;
    const counts = detector === null ? NO_COUNTS : countsOf(detector);
    return {
      summary,
      samples: counts.samples,
      errors: counts.errors,
      evidence: detector === null ? {} : evidenceOf(detector),
      rulesVersion: this.#tools.rulesVersion(),
    };
  }

  #damageRecord(route: string, damage: { readonly why: string; readonly at: string }): LatchRecord {
    return {
      route,
      cause: "store-damaged",
      at: damage.at,
      by: "guard",
      reason: "nobody knows what was latched",
      evidence: {
        summary: damage.why,
        samples: NO_COUNTS.samples,
        errors: NO_COUNTS.errors,
        evidence: {},
        rulesVersion: this.#tools.rulesVersion(),
      },
      revision: 0,
    };
  }
}

const NO_COUNTS = { samples: { old: 0, new: 0 }, errors: { old: 0, new: 0 } };
