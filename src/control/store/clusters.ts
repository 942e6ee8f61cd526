/** The table of mismatch clusters: one row a route, written over again and again. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ClusterRecord } from "../store-types.ts";
import { clustersOf, clusterValues } from "./rows.ts";

/** Reads and writes `clusters`; transactions are the caller's. `nowMs` is the wall clock. */
export class ClusterTable {
  readonly #maxAgeMs: number;
  readonly #put: StatementSync;
  readonly #forget: StatementSync;
  readonly #dropRoutes: StatementSync;
  readonly #all: StatementSync;

  constructor(database: DatabaseSync, maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
    this.#put = database.prepare(
      `INSERT OR REPLACE INTO clusters (route, at, compare_sha256, clusters_json)
       VALUES (:route, :at, :compare_sha256, :clusters_json)`,
    );
    this.#forget = database.prepare(
      "DELETE FROM clusters WHERE route NOT IN (SELECT value FROM json_each(:routes))",
    );
    this.#dropRoutes = database.prepare(
      "DELETE FROM clusters WHERE route IN (SELECT value FROM json_each(?))",
    );
    this.#all = database.prepare(
      "SELECT * FROM clusters WHERE julianday(at) >= julianday(:since) ORDER BY route",
    );
  }

  /** Routes that the rules do not name any more leave nothing behind: the examples are user data. */
  save(records: readonly ClusterRecord[], routes: readonly string[]): void {
    for (const record of records) this.#put.run(clusterValues(record));
    this.#forget.run({ routes: JSON.stringify(routes.map((route) => route.toWellFormed())) });
  }

  drop(routes: readonly string[]): void {
    this.#dropRoutes.run(JSON.stringify(routes));
  }

  all(nowMs: number): readonly ClusterRecord[] {
    return this.#all.all({ since: new Date(nowMs - this.#maxAgeMs).toISOString() }).map(clustersOf);
  }
}
