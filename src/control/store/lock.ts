/** The state folder: made, checked, and held by one gateway at a time. */

import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StateFolderError, textOf, trouble } from "./errors.ts";

/** Written and removed to see whether the folder takes files: one page of the database. */
const PROBE_BYTES = 4_096;

/** Holds the state folder until it is released or the process ends, in whatever way. */
export interface StateFolderLock {
  release(): void;
}

/**
 * Makes the state folder (mode 0700) where it is missing and proves that it can be written.
 * Returns its absolute path; throws a StateFolderError that says what is wrong and what to do. A full disk is
 * let pass where the folder has a store already.
 */
export function prepareStateFolder(folder: string): string {
  const path = resolve(folder);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (!statSync(path).isDirectory()) throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
    writeProbe(join(path, `.probe-${process.pid}`));
  } catch (error) {
    // A store that is there already can be read on a full disk: serving with its latches beats not starting.
    if (isFull(error) && existsSync(join(path, "state.db"))) return path;
    throw new StateFolderError(`the state folder ${path} ${trouble(error)}: ${remedy(path)}`, {
      cause: error,
    });
  }
  return path;
}

/**
 * Takes the folder for this process, or throws a StateFolderError when another gateway has it. The lock is an
 * open transaction on a database of its own: the kernel drops it with the process, so a `kill -9` leaves no
 * stale lock file behind.
 */
export function lockStateFolder(folder: string): StateFolderLock {
  const path = join(folder, "gateway.lock");
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE"); // in memory: no journal file beside it
    chmodSync(path, 0o600);
  } catch (error) {
    database?.close();
    throw lockError(folder, path, error);
  }
  const held = database;
  return { release: () => held.isOpen && held.close() };
}

function lockError(folder: string, path: string, error: unknown): StateFolderError {
  const what = trouble(error);
  if (what.startsWith("is locked")) {
    const sentence = `another gateway uses the state folder ${folder}; give this one its own with --state`;
    return new StateFolderError(sentence, { cause: error });
  }
  return new StateFolderError(`the state folder ${folder} cannot be locked (${path}: ${textOf(error)})`, {
    cause: error,
  });
}

function remedy(path: string): string {
  if (!existsSync(join(path, "state.db"))) return "name another with --state";
  return "make it writable; another one (--state) would begin without the rollbacks that this one keeps";
}

function isFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

function writeProbe(path: string): void {
  const file = openSync(path, "w", 0o600);
  try {
    writeSync(file, Buffer.alloc(PROBE_BYTES, 1));
    fsyncSync(file); // some file systems find out that they are full only now
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}
