/** The tables of the state database, made to be read with any SQLite tool. */

import type { DatabaseSync } from "node:sqlite";
import { sealTables } from "./seals.ts";

/** "CUTO": tells our file from any other SQLite database. */
const APPLICATION_ID = 0x43_55_54_4f;

/**
 * One step a schema version: the first makes version 1 from nothing. Never edit a released step; add one.
 * Text columns that hold JSON end in `_json`; times are ISO 8601 in UTC.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE latches (
     route TEXT NOT NULL PRIMARY KEY,
     cause TEXT NOT NULL,
     at TEXT NOT NULL,
     actor TEXT NOT NULL,
     reason TEXT NOT NULL,
     evidence_json TEXT NOT NULL,
     revision INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE audit (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at TEXT NOT NULL,
     route TEXT,
     action TEXT NOT NULL,
     actor TEXT NOT NULL,
     reason TEXT NOT NULL,
     from_value TEXT,
     to_value TEXT
   ) STRICT;
   CREATE INDEX audit_route ON audit (route, id);
   CREATE TABLE samples (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at TEXT NOT NULL,
     route TEXT NOT NULL,
     request_id TEXT NOT NULL,
     method TEXT NOT NULL,
     target TEXT NOT NULL,
     differences_json TEXT NOT NULL,
     old_json TEXT NOT NULL,
     new_json TEXT NOT NULL,
     bytes INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX samples_bytes ON samples (id, bytes);
   CREATE TABLE meta (
     name TEXT NOT NULL PRIMARY KEY,
     value TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  // Samples of version 1 stay: what they do not say has the defaults here and in rows.ts.
  `ALTER TABLE samples ADD COLUMN rules_version TEXT NOT NULL DEFAULT '';
   ALTER TABLE samples ADD COLUMN request_headers_json TEXT NOT NULL DEFAULT '{}';
   CREATE TABLE sample_clusters (
     sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
     cluster TEXT NOT NULL,
     PRIMARY KEY (sample, cluster)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX sample_clusters_cluster ON sample_clusters (cluster, sample);
   CREATE TABLE clusters (
     route TEXT NOT NULL PRIMARY KEY,
     at TEXT NOT NULL,
     compare_sha256 TEXT NOT NULL,
     clusters_json TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  // A checksum in each row: of what decides who serves it is said which row is wrong.
  `ALTER TABLE audit ADD COLUMN evidence_json TEXT;
   CREATE TABLE rollouts (
     route TEXT NOT NULL PRIMARY KEY,
     state_json TEXT NOT NULL,
     shown_json TEXT NOT NULL,
     sha256 TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE pins (
     route TEXT NOT NULL,
     key TEXT NOT NULL,
     side TEXT NOT NULL,
     at TEXT NOT NULL,
     actor TEXT NOT NULL,
     reason TEXT NOT NULL,
     expires_at TEXT,
     sha256 TEXT NOT NULL,
     PRIMARY KEY (route, key)
   ) STRICT, WITHOUT ROWID;`,
  // Looks order the rows: the wall clock may be set. The text is last, so that nothing else has to read past it.
  `CREATE TABLE history (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     resolution_seconds INTEGER NOT NULL,
     first_look INTEGER NOT NULL,
     end_look INTEGER NOT NULL,
     at TEXT NOT NULL,
     seconds REAL NOT NULL,
     format INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     routes_json TEXT NOT NULL
   ) STRICT;
   CREATE INDEX history_resolution ON history (resolution_seconds, id);
   CREATE INDEX history_bytes ON history (id, bytes);`,
  // `migrate` seals the tables; see latch-checksum.ts for what the seals replace.
  "DELETE FROM meta WHERE name = 'latches.sha256'",
];

const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings a database from the version it has (0: empty) to the current one, and seals its tables anew, in one
 * transaction. Its rows must have been checked under the old version before: see inspect.ts.
 */
export function migrate(database: DatabaseSync): void {
  const from = schemaVersion(database);
  if (from === SCHEMA_VERSION) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const step of MIGRATIONS.slice(from)) database.exec(step);
    sealTables(database); // a step may have changed the columns of any of them
    database.exec(
      `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`,
    );
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** Whether the tables are those of the current version. */
export function isCurrent(database: DatabaseSync): boolean {
  return schemaVersion(database) === SCHEMA_VERSION;
}

/** Why the tables are not those that this program knows; undefined where they are. Only reads. */
export function schemaTrouble(
  database: DatabaseSync,
  sqlOfFresh: () => ReadonlyMap<string, string>,
): string | undefined {
  const version = schemaVersion(database);
  if (pragma(database, "application_id") !== APPLICATION_ID || version < 1) {
    return "it is not a database of cutover";
  }
  if (version > SCHEMA_VERSION) {
    return (
      `it was written by a newer cutover (schema ${version}; this one knows up to ${SCHEMA_VERSION}): ` +
      "start that version again, or put the file aside with `cutover reset --store`"
    );
  }
  if (version < SCHEMA_VERSION) return undefined; // the tables of old versions are the migration's business
  const found = tableSql(database);
  for (const [name, sql] of sqlOfFresh()) {
    if (found.get(name) !== sql) return `its table or index ${name} is missing or changed`;
  }
  return undefined;
}

/** The SQL text of every table and index, by name. */
export function tableSql(database: DatabaseSync): ReadonlyMap<string, string> {
  const rows = database.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  return new Map(rows.map((row) => [String(row.name), String(row.sql)]));
}

/** The version of a database's tables; 0: it has none. */
export function schemaVersion(database: DatabaseSync): number {
  return pragma(database, "user_version");
}

function pragma(database: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
