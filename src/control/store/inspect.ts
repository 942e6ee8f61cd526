/** Looks at the files of a store before anything is written to them. */

import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ZodError } from "zod";
import type { LatchRecord, StoreHealth } from "../store-types.ts";
import { isBusy, isDamage, textOf, trouble } from "./errors.ts";
import { isDiskFull } from "./files.ts";
import { BUSY_TIMEOUT_MS, bytesOf, MARK_NAME, openForReading, SEAL_NAME } from "./open.ts";
import { pinOf, rolloutOf } from "./rollout-rows.ts";
import { auditOf, clustersOf, latchOf, sampleOf, sealOf } from "./rows.ts";
import { migrate, schemaTrouble, schemaVersion, tableSql } from "./schema.ts";

/** Longest text of SQLite that is passed on: its integrity check can list every page. */
const MAX_FINDING_LENGTH = 200;

/**
 * Says whether the database at `path` can be trusted whole: pages, tables, every row, and the seal over the
 * latches. Opens it read-only, so that a damaged file is left as it is. Never throws.
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
    try {
      for (const row of database.prepare(`SELECT * FROM ${table}`).iterate()) parse(row);
    } catch (error) {
      if (!(error instanceof ZodError)) throw error;
      return `a row of its table ${table} does not parse (${firstIssue(error)})`;
    }
  }
  const seal = database.prepare("SELECT value FROM meta WHERE name = ?").get(SEAL_NAME)?.value;
  return seal === sealOf(latches) ? undefined : "its table latches does not match its checksum";
}

function firstIssue(error: ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? error.message : `${issue.path.join(".")}: ${issue.message}`;
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
