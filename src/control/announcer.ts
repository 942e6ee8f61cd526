/** Says what happened: to the audit trail, to those who listen, to the event log. */

import type { AuditEntry } from "../model/reports.ts";
import type { Log } from "../observe/log.ts";
import { LateWrites } from "./late-writes.ts";
import type { NewAuditEntry, Store } from "./store-types.ts";

/** A kind of trouble that was not seen for so long is news again; the slowest of those who try again do so every 30 s. */
const QUIET_MS = 60_000;
/** More kinds than the store has; beyond them the oldest is forgotten. */
const MOST_KINDS = 100;

interface AnnouncerClock {
  readonly nowIso: () => string;
  /** Does not jump. */
  readonly nowMs: () => number;
}

export class Announcer {
  /** Of what acts before it is stored. */
  readonly late: LateWrites;
  readonly #store: Store;
  readonly #log: Log;
  readonly #nowIso: () => string;
  readonly #listeners = new Set<(entry: AuditEntry) => void>();
  readonly #nowMs: () => number;
  /** When each kind of trouble was last seen; the oldest first. */
  readonly #seenMs = new Map<string, number>();

  constructor(store: Store, log: Log, { nowIso, nowMs }: AnnouncerClock) {
    this.#store = store;
    this.#log = log;
    this.#nowIso = nowIso;
    this.#nowMs = nowMs;
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

  /** To people, once for each kind of trouble until it has been away for a minute. */
  storeFailed(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const nowMs = this.#nowMs();
    const seenMs = this.#seenMs.get(text);
    this.#seenMs.delete(text); // to the end
    this.#seenMs.set(text, nowMs);
    if (this.#seenMs.size > MOST_KINDS) this.#seenMs.delete([...this.#seenMs.keys()][0] ?? "");
    if (seenMs === undefined || nowMs - seenMs >= QUIET_MS) process.stderr.write(`cutover: ${text}\n`);
  }

  log(msg: string, fields: Readonly<Record<string, unknown>>): void {
    this.#log.info(fields, msg);
  }

  warn(msg: string, fields: Readonly<Record<string, unknown>>): void {
    this.#log.warn(fields, msg);
  }
}
