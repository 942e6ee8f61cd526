/** The table of mismatch samples, which never grows beyond its caps. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { MismatchSample } from "../../model/reports.ts";
import type { NewSample } from "../store-types.ts";
import { sampleOf, sampleValues } from "./rows.ts";

export interface SampleCaps {
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

export const SAMPLE_CAPS: SampleCaps = {
  maxCount: 1_000,
  maxBytes: 64 * 1024 * 1024,
  maxAgeMs: 7 * 24 * 60 * 60 * 1_000,
};

/** Reads and writes `samples`; transactions are the caller's. `nowMs` is the wall clock. */
export class SampleTable {
  readonly #caps: SampleCaps;
  readonly #insert: StatementSync;
  readonly #dropOld: StatementSync;
  readonly #dropSurplus: StatementSync;
  readonly #all: StatementSync;
  readonly #one: StatementSync;

  constructor(database: DatabaseSync, caps: SampleCaps) {
    this.#caps = caps;
    this.#insert = database.prepare(
      `INSERT INTO samples (at, route, request_id, method, target, differences_json, old_json, new_json, bytes)
       VALUES (:at, :route, :request_id, :method, :target, :differences_json, :old_json, :new_json, :bytes)`,
    );
    this.#dropOld = database.prepare("DELETE FROM samples WHERE julianday(at) < julianday(?)");
    // Counted from the newest down, so that the oldest go first; answered by the index samples_bytes alone.
    this.#dropSurplus = database.prepare(
      `DELETE FROM samples WHERE id IN (
         SELECT id FROM (
           SELECT id, row_number() OVER newest AS place, sum(bytes) OVER newest AS total
           FROM samples WINDOW newest AS (ORDER BY id DESC ROWS UNBOUNDED PRECEDING)
         ) WHERE place > :maxCount OR total > :maxBytes
       )`,
    );
    this.#all = database.prepare(
      `SELECT * FROM samples WHERE (:route IS NULL OR route = :route) AND julianday(at) >= julianday(:since)
       ORDER BY id DESC`,
    );
    this.#one = database.prepare(
      "SELECT * FROM samples WHERE id = :id AND julianday(at) >= julianday(:since)",
    );
  }

  add(samples: readonly NewSample[], nowMs: number): void {
    for (const sample of samples) this.#insert.run(sampleValues(sample));
    this.prune(nowMs);
  }

  /** Drops the samples that are too old, then the oldest beyond the caps of count and bytes. */
  prune(nowMs: number): void {
    this.#dropOld.run(this.#since(nowMs));
    this.#dropSurplus.run({ maxCount: this.#caps.maxCount, maxBytes: this.#caps.maxBytes });
  }

  /** Newest first; those too old are not shown even where nothing has dropped them yet. */
  list(route: string | null, nowMs: number): readonly MismatchSample[] {
    return this.#all.all({ route, since: this.#since(nowMs) }).map(sampleOf);
  }

  get(id: number, nowMs: number): MismatchSample | undefined {
    const row = this.#one.get({ id, since: this.#since(nowMs) });
    return row === undefined ? undefined : sampleOf(row);
  }

  #since(nowMs: number): string {
    return new Date(nowMs - this.#caps.maxAgeMs).toISOString();
  }
}
