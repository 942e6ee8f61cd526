/** The table of small lasting values by name; the seals over other tables are kept in it too. */

import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Reads and writes `meta`; transactions are the caller's. */
export class MetaTable {
  readonly #get: StatementSync;
  readonly #put: StatementSync;

  constructor(database: DatabaseSync) {
    this.#get = database.prepare("SELECT value FROM meta WHERE name = ?");
    this.#put = database.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)");
  }

  get(name: string): string | undefined {
    const value = this.#get.get(name)?.value;
    return typeof value === "string" ? value : undefined;
  }

  put(name: string, value: string): void {
    this.#put.run(name, value.toWellFormed());
  }
}
