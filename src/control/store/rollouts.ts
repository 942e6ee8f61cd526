/** The table of rollouts: a row a route, written over again and again while it bakes. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { RolloutRecord } from "../store-types.ts";
import { rolloutOf, rolloutValues } from "./rollout-rows.ts";
import { TableSeal } from "./seals.ts";

/** Reads and writes `rollouts` with its seal; transactions are the caller's. */
export class RolloutTable {
  readonly #seal: TableSeal;
  readonly #insert: StatementSync;
  readonly #drop: StatementSync;
  readonly #all: StatementSync;

  constructor(database: DatabaseSync) {
    this.#seal = new TableSeal(database, "rollouts");
    this.#insert = database.prepare(
      `INSERT INTO rollouts (route, state_json, shown_json, sha256)
       VALUES (:route, :state_json, :shown_json, :sha256) RETURNING *`,
    );
    this.#drop = database.prepare("DELETE FROM rollouts WHERE route = ? RETURNING *");
    this.#all = database.prepare("SELECT * FROM rollouts ORDER BY route");
  }

  /** Replaces older ones of their routes. */
  put(records: readonly RolloutRecord[]): void {
    const removed = [];
    const added = [];
    for (const record of records) {
      removed.push(...this.#drop.all(record.route.toWellFormed()));
      added.push(...this.#insert.all(rolloutValues(record)));
    }
    this.#seal.changed({ removed, added });
  }

  drop(routes: readonly string[]): void {
    const removed = routes.flatMap((route) => this.#drop.all(route.toWellFormed()));
    this.#seal.changed({ removed, added: [] });
  }

  all(): readonly RolloutRecord[] {
    return this.#all.all().map(rolloutOf);
  }
}
