/** Says what happened: to the audit trail, to those who listen, to the event log. */

import type { AuditEntry } from "../model/reports.ts";
import type { Log } from "../observe/log.ts";
import { LateWrites } from "./late-writes.ts";
import type { NewAuditEntry, Store } from "./store-types.ts";

export class Announcer {
  /** Of what acts before it is stored. */
  readonly late: LateWrites;
  readonly #store: Store;
  readonly #log: Log;
  readonly #nowIso: () => string;
  readonly #listeners = new Set<(entry: AuditEntry) => void>();
  #lastTrouble = "";

  constructor(store: Store, log: Log, nowIso: () => string) {
    this.#store = store;
    this.#log = log;
    this.#nowIso = nowIso;
    this.late = new LateWrites({
      announce: (entry) => this.announce(entry),
      storeFailed: (error) => this.storeFailed(error),
    });
  }

  /** Writes an audit line and announces it; where the store cannot be written, that is said and tried again. */
  async record(entry: Omit<NewAuditEntry, "at" | "evidence">): Promise<void> {
    const { route, action } = entry;
    const line = { ...entry, at: this.#nowIso(), evidence: null };
    const write = (): Promise<AuditEntry> => this.#store.append(line);
    const what = route === null ? action : `${action} of ${route}`;
    await this.late.keep({ route, what, isVital: false, write, again: write });
  }

  /** An entry that is in the store by now. */
  announce(entry: AuditEntry): void {
    for (const listener of this.#listeners) listener(entry);
  }

  onEntry(listener: (entry: AuditEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To people, once for each kind of trouble in a row. */
  storeFailed(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (text === this.#lastTrouble) return;
    this.#lastTrouble = text;
    process.stderr.write(`cutover: ${text}\n`);
  }

  log(msg: string, fields: Readonly<Record<string, unknown>>): void {
    this.#log.info(fields, msg);
  }

  warn(msg: string, fields: Readonly<Record<string, unknown>>): void {
    this.#log.warn(fields, msg);
  }
}
