/**
 * Seals over whole tables, kept in `meta`: a row may carry a checksum of itself, but one that is gone carries
 * nothing. A seal is the number of rows and the sum of their digests, so that a write costs as much in a table of a
 * million rows as in an empty one. See docs/adr/0012-tables-are-sealed.md.
 */

import { hash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";

/**
 * Those that say who serves, and the trail that says why. Not samples, clusters and history: one that is lost there
 * sends nobody anywhere, and must not put every route on old.
 */
export const SEALED_TABLES = ["latches", "rollouts", "pins", "audit"] as const;
type SealedTable = (typeof SEALED_TABLES)[number];

/** The schema version that brought the seals. */
export const SEALS_SINCE = 5;

/** A row as SQLite has it. */
type Row = Readonly<Record<string, unknown>>;

/** A sum and not an exclusive or, in which a row that comes twice would be one that never came. */
interface Seal {
  readonly count: number;
  /** Of the digests, modulo 2^256. */
  readonly sum: bigint;
}

const EMPTY: Seal = { count: 0, sum: 0n };
const DIGEST_BITS = 256;
const DIGEST_DIGITS = DIGEST_BITS / 4;
const NAME_PREFIX = "seal.";
const READ = "SELECT value FROM meta WHERE name = ?";

/** A seal that is not where it should be: nothing may be added to the table any more. */
export class SealError extends Error {
  override readonly name = "SealError";
}

/** Whether a name of `meta` is the seals' own. */
export function isSealName(name: string): boolean {
  return name.startsWith(NAME_PREFIX);
}

/** SHA-256 of a row's columns and values, whatever their order; in hexadecimal. */
export function rowDigest(row: Row): string {
  const fields = Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1));
  return hash("sha256", JSON.stringify(fields));
}

/** Adds up rows one by one. */
export class SealSum {
  #seal: Seal = EMPTY;

  add(row: Row): void {
    this.#seal = withRow(this.#seal, row);
  }

  /** Why the rows are not those that the table was sealed with, as a clause; undefined where they are. Only reads. */
  trouble(database: DatabaseSync, table: SealedTable): string | undefined {
    const expected = sealFrom(database.prepare(READ).get(nameOf(table))?.value);
    if (expected === undefined) return `the seal over its table ${table} is missing or unreadable`;
    const { count, sum } = this.#seal;
    if (count !== expected.count) {
      return `its table ${table} does not match its seal (${rows(count)} where ${rows(expected.count)} should be)`;
    }
    return sum === expected.sum
      ? undefined
      : `its table ${table} does not match its seal (rows were changed)`;
  }

  get text(): string {
    return textOf(this.#seal);
  }
}

/** Seals every table as it is. For a database of which it is known that nobody has touched it. */
export function sealTables(database: DatabaseSync): void {
  const put = database.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)");
  for (const table of SEALED_TABLES) {
    const sum = new SealSum();
    for (const row of database.prepare(`SELECT * FROM ${table}`).iterate()) sum.add(row);
    put.run(nameOf(table), sum.text);
  }
}

/** Keeps the seal of one table true while its rows come and go. Transactions are the caller's. */
export class TableSeal {
  readonly #name: string;
  readonly #table: SealedTable;
  readonly #read: StatementSync;
  readonly #keep: StatementSync;

  constructor(database: DatabaseSync, table: SealedTable) {
    this.#name = nameOf(table);
    this.#table = table;
    this.#read = database.prepare(READ);
    this.#keep = database.prepare("UPDATE meta SET value = ? WHERE name = ?");
  }

  /**
   * Within the transaction that has changed them: rows as `RETURNING *` gave them. What was removed is taken as it
   * was found, so that a row that somebody had edited meanwhile leaves the seal broken. Throws a SealError where
   * there is no seal.
   */
  changed({ removed, added }: { readonly removed: readonly Row[]; readonly added: readonly Row[] }): void {
    if (removed.length + added.length === 0) return;
    let seal = sealFrom(this.#read.get(this.#name)?.value);
    if (seal === undefined) throw new SealError(`the seal over its table ${this.#table} is gone`);
    for (const row of removed) seal = withoutRow(seal, row);
    for (const row of added) seal = withRow(seal, row);
    this.#keep.run(textOf(seal), this.#name);
  }
}

function nameOf(table: SealedTable): string {
  return `${NAME_PREFIX}${table}`;
}

function withRow({ count, sum }: Seal, row: Row): Seal {
  return { count: count + 1, sum: BigInt.asUintN(DIGEST_BITS, sum + BigInt(`0x${rowDigest(row)}`)) };
}

function withoutRow({ count, sum }: Seal, row: Row): Seal {
  return { count: count - 1, sum: BigInt.asUintN(DIGEST_BITS, sum - BigInt(`0x${rowDigest(row)}`)) };
}

function textOf({ count, sum }: Seal): string {
  return `${count} ${sum.toString(16).padStart(DIGEST_DIGITS, "0")}`;
}

function sealFrom(value: unknown): Seal | undefined {
  const [, count, sum] = /^(-?\d{1,15}) ([0-9a-f]{64})$/.exec(String(value)) ?? [];
  return count === undefined ? undefined : { count: Number(count), sum: BigInt(`0x${sum}`) };
}

function rows(count: number): string {
  return count === 1 ? "1 row" : `${count} rows`;
}
