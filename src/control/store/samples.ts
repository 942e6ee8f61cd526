/** The tables of mismatch samples, which never grow beyond their caps. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { MismatchSample } from "../../model/reports.ts";
import type { NewSample, SampleFilter } from "../store-types.ts";
import { sampleOf, sampleValues } from "./rows.ts";

export interface SampleCaps {
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  /** The first one and the newest; at least 2. */
  readonly maxPerCluster: number;
}

export const SAMPLE_CAPS: SampleCaps = {
  maxCount: 1_000,
  maxBytes: 64 * 1024 * 1024,
  maxAgeMs: 7 * 24 * 60 * 60 * 1_000,
  maxPerCluster: 5,
};

/** Most bytes of one list with bodies: they travel through the control thread, which must not stand still for them. */
const MAX_LISTED_BYTES = 16 * 1024 * 1024;
/** A pair may differ in many places; in so many of its clusters it is looked up and kept. */
const MAX_CLUSTERS = 16;

const COLUMNS = `samples.*, (
  SELECT json_group_array(cluster) FROM sample_clusters WHERE sample = samples.id
) AS clusters_json`;

/** Samples by how great a loss they would be: 1 for the newest of any cluster, then the first one and the next … */
const RANKED = `
  SELECT sample, min(CASE oldest WHEN 1 THEN min(newest, 2) ELSE newest END) AS rank
  FROM (
    SELECT sample,
      row_number() OVER (PARTITION BY cluster ORDER BY sample DESC) AS newest,
      row_number() OVER (PARTITION BY cluster ORDER BY sample) AS oldest
    FROM sample_clusters
  )
  GROUP BY sample`;

/** Those of an older schema are of no cluster. */
const RANK_OF_UNKNOWN = 2;

/** Reads and writes `samples` and `sample_clusters`; transactions are the caller's. `nowMs` is the wall clock. */
export class SampleTable {
  readonly #caps: SampleCaps;
  readonly #insert: StatementSync;
  readonly #insertCluster: StatementSync;
  readonly #mergeCluster: StatementSync;
  readonly #dropCluster: StatementSync;
  readonly #dropRoutes: StatementSync;
  readonly #dropOld: StatementSync;
  readonly #dropSurplus: StatementSync;
  readonly #all: StatementSync;
  readonly #one: StatementSync;
  readonly #newest: StatementSync;
  readonly #ids: StatementSync;

  constructor(database: DatabaseSync, caps: SampleCaps) {
    this.#caps = caps;
    this.#insert = database.prepare(
      `INSERT INTO samples (at, route, request_id, method, target, differences_json, old_json, new_json, bytes,
         rules_version, request_headers_json)
       VALUES (:at, :route, :request_id, :method, :target, :differences_json, :old_json, :new_json, :bytes,
         :rules_version, :request_headers_json)`,
    );
    this.#insertCluster = database.prepare(
      "INSERT OR IGNORE INTO sample_clusters (sample, cluster) VALUES (?, ?)",
    );
    this.#mergeCluster = database.prepare(
      "INSERT OR IGNORE INTO sample_clusters (sample, cluster) SELECT sample, :to FROM sample_clusters WHERE cluster = :from",
    );
    this.#dropCluster = database.prepare("DELETE FROM sample_clusters WHERE cluster = ?");
    this.#dropRoutes = database.prepare(
      "DELETE FROM samples WHERE route IN (SELECT value FROM json_each(?))",
    );
    this.#dropOld = database.prepare("DELETE FROM samples WHERE julianday(at) < julianday(?)");
    // From the greatest loss to the least, so that a rare cluster's only sample outlives a frequent one's fifth.
    this.#dropSurplus = database.prepare(
      `DELETE FROM samples WHERE id IN (
         SELECT id FROM (
           SELECT id, rank, row_number() OVER dearest AS place, sum(bytes) OVER dearest AS total
           FROM (
             SELECT id, bytes, coalesce(rank, ${RANK_OF_UNKNOWN}) AS rank
             FROM samples LEFT JOIN (${RANKED}) ON sample = id
           )
           WINDOW dearest AS (ORDER BY rank, id DESC ROWS UNBOUNDED PRECEDING)
         ) WHERE rank >= :maxPerCluster OR place > :maxCount OR total > :maxBytes
       )`,
    );
    this.#all = database.prepare(
      `SELECT ${COLUMNS} FROM samples
       WHERE (:route IS NULL OR route = :route) AND julianday(at) >= julianday(:since)
         AND (:cluster IS NULL OR id IN (SELECT sample FROM sample_clusters WHERE cluster = :cluster))
       ORDER BY id DESC`,
    );
    this.#one = database.prepare(
      `SELECT ${COLUMNS} FROM samples WHERE id = :id AND julianday(at) >= julianday(:since)`,
    );
    this.#newest = database.prepare(
      `SELECT ${COLUMNS} FROM samples
       WHERE id IN (SELECT sample FROM sample_clusters WHERE cluster = :cluster)
         AND julianday(at) >= julianday(:since)
       ORDER BY id DESC LIMIT 1`,
    );
    this.#ids = database.prepare(
      `SELECT cluster, sample FROM sample_clusters JOIN samples ON id = sample
       WHERE julianday(at) >= julianday(:since) ORDER BY cluster, sample DESC`,
    );
  }

  add(samples: readonly NewSample[], nowMs: number): void {
    for (const sample of samples) {
      const { lastInsertRowid } = this.#insert.run(sampleValues(sample));
      for (const cluster of sample.clusters.slice(0, MAX_CLUSTERS))
        this.#insertCluster.run(lastInsertRowid, cluster);
    }
    this.prune(nowMs);
  }

  merge(from: readonly string[], to: string): void {
    for (const cluster of from) {
      if (cluster === to) continue;
      this.#mergeCluster.run({ from: cluster, to });
      this.#dropCluster.run(cluster);
    }
  }

  /** Answers how many there were. */
  drop(routes: readonly string[]): number {
    return Number(this.#dropRoutes.run(JSON.stringify(routes)).changes);
  }

  /** Drops the samples that are too old, those beyond what a cluster may have, then the least loss beyond the caps. */
  prune(nowMs: number): void {
    const { maxCount, maxBytes, maxPerCluster } = this.#caps;
    this.#dropOld.run(this.#since(nowMs));
    this.#dropSurplus.run({ maxCount, maxBytes, maxPerCluster });
  }

  /** Newest first; those too old are not shown even where nothing has dropped them yet. */
  list({ route, cluster, bodies }: SampleFilter, nowMs: number): readonly MismatchSample[] {
    const samples: MismatchSample[] = [];
    let bytes = 0;
    for (const row of this.#all.iterate({ route, cluster, since: this.#since(nowMs) })) {
      bytes += Number(row.bytes);
      if (bodies && bytes > MAX_LISTED_BYTES) break;
      samples.push(bodies ? sampleOf(row) : withoutBodies(sampleOf(row)));
    }
    return samples;
  }

  get(id: number, nowMs: number): MismatchSample | undefined {
    const row = this.#one.get({ id, since: this.#since(nowMs) });
    return row === undefined ? undefined : sampleOf(row);
  }

  newestOf(cluster: string, nowMs: number): MismatchSample | undefined {
    const row = this.#newest.get({ cluster, since: this.#since(nowMs) });
    return row === undefined ? undefined : sampleOf(row);
  }

  byCluster(nowMs: number): ReadonlyMap<string, readonly number[]> {
    const ids = new Map<string, number[]>();
    for (const row of this.#ids.iterate({ since: this.#since(nowMs) })) {
      const cluster = String(row.cluster);
      const samples = ids.get(cluster);
      if (samples === undefined) ids.set(cluster, [Number(row.sample)]);
      else samples.push(Number(row.sample));
    }
    return ids;
  }

  #since(nowMs: number): string {
    return new Date(nowMs - this.#caps.maxAgeMs).toISOString();
  }
}

function withoutBodies(sample: MismatchSample): MismatchSample {
  return { ...sample, old: { ...sample.old, body: null }, new: { ...sample.new, body: null } };
}
