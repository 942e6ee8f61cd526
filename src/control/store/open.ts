/** Ways to open, make and put aside the database file. */

import { closeSync, existsSync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { syncFolder } from "./files.ts";
import { isCurrent, migrate } from "./schema.ts";

/** How long a lock of another program (an operator's SQLite tool) is waited for. */
export const BUSY_TIMEOUT_MS = 5_000;

/** The log is cut back to this after a burst of samples. */
const LOG_BYTES = 4 * 1024 * 1024;

/** Not named `state.db…`: whoever removes those must not remove what tells of it. */
export const MARK_NAME = "store.made";
const MARK_TEXT =
  "This folder has a store, state.db, that keeps rollbacks. A gateway that does not find it sends everything\n" +
  "to old until `cutover reset --store`.\n";

/** Makes a fresh database, beside and renamed into place whole, so that a crash never leaves half of one. */
export function createDatabase(path: string): void {
  const draft = `${path}.draft`;
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(`${draft}${suffix}`, { force: true });
  closeSync(openSync(draft, "wx", 0o600)); // samples are user data; the log files take over this mode
  const database = new DatabaseSync(draft);
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    migrate(database);
  } finally {
    database.close();
  }
  renameSync(draft, path);
  writeFileSync(join(dirname(path), MARK_NAME), MARK_TEXT, { mode: 0o600 });
  syncFolder(dirname(path));
}

/** Opens a database for reading and durable writing, and brings it to the current schema. */
export function openForWriting(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    database.exec(
      // What is deleted is user data: it is overwritten, not left in free pages.
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
       PRAGMA journal_size_limit = ${LOG_BYTES}`,
    );
    migrate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Opens a database of the current schema where nothing can be written: in WAL mode SQLite itself cannot even
 * read on a disk without a free block for its -shm file. Undefined where the file alone does not hold everything:
 * part of it is in a log. The caller makes sure that nobody writes meanwhile.
 */
export function openForReading(path: string): DatabaseSync | undefined {
  if (["-wal", "-journal"].some((suffix) => bytesOf(`${path}${suffix}`) > 0)) return undefined;
  const url = pathToFileURL(path);
  url.searchParams.set("immutable", "1"); // no locks, no log: https://sqlite.org/uri.html#uriimmutable
  const database = new DatabaseSync(url, { readOnly: true });
  if (isCurrent(database)) return database;
  database.close();
  return undefined;
}

/**
 * Renames a database and what belongs to it. The database first: were its log gone before it, a crash in between
 * would leave an older, sound state.
 */
export function putAside(path: string): void {
  const stamp = new Date().toISOString().replaceAll(/[-:]/g, "");
  for (const suffix of ["", "-wal", "-shm", "-journal"]) {
    const from = `${path}${suffix}`;
    if (existsSync(from)) renameSync(from, `${path}.damaged-${stamp}${suffix}`);
  }
  syncFolder(dirname(path));
}

/** Bytes of a file; 0 for none. Throws for what is no file. */
export function bytesOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isFile()) throw new Error(`${path} is not a file`);
  return stat.size;
}
