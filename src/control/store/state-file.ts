/** The file `state.db`, open: who may read and write it at present, and what a write promises. */

import { statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { StoreHealth } from "../store-types.ts";
import { asStoreError, isDamage, StoreError, textOf, withConsequence } from "./errors.ts";
import { isDiskFull } from "./files.ts";
import { damaged, inspect, unreadable } from "./inspect.ts";
import { createDatabase, openForReading, openForWriting, putAside } from "./open.ts";
import { SAMPLE_CAPS, type SampleCaps } from "./samples.ts";
import { type Tables, tablesOf } from "./tables.ts";

export interface FileOptions {
  readonly caps?: SampleCaps;
  /** Pages of 4 KiB that the file may have: stands for a full disk in tests. */
  readonly maxPages?: number;
}

interface Opened {
  readonly database: DatabaseSync;
  readonly tables: Tables;
  readonly inode: number;
  readonly onlyReads: boolean;
}

const FILE_NAME = "state.db";

/**
 * Opens `state.db` of a folder and checks it whole. While the health is "damaged" or "unreadable" nothing is read or
 * written: reads are empty, writes throw. Where nothing can be written (a full disk), it reads all the same, and each
 * write tries anew. Every failure is a StoreError.
 */
export class StateFile {
  readonly #folder: string;
  readonly #path: string;
  readonly #options: FileOptions;
  #health: StoreHealth;
  #opened: Opened | undefined;

  /** Throws a StoreError only where there is no database and none can be made. */
  constructor(folder: string, options: FileOptions) {
    this.#folder = folder;
    this.#path = join(folder, FILE_NAME);
    this.#options = options;
    this.#health = inspect(this.#path);
    this.#openAsFound();
  }

  get health(): StoreHealth {
    return this.#health;
  }

  /** What the work finds; `empty` where nothing may be read. */
  read<T>(operation: string, empty: T, work: (tables: Tables) => T): T {
    if ("why" in this.#health) return empty;
    return this.#guarded(operation, () => work(this.#current().tables));
  }

  /** All that the work writes or nothing of it; durable when it returns. */
  write<T>(operation: string, work: (tables: Tables) => T): T {
    this.#findFile();
    if ("why" in this.#health) throw this.#refusal(operation, this.#health);
    return this.#guarded(operation, () => {
      if (this.#opened?.onlyReads === true) this.#openAgain();
      return this.#transaction(work);
    });
  }

  /** A write that is in the database file itself when it returns: a lost or cut log cannot lose it then. */
  settle<T>(operation: string, work: (tables: Tables) => T): T {
    const result = this.write(operation, work);
    this.#moveLog();
    return result;
  }

  /** Renames the damaged files aside and starts a fresh database. Throws unless the store is damaged. */
  reset(): void {
    if (this.#health.kind === "unreadable") throw this.#refusal("reset", this.#health);
    if (this.#health.kind !== "damaged") {
      throw new StoreError("reset", "", "the store is sound: there is nothing to reset");
    }
    this.close();
    try {
      putAside(this.#path);
      this.#health = { kind: "fresh" };
      this.#openAsFound();
    } catch (error) {
      this.#health = damaged(this.#path, `no new one could be made (${textOf(error)})`); // to be tried again
      throw asStoreError("reset", this.#folder, error);
    }
  }

  close(): void {
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.database.close();
  }

  #openAsFound(): void {
    if ("why" in this.#health) return;
    const fresh = this.#health.kind === "fresh";
    try {
      if (fresh) createDatabase(this.#path);
      this.#openForWriting();
    } catch (error) {
      if (fresh) throw asStoreError("open", this.#folder, error);
      this.#openForReading(error);
    }
  }

  #openForWriting(): void {
    this.close();
    const database = openForWriting(this.#path);
    this.#use(database, false);
    if (this.#options.maxPages !== undefined)
      database.exec(`PRAGMA max_page_count = ${this.#options.maxPages}`);
  }

  /** What is known is better than nothing: a disk that is full must not hide what was latched. */
  #openForReading(whyNotWritten: unknown): void {
    try {
      const database = openForReading(this.#path);
      if (database === undefined) throw whyNotWritten;
      this.#use(database, true);
    } catch (error) {
      this.#health = unreadable(this.#path, error);
    }
  }

  #use(database: DatabaseSync, onlyReads: boolean): void {
    try {
      const tables = tablesOf(database, this.#options.caps ?? SAMPLE_CAPS);
      this.#opened = { database, tables, inode: statSync(this.#path).ino, onlyReads };
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** SQLite would go on writing into a file that was removed, and say that all is well. */
  #findFile(): void {
    if (this.#opened === undefined || "why" in this.#health) return;
    const found = statSync(this.#path, { throwIfNoEntry: false });
    if (found?.ino === this.#opened.inode) return;
    const what = found === undefined ? "removed" : "replaced by another";
    this.#health = damaged(this.#path, `the file was ${what} while the gateway ran`);
  }

  /** Perhaps there is room by now. */
  #openAgain(): void {
    try {
      this.#openForWriting();
    } catch (error) {
      this.#openForReading(error);
      if (!isDiskFull(this.#folder)) throw error;
      throw Object.assign(new Error("no space is left", { cause: error }), { code: "ENOSPC" });
    }
  }

  #refusal(operation: string, { kind, why }: { readonly kind: string; readonly why: string }): StoreError {
    const remedy =
      kind === "damaged"
        ? "`cutover reset --store` puts it aside"
        : "put that right and start the gateway again; what it holds is not lost";
    const sentence = `the store is ${kind} (${why}) and nothing is written to it: ${remedy}`;
    return new StoreError(operation, "", withConsequence(operation, sentence));
  }

  #guarded<T>(operation: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#noteDamage(error);
      throw asStoreError(operation, this.#folder, error);
    }
  }

  #transaction<T>(work: (tables: Tables) => T): T {
    const { database, tables } = this.#current();
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = work(tables);
      database.exec("COMMIT");
      return result;
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK"); // some errors have rolled back already
      throw error;
    }
  }

  /** It is durable already: where this fails (another program reads just now, a full disk) the next one does it. */
  #moveLog(): void {
    try {
      this.#current().database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      this.#noteDamage(error);
    }
  }

  #noteDamage(error: unknown): void {
    if (!isDamage(error)) return;
    this.#health = damaged(this.#path, `${textOf(error)} (found while the gateway ran)`);
  }

  #current(): Opened {
    if (this.#opened === undefined) throw new Error("the store is closed");
    return this.#opened;
  }
}
