/** Looks at the files of a store before anything is written to them. */

import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ZodError } from "zod";
import type { LatchRecord, StoreHealth } from "../store-types.ts";
import { isBusy, isDamage, textOf, trouble } from "./errors.ts";
import { isDiskFull } from "./files.ts";
import { checksumTrouble } from "./latch-checksum.ts";
import { BUSY_TIMEOUT_MS, bytesOf, MARK_NAME, openForReading } from "./open.ts";
import { pinOf, rolloutOf } from "./rollout-rows.ts";
import { auditOf, clustersOf, latchOf, sampleOf } from "./rows.ts";
import { migrate, schemaTrouble, schemaVersion, tableSql } from "./schema.ts";
import { SEALED_TABLES, SEALS_SINCE, SealSum } from "./seals.ts";

/** Longest text of SQLite that is passed on: its integrity check can list every page. */
const MAX_FINDING_LENGTH = 200;

/**
 * Says whether the database at `path` can be trusted whole: pages, tables, every row, and the seals over the
 * tables that have one. Opens it read-only, so that a damaged file is left as it is. Never throws.
 */
export function inspect(path: string): StoreHealth {
  try {
    return bytesOf(path) === 0 ? missing(path) : inspectFile(path);
  } catch (error) {
    return isDamage(error) ? damaged(path, textOf(error)) : unreadable(path, error);
  }
}

/** No database file, or an empty one: fresh, unless something beside it says that there was more. */
function missing(path: string): StoreHealth {
  const folder = dirname(path);
  const name = basename(path);
  const left = [`${name}-wal`, `${name}-shm`, MARK_NAME, "admin.token"].find((trace) =>
    existsSync(join(folder, trace)),
  );
  if (left === undefined) return { kind: "fresh" };
  return damaged(path, `it is missing or empty, but ${left} beside it tells that it held something once`);
}

function inspectFile(path: string): StoreHealth {
  try {
    return inspectDatabase(path, new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS }));
  } catch (error) {
    if (isDamage(error) || isBusy(error)) throw error;
    const settled = openForReading(path);
    if (settled === undefined) throw error;
    return inspectDatabase(path, settled);
  }
}

/** Closes the database. */
function inspectDatabase(path: string, database: DatabaseSync): StoreHealth {
  try {
    const pages = database.prepare("PRAGMA quick_check(1)").get()?.quick_check;
    if (pages !== "ok") return damaged(path, `its integrity check says: ${finding(pages)}`);
    const tables = schemaTrouble(database, freshSql);
    if (tables !== undefined) return damaged(path, tables);
    const rows = rowTrouble(database);
    return rows === undefined ? { kind: "sound" } : damaged(path, rows);
  } finally {
    database.close();
  }
}

/** On one line, without the heading that names our only database "main". */
function finding(pages: unknown): string {
  const text = String(pages)
    .replaceAll(/\*\*\*[^*]*\*\*\*/g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  return text.length > MAX_FINDING_LENGTH ? `${text.slice(0, MAX_FINDING_LENGTH)}…` : text;
}

function rowTrouble(database: DatabaseSync): string | undefined {
  const latches: LatchRecord[] = [];
  /** With the schema version that brought each. */
  const tables: readonly (readonly [string, number, (row: unknown) => void])[] = [
    ["latches", 1, (row) => latches.push(latchOf(row))],
    ["audit", 1, auditOf],
    ["samples", 1, sampleOf],
    ["clusters", 2, clustersOf],
    ["rollouts", 3, rolloutOf],
    ["pins", 3, pinOf],
  ];
  const version = schemaVersion(database);
  for (const [table, since, parse] of tables) {
    if (version < since) continue;
    const trouble = tableTrouble(database, table, parse, version >= SEALS_SINCE);
    if (trouble !== undefined) return trouble;
  }
  return version < SEALS_SINCE ? checksumTrouble(database, latches) : undefined;
}

function tableTrouble(
  database: DatabaseSync,
  table: string,
  parse: (row: unknown) => void,
  hasSeals: boolean,
): string | undefined {
  const sealed = hasSeals ? SEALED_TABLES.find((name) => name === table) : undefined;
  const sum = new SealSum();
  try {
    for (const row of database.prepare(`SELECT * FROM ${table}`).iterate()) {
      parse(row);
      if (sealed !== undefined) sum.add(row);
    }
  } catch (error) {
    const issue = issueOf(error);
    if (issue === undefined) throw error;
    return `a row of its table ${table} does not parse (${issue})`;
  }
  return sealed === undefined ? undefined : sum.trouble(database, sealed);
}

/** What is wrong with the row itself; undefined: it could not be read at all. */
function issueOf(error: unknown): string | undefined {
  if (error instanceof RangeError) return "a number is too great"; // node:sqlite reads none beyond 2^53
  if (!(error instanceof ZodError)) return undefined;
  const issue = error.issues[0];
  if (issue === undefined) return error.message;
  // A checksum is of the whole row: it has no path.
  return [issue.path.join("."), issue.message].filter((part) => part !== "").join(": ");
}

/** What the tables of a database made just now read like. */
function freshSql(): ReadonlyMap<string, string> {
  const database = new DatabaseSync(":memory:");
  try {
    migrate(database);
    return tableSql(database);
  } finally {
    database.close();
  }
}

/** Health of a store that is not to be trusted; `what` is a clause about the file. */
export function damaged(path: string, what: string): StoreHealth {
  return { kind: "damaged", why: `${path}: ${what}` };
}

/** Health of a store that may be whole but cannot be read now: its latches are not known either. */
export function unreadable(path: string, error: unknown): StoreHealth {
  return {
    kind: "unreadable",
    why: `${path}: ${isDiskFull(dirname(path)) ? "its disk is full" : `it ${trouble(error)}`}`,
  };
}
