/** The table of pins: a row a key that a route sends to one side. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { PinRecord } from "../store-types.ts";
import { pinOf, pinValues } from "./rollout-rows.ts";
import { TableSeal } from "./seals.ts";

/** Reads and writes `pins` with its seal; transactions are the caller's. */
export class PinTable {
  readonly #seal: TableSeal;
  readonly #insert: StatementSync;
  readonly #drop: StatementSync;
  readonly #all: StatementSync;

  constructor(database: DatabaseSync) {
    this.#seal = new TableSeal(database, "pins");
    this.#insert = database.prepare(
      `INSERT INTO pins (route, key, side, at, actor, reason, expires_at, sha256)
       VALUES (:route, :key, :side, :at, :actor, :reason, :expires_at, :sha256) RETURNING *`,
    );
    this.#drop = database.prepare("DELETE FROM pins WHERE route = ? AND key = ? RETURNING *");
    this.#all = database.prepare("SELECT * FROM pins ORDER BY route, at, key");
  }

  /** Replaces an older pin of the key. */
  put(pin: PinRecord): void {
    const removed = this.#drop.all(pin.route.toWellFormed(), pin.key.toWellFormed());
    const added = this.#insert.all(pinValues(pin));
    this.#seal.changed({ removed, added });
  }

  drop(route: string, key: string): void {
    this.#seal.changed({ removed: this.#drop.all(route.toWellFormed(), key.toWellFormed()), added: [] });
  }

  all(): readonly PinRecord[] {
    return this.#all.all().map(pinOf);
  }
}
