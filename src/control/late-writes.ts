/**
 * What acts already and is still to be stored: tried at once and, where the store fails, again every second, in the
 * order in which it happened, until the store takes it.
 */

import type { AuditEntry } from "../model/reports.ts";
import { within } from "./within.ts";

/** How long a store that could not write is left alone. */
const AGAIN_MS = 1_000;
/** Lines that may wait; rollbacks wait beyond it. An operator and the rules together do not come near it. */
const MOST_WAITING = 1_000;
/** So many of those that are lost are named. */
const MOST_NAMED = 20;
/** A disk that hangs must not keep the process from ending. */
const STOP_PATIENCE_MS = 1_000;

/** Whether something would survive a restart by now. It acts in either case. */
export type Kept = "stored" | "not stored yet";

export interface LateWrite {
  /** Null: the whole gateway. */
  readonly route: string | null;
  /** For people: "pause of profiles". */
  readonly what: string;
  /** Never given up, and never held up by what is older: a rollback. */
  readonly isVital: boolean;
  /** The first attempt, then all others: what there is to be written may be another by then. */
  readonly write: () => Promise<AuditEntry>;
  readonly again: () => Promise<AuditEntry>;
}

export interface LateTools {
  /** To those who listen: the entry is in the store. */
  readonly announce: (entry: AuditEntry) => void;
  readonly storeFailed: (error: unknown) => void;
}

interface Waiting {
  readonly what: LateWrite;
  isTried: boolean;
  /** Null: not at the store at present. */
  underWay: Promise<boolean> | null;
  readonly answer: (kept: Kept) => void;
}

export class LateWrites {
  readonly #tools: LateTools;
  /** Oldest first. */
  readonly #waiting = new Set<Waiting>();
  #trying: Promise<boolean> | null = null;
  #next: Promise<boolean> | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(tools: LateTools) {
    this.#tools = tools;
  }

  /** Resolves when it was tried: after what is older, and a vital one at once. Never rejects. */
  keep(what: LateWrite): Promise<Kept> {
    if (!what.isVital && this.#waiting.size >= MOST_WAITING) {
      const why = `the audit line of ${what.what} is lost: ${MOST_WAITING} wait for the state folder already`;
      this.#tools.storeFailed(new Error(why));
      return Promise.resolve("not stored yet");
    }
    const { promise, resolve } = Promise.withResolvers<Kept>();
    this.#waiting.add({ what, isTried: false, underWay: null, answer: resolve });
    // The store answers in the order of the calls, so what is older still comes before it.
    if (what.isVital) for (const each of this.#waiting) void this.#try(each);
    else void this.retry();
    return promise;
  }

  /** How many lines of this route wait for the store. */
  count(route: string | null): number {
    return [...this.#waiting].filter(({ what, isTried }) => isTried && what.route === route).length;
  }

  /** Tries everything that waits by now, after a try that is under way; false: the store still does not take it. */
  retry(): Promise<boolean> {
    if (this.#trying === null) return this.#pass();
    this.#next ??= this.#trying.then(() => {
      this.#next = null;
      return this.#pass();
    });
    return this.#next;
  }

  /** Tries once more, and says how much is lost with the process. */
  async stop(): Promise<void> {
    if (this.#waiting.size > 0) await within(this.retry(), STOP_PATIENCE_MS);
    clearTimeout(this.#timer);
    if (this.#waiting.size === 0) return;
    const all = [...this.#waiting].map(({ what }) => what.what);
    const more = all.length > MOST_NAMED ? ` and ${all.length - MOST_NAMED} more` : "";
    const lost = `${all.slice(0, MOST_NAMED).join(", ")}${more}`;
    this.#tools.storeFailed(new Error(`never stored, and forgotten by the next start: ${lost}`));
  }

  #pass(): Promise<boolean> {
    const pass = this.#tryAll([...this.#waiting]).finally(() => {
      this.#trying = null;
    });
    this.#trying = pass;
    return pass;
  }

  /** One at a time up to the first that fails: a disk that is full is full for all. */
  async #tryAll(all: readonly Waiting[]): Promise<boolean> {
    let isWritable = true;
    for (const each of all) {
      if (!this.#waiting.has(each)) continue;
      if (isWritable || each.what.isVital) isWritable = (await this.#try(each)) && isWritable;
      else if (each.underWay === null) this.#failed(each);
    }
    return isWritable;
  }

  #try(each: Waiting): Promise<boolean> {
    each.underWay ??= this.#write(each);
    return each.underWay;
  }

  async #write(each: Waiting): Promise<boolean> {
    const { announce, storeFailed } = this.#tools;
    const { write, again } = each.what;
    let entry: AuditEntry;
    try {
      entry = await (each.isTried ? again() : write());
    } catch (error) {
      this.#failed(each);
      storeFailed(error);
      return false;
    }
    this.#waiting.delete(each);
    each.underWay = null;
    each.answer("stored");
    try {
      announce(entry);
    } catch (error) {
      storeFailed(error); // who listens has a bug: said aloud, and no reason to write it again
    }
    return true;
  }

  #failed(each: Waiting): void {
    each.isTried = true;
    each.underWay = null;
    each.answer("not stored yet");
    this.#later();
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.retry();
    }, AGAIN_MS).unref();
  }
}
