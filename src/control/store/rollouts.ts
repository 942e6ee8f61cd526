/** The tables of rollouts and pins: a row a route, and a row a pinned key. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { PinRecord, RolloutRecord } from "../store-types.ts";
import { pinOf, pinValues, rolloutOf, rolloutValues } from "./rollout-rows.ts";

/** Reads and writes `rollouts` and `pins`; transactions are the caller's. */
export class RolloutTables {
  readonly #put: StatementSync;
  readonly #drop: StatementSync;
  readonly #all: StatementSync;
  readonly #putPin: StatementSync;
  readonly #dropPin: StatementSync;
  readonly #pins: StatementSync;

  constructor(database: DatabaseSync) {
    this.#put = database.prepare(
      `INSERT OR REPLACE INTO rollouts (route, state_json, shown_json, sha256)
       VALUES (:route, :state_json, :shown_json, :sha256)`,
    );
    this.#drop = database.prepare("DELETE FROM rollouts WHERE route = ?");
    this.#all = database.prepare("SELECT * FROM rollouts ORDER BY route");
    this.#putPin = database.prepare(
      `INSERT OR REPLACE INTO pins (route, key, side, at, actor, reason, expires_at, sha256)
       VALUES (:route, :key, :side, :at, :actor, :reason, :expires_at, :sha256)`,
    );
    this.#dropPin = database.prepare("DELETE FROM pins WHERE route = ? AND key = ?");
    this.#pins = database.prepare("SELECT * FROM pins ORDER BY route, at, key");
  }

  put(record: RolloutRecord): void {
    this.#put.run(rolloutValues(record));
  }

  drop(routes: readonly string[]): void {
    for (const route of routes) this.#drop.run(route.toWellFormed());
  }

  all(): readonly RolloutRecord[] {
    return this.#all.all().map(rolloutOf);
  }

  putPin(pin: PinRecord): void {
    this.#putPin.run(pinValues(pin));
  }

  dropPin(route: string, key: string): void {
    this.#dropPin.run(route.toWellFormed(), key.toWellFormed());
  }

  pins(): readonly PinRecord[] {
    return this.#pins.all().map(pinOf);
  }
}
