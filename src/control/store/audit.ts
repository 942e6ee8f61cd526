/** The audit trail: lines are added, and none is ever changed or dropped. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AuditEntry } from "../../model/reports.ts";
import type { AuditSearch, NewAuditEntry } from "../store-types.ts";
import { auditOf, auditValues } from "./rows.ts";
import { TableSeal } from "./seals.ts";

/** Most entries that one call of `after` returns; the caller asks again from the last one's id. */
const PAGE = 1_000;
const MAX_LIMIT = 10_000;

/** Reads and writes `audit` with its seal; transactions are the caller's. */
export class AuditTable {
  readonly #seal: TableSeal;
  readonly #insert: StatementSync;
  readonly #newest: StatementSync;
  readonly #all: StatementSync;
  readonly #ofRoute: StatementSync;
  readonly #after: StatementSync;

  constructor(database: DatabaseSync) {
    this.#seal = new TableSeal(database, "audit");
    this.#insert = database.prepare(
      `INSERT INTO audit (at, route, action, actor, reason, from_value, to_value, evidence_json)
       VALUES (:at, :route, :action, :actor, :reason, :from_value, :to_value, :evidence_json) RETURNING *`,
    );
    this.#newest = database.prepare(
      "SELECT * FROM audit WHERE route = ? AND action = ? AND actor = ? ORDER BY id DESC LIMIT 1",
    );
    this.#all = database.prepare("SELECT * FROM audit ORDER BY id DESC LIMIT ?");
    this.#ofRoute = database.prepare("SELECT * FROM audit WHERE route = ? ORDER BY id DESC LIMIT ?");
    this.#after = database.prepare("SELECT * FROM audit WHERE id > ? ORDER BY id LIMIT ?");
  }

  append(line: NewAuditEntry): AuditEntry {
    const added = this.#insert.all(auditValues(line));
    this.#seal.changed({ removed: [], added });
    return auditOf(added[0]);
  }

  /** Newest first. */
  list({ route, limit }: { readonly route: string | null; readonly limit: number }): readonly AuditEntry[] {
    const most = Math.min(Math.max(Math.trunc(limit), 0), MAX_LIMIT);
    const rows = route === null ? this.#all.all(most) : this.#ofRoute.all(route, most);
    return rows.map(auditOf);
  }

  newest({ route, action, by }: AuditSearch): AuditEntry | undefined {
    const row = this.#newest.get(route, action, by);
    return row === undefined ? undefined : auditOf(row);
  }

  after(id: number): readonly AuditEntry[] {
    return this.#after.all(id, PAGE).map(auditOf);
  }
}
