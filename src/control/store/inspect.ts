/** Looks at the files of a store before anything is written to them. */

import { statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ZodError } from "zod";
import type { LatchRecord, StoreHealth } from "../store-types.ts";
import { isDamage, textOf, trouble } from "./errors.ts";
import { auditOf, latchOf, sampleOf, sealOf } from "./rows.ts";
import { migrate, schemaTrouble, tableSql } from "./schema.ts";

/** The row of `meta` that holds the seal over all latches. */
export const SEAL_NAME = "latches.sha256";

/** How long a lock of another program (an operator's SQLite tool) is waited for. */
export const BUSY_TIMEOUT_MS = 5_000;

/**
 * Says whether the database at `path` can be trusted whole: pages, tables, every row, and the seal over the
 * latches. Opens it read-only, so that a damaged file is left as it is. Never throws.
 */
export function inspect(path: string): StoreHealth {
  try {
    const bytes = sizeOf(path);
    if (bytes === 0) return leftoverLog(path);
    return inspectDatabase(path);
  } catch (error) {
    return isDamage(error) ? damaged(path, textOf(error)) : unopened(path, error);
  }
}

/** No database file, or an empty one: fresh, unless a log beside it says that there was more. */
function leftoverLog(path: string): StoreHealth {
  if (sizeOf(`${path}-wal`) === 0) return { kind: "fresh" };
  return damaged(path, "it is missing or empty, but its log (-wal) is still there");
}

function inspectDatabase(path: string): StoreHealth {
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    const pages = database.prepare("PRAGMA quick_check(1)").get()?.quick_check;
    if (pages !== "ok") return damaged(path, `its integrity check says: ${String(pages)}`);
    const tables = schemaTrouble(database, freshSql);
    if (tables !== undefined) return damaged(path, tables);
    const rows = rowTrouble(database);
    return rows === undefined ? { kind: "sound" } : damaged(path, rows);
  } finally {
    database.close();
  }
}

function rowTrouble(database: DatabaseSync): string | undefined {
  const latches: LatchRecord[] = [];
  const tables: readonly (readonly [string, (row: unknown) => void])[] = [
    ["latches", (row) => latches.push(latchOf(row))],
    ["audit", auditOf],
    ["samples", sampleOf],
  ];
  for (const [table, parse] of tables) {
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

/** Health of a store that is not to be trusted; `what` continues "the store … is damaged: ". */
export function damaged(path: string, what: string): StoreHealth {
  return { kind: "damaged", why: `the store ${path} is damaged: ${what}` };
}

/**
 * Health of a store that may be whole but cannot be opened now. It counts as damaged all the same: its latches
 * are not known. (In WAL mode SQLite cannot even read on a disk without a free block for its -shm file.)
 */
export function unopened(path: string, error: unknown): StoreHealth {
  const { bavail: freeBlocks } = statfsSync(dirname(path));
  const what = freeBlocks === 0 ? "its disk is full" : `it ${trouble(error)}`;
  return {
    kind: "damaged",
    why: `the store ${path} cannot be opened: ${what}; put that right and start again`,
  };
}

/** Bytes of a file; 0 for none. Throws for what is no file. */
function sizeOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isFile()) throw new Error(`${path} is not a file`);
  return stat.size;
}
