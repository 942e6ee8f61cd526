/** The state database itself: synchronous, owned by the store's thread. */

import { statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AuditEntry, MismatchSample } from "../../model/reports.ts";
import type {
  AuditSearch,
  ClusterRecord,
  HistoryRecord,
  LatchRecord,
  NewAuditEntry,
  NewSample,
  PinRecord,
  RolloutRecord,
  SampleFilter,
  StoredHistory,
  StoreHealth,
} from "../store-types.ts";
import { ClusterTable } from "./clusters.ts";
import { asStoreError, isDamage, StoreError, textOf, withConsequence } from "./errors.ts";
import { isDiskFull } from "./files.ts";
import { HistoryTable } from "./history.ts";
import { damaged, inspect, unreadable } from "./inspect.ts";
import { createDatabase, openForReading, openForWriting, putAside, SEAL_NAME } from "./open.ts";
import { RolloutTables } from "./rollouts.ts";
import { auditOf, auditValues, latchOf, latchValues, sealOf } from "./rows.ts";
import { SAMPLE_CAPS, type SampleCaps, SampleTable } from "./samples.ts";

export interface DatabaseOptions {
  readonly caps?: SampleCaps;
  /** Pages of 4 KiB that the file may have: stands for a full disk in tests. */
  readonly maxPages?: number;
}

const FILE_NAME = "state.db";
/** Most entries that one call of `auditAfter` returns; the caller asks again from the last one's id. */
const AUDIT_PAGE = 1_000;
const MAX_AUDIT_LIMIT = 10_000;

/**
 * Opens `state.db` of a folder, checks it whole, and reads and writes it, each call in its own durable
 * transaction. While the health is "damaged" or "unreadable" nothing is read or written: reads are empty, writes
 * throw. Where nothing can be written (a full disk), it reads all the same, and each write tries anew. Every
 * failure is a StoreError.
 */
export class StateDatabase {
  readonly #folder: string;
  readonly #path: string;
  readonly #options: DatabaseOptions;
  readonly #statements = new Map<string, StatementSync>();
  #health: StoreHealth;
  #database: DatabaseSync | undefined;
  #samples: SampleTable | undefined;
  #clusters: ClusterTable | undefined;
  #rollouts: RolloutTables | undefined;
  #history: HistoryTable | undefined;
  /** Of the file that is open. */
  #inode = 0;
  #onlyReads = false;

  /** Throws a StoreError only where there is no database and none can be made. */
  constructor(folder: string, options: DatabaseOptions = {}) {
    this.#folder = folder;
    this.#path = join(folder, FILE_NAME);
    this.#options = options;
    this.#health = inspect(this.#path);
    this.#openAsFound();
  }

  get health(): StoreHealth {
    return this.#health;
  }

  latches(): readonly LatchRecord[] {
    return this.#read("latches", [], () => this.#allLatches());
  }

  latch(latch: LatchRecord, audit: NewAuditEntry): AuditEntry {
    const entry = this.#write("latch", () => {
      this.#prepare(
        `INSERT OR REPLACE INTO latches (route, cause, at, actor, reason, evidence_json, revision)
         VALUES (:route, :cause, :at, :actor, :reason, :evidence_json, :revision)`,
      ).run(latchValues(latch));
      this.#seal();
      return this.#insertAudit(audit);
    });
    this.#settle();
    return entry;
  }

  unlatch(route: string, audit: NewAuditEntry): AuditEntry {
    const entry = this.#write("unlatch", () => {
      this.#prepare("DELETE FROM latches WHERE route = ?").run(route.toWellFormed());
      this.#seal();
      return this.#insertAudit(audit);
    });
    this.#settle();
    return entry;
  }

  append(audit: NewAuditEntry): AuditEntry {
    return this.#write("append", () => this.#insertAudit(audit));
  }

  rollouts(): readonly RolloutRecord[] {
    return this.#read("rollouts", [], () => this.#rollouts?.all() ?? []);
  }

  moveRollout(record: RolloutRecord, audit: NewAuditEntry): AuditEntry {
    const entry = this.#write("moveRollout", () => {
      this.#rollouts?.put(record);
      return this.#insertAudit(audit);
    });
    this.#settle();
    return entry;
  }

  /** Not settled: every second it would wait for whoever reads the database just now. */
  keepRollouts(records: readonly RolloutRecord[]): void {
    if (records.length === 0) return;
    this.#write("keepRollouts", () => {
      for (const record of records) this.#rollouts?.put(record);
    });
  }

  dropRollouts(routes: readonly string[]): void {
    if (routes.length === 0) return;
    this.#write("dropRollouts", () => this.#rollouts?.drop(routes));
    this.#settle();
  }

  pins(): readonly PinRecord[] {
    return this.#read("pins", [], () => this.#rollouts?.pins() ?? []);
  }

  pin(pin: PinRecord, audit: NewAuditEntry): AuditEntry {
    const entry = this.#write("pin", () => {
      this.#rollouts?.putPin(pin);
      return this.#insertAudit(audit);
    });
    this.#settle();
    return entry;
  }

  unpin(route: string, key: string, audit: NewAuditEntry): AuditEntry {
    const entry = this.#write("unpin", () => {
      this.#rollouts?.dropPin(route, key);
      return this.#insertAudit(audit);
    });
    this.#settle();
    return entry;
  }

  newestAudit({ route, action, by }: AuditSearch): AuditEntry | undefined {
    return this.#read("newestAudit", undefined, () => {
      const row = this.#prepare(
        "SELECT * FROM audit WHERE route = ? AND action = ? AND actor = ? ORDER BY id DESC LIMIT 1",
      ).get(route, action, by);
      return row === undefined ? undefined : auditOf(row);
    });
  }

  audit(filter: { readonly route: string | null; readonly limit: number }): readonly AuditEntry[] {
    const limit = Math.min(Math.max(Math.trunc(filter.limit), 0), MAX_AUDIT_LIMIT);
    return this.#read("audit", [], () =>
      filter.route === null
        ? this.#prepare("SELECT * FROM audit ORDER BY id DESC LIMIT ?").all(limit).map(auditOf)
        : this.#prepare("SELECT * FROM audit WHERE route = ? ORDER BY id DESC LIMIT ?")
            .all(filter.route, limit)
            .map(auditOf),
    );
  }

  auditAfter(id: number): readonly AuditEntry[] {
    return this.#read("auditAfter", [], () =>
      this.#prepare("SELECT * FROM audit WHERE id > ? ORDER BY id LIMIT ?").all(id, AUDIT_PAGE).map(auditOf),
    );
  }

  addSamples(samples: readonly NewSample[]): void {
    if (samples.length === 0) return;
    this.#write("addSamples", () => this.#samples?.add(samples, Date.now()));
  }

  samples(filter: SampleFilter): readonly MismatchSample[] {
    return this.#read("samples", [], () => this.#samples?.list(filter, Date.now()) ?? []);
  }

  sample(id: number): MismatchSample | undefined {
    return this.#read("sample", undefined, () => this.#samples?.get(id, Date.now()));
  }

  sampleOfCluster(cluster: string): MismatchSample | undefined {
    return this.#read("sampleOfCluster", undefined, () => this.#samples?.newestOf(cluster, Date.now()));
  }

  clusterSamples(): ReadonlyMap<string, readonly number[]> {
    return this.#read("clusterSamples", new Map(), () => this.#samples?.byCluster(Date.now()) ?? new Map());
  }

  mergeClusterSamples(from: readonly string[], to: string): void {
    this.#write("mergeClusterSamples", () => this.#samples?.merge(from, to));
  }

  dropSamples(routes: readonly string[]): number {
    const dropped = this.#write("dropSamples", () => {
      this.#clusters?.drop(routes);
      return this.#samples?.drop(routes) ?? 0;
    });
    this.#settle(); // the log still has them
    return dropped;
  }

  saveClusters(records: readonly ClusterRecord[], routes: readonly string[]): void {
    this.#write("saveClusters", () => this.#clusters?.save(records, routes));
  }

  clusters(): readonly ClusterRecord[] {
    return this.#read("clusters", [], () => this.#clusters?.all(Date.now()) ?? []);
  }

  addHistory(records: readonly HistoryRecord[]): void {
    if (records.length === 0) return;
    this.#write("addHistory", () => this.#history?.add(records));
  }

  history(id: number): readonly StoredHistory[] {
    return this.#read("history", [], () => this.#history?.page(id) ?? []);
  }

  markers(route: string, sinceMs: number): readonly AuditEntry[] {
    return this.#read("markers", [], () => this.#history?.markers(route, sinceMs) ?? []);
  }

  meta(key: string): string | undefined {
    return this.#read("meta", undefined, () => {
      const value = this.#prepare("SELECT value FROM meta WHERE name = ?").get(key)?.value;
      return typeof value === "string" ? value : undefined;
    });
  }

  setMeta(key: string, value: string): void {
    if (key === SEAL_NAME) throw new StoreError("setMeta", "", `the name ${SEAL_NAME} is the store's own`);
    this.#write("setMeta", () => this.#putMeta(key, value));
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
    this.#statements.clear();
    this.#samples = undefined;
    this.#clusters = undefined;
    this.#rollouts = undefined;
    this.#history = undefined;
    const database = this.#database;
    this.#database = undefined;
    database?.close();
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
    this.#database = database;
    this.#onlyReads = onlyReads;
    this.#inode = statSync(this.#path).ino;
    const caps = this.#options.caps ?? SAMPLE_CAPS;
    this.#samples = new SampleTable(database, caps);
    this.#clusters = new ClusterTable(database, caps.maxAgeMs);
    this.#rollouts = new RolloutTables(database);
    this.#history = new HistoryTable(database);
  }

  #read<T>(operation: string, empty: T, work: () => T): T {
    if ("why" in this.#health) return empty;
    return this.#guarded(operation, work);
  }

  #write<T>(operation: string, work: () => T): T {
    this.#findFile();
    if ("why" in this.#health) throw this.#refusal(operation, this.#health);
    return this.#guarded(operation, () => {
      if (this.#onlyReads) this.#openAgain();
      return this.#transaction(work);
    });
  }

  /** SQLite would go on writing into a file that was removed, and say that all is well. */
  #findFile(): void {
    if (this.#database === undefined || "why" in this.#health) return;
    const found = statSync(this.#path, { throwIfNoEntry: false });
    if (found?.ino === this.#inode) return;
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
      if (isDamage(error)) {
        this.#health = damaged(this.#path, `${textOf(error)} (found while the gateway ran)`);
      }
      throw asStoreError(operation, this.#folder, error);
    }
  }

  #transaction<T>(work: () => T): T {
    const database = this.#opened();
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK"); // some errors have rolled back already
      throw error;
    }
  }
  #insertAudit(audit: NewAuditEntry): AuditEntry {
    const row = this.#prepare(
      `INSERT INTO audit (at, route, action, actor, reason, from_value, to_value, evidence_json)
       VALUES (:at, :route, :action, :actor, :reason, :from_value, :to_value, :evidence_json) RETURNING *`,
    ).get(auditValues(audit));
    return auditOf(row);
  }

  #allLatches(): readonly LatchRecord[] {
    return this.#prepare("SELECT * FROM latches ORDER BY route").all().map(latchOf);
  }

  #seal(): void {
    this.#putMeta(SEAL_NAME, sealOf(this.#allLatches()));
  }

  #putMeta(name: string, value: string): void {
    this.#prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)").run(name, value.toWellFormed());
  }

  /**
   * Moves what changed from the log into the database file: a lost or cut log cannot lose a latch then.
   * It is durable already: where this fails (another program reads just now, a full disk) the next one does it.
   */
  #settle(): void {
    try {
      this.#opened().exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      if (isDamage(error))
        this.#health = damaged(this.#path, `${textOf(error)} (found while the gateway ran)`);
    }
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#opened().prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #opened(): DatabaseSync {
    if (this.#database === undefined) throw new Error("the store is closed");
    return this.#database;
  }
}
