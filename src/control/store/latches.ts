/** The table of latches: a row a route that is rolled back. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { LatchRecord } from "../store-types.ts";
import { latchOf, latchValues } from "./rows.ts";
import { TableSeal } from "./seals.ts";

/** Reads and writes `latches` with its seal; transactions are the caller's. */
export class LatchTable {
  readonly #seal: TableSeal;
  readonly #insert: StatementSync;
  readonly #drop: StatementSync;
  readonly #all: StatementSync;

  constructor(database: DatabaseSync) {
    this.#seal = new TableSeal(database, "latches");
    this.#insert = database.prepare(
      `INSERT INTO latches (route, cause, at, actor, reason, evidence_json, revision)
       VALUES (:route, :cause, :at, :actor, :reason, :evidence_json, :revision) RETURNING *`,
    );
    this.#drop = database.prepare("DELETE FROM latches WHERE route = ? RETURNING *");
    this.#all = database.prepare("SELECT * FROM latches ORDER BY route");
  }

  /** Replaces an older latch of the route. */
  put(latch: LatchRecord): void {
    const removed = this.#drop.all(latch.route.toWellFormed());
    const added = this.#insert.all(latchValues(latch));
    this.#seal.changed({ removed, added });
  }

  drop(route: string): void {
    this.#seal.changed({ removed: this.#drop.all(route.toWellFormed()), added: [] });
  }

  all(): readonly LatchRecord[] {
    return this.#all.all().map(latchOf);
  }
}
