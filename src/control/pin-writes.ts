/**
 * Changes of pins on their way to the store: those of one key act in the order of the calls, whichever of them the
 * disk answers first, and what acts without being stored is tried again.
 */

import type { AuditEntry } from "../model/reports.ts";
import type { PinRecord } from "./store-types.ts";

export interface KeyOfRoute {
  readonly route: string;
  readonly key: string;
}

/** One key from now on. */
export interface Change extends KeyOfRoute {
  /** Null: unpinned. */
  readonly record: PinRecord | null;
  readonly reason: string;
  readonly write: () => Promise<AuditEntry>;
}

export interface Started extends Change {
  readonly turn: number;
}

/** Changes of one key that the store has not answered yet. */
interface UnderWay {
  count: number;
  /** Turn of the change that acted last: an older one comes too late to act. */
  actedTurn: number;
}

export interface WriteTools {
  /** To those who listen: the entry is in the store. */
  readonly announce: (entry: AuditEntry) => void;
  readonly storeFailed: (error: unknown) => void;
}

export class PinWrites {
  readonly #tools: WriteTools;
  readonly #underWay = new Map<string, UnderWay>();
  /** Act, and are not stored. */
  readonly #unkept = new Map<string, Started>();
  #isRetrying = false;
  #lastTurn = 0;

  constructor(tools: WriteTools) {
    this.#tools = tools;
  }

  isUnderWay(of: KeyOfRoute): boolean {
    return this.#underWay.has(idOf(of));
  }

  isUnkept(of: KeyOfRoute): boolean {
    return this.#unkept.has(idOf(of));
  }

  /** Takes its turn; `store` or `keep` must follow, and ends it. */
  begin(change: Change): Started {
    return this.#enter({ ...change, turn: ++this.#lastTurn });
  }

  /** To be asked when a change is about to act; false: a later one of the key has acted, and holds. */
  mayAct(change: Started): boolean {
    const underWay = this.#underWay.get(idOf(change));
    if (underWay === undefined) return true;
    if (underWay.actedTurn > change.turn) return false;
    underWay.actedTurn = change.turn;
    return true;
  }

  /** Stores what does not act yet, then lets it act. Rejects with a StoreError: then it must not. */
  async store(change: Started, act: () => Promise<void>): Promise<"acts" | "too late"> {
    try {
      this.#stored(change, await change.write());
      if (!this.mayAct(change)) return "too late";
      await patiently(act());
      return "acts";
    } finally {
      this.#leave(change);
    }
  }

  /** Stores what acts already. Where that fails it is tried again, until it or a later change of the key is stored. */
  async keep(change: Started): Promise<boolean> {
    try {
      this.#stored(change, await change.write());
      return true;
    } catch (error) {
      this.#tools.storeFailed(error);
      this.#unkept.set(idOf(change), change);
      return false;
    } finally {
      this.#leave(change);
    }
  }

  /** To be stored with the next `retry`, unless a change of the key is stored before. */
  postpone(change: Change): void {
    this.#unkept.set(idOf(change), { ...change, turn: ++this.#lastTurn });
  }

  forgetUnkept(): void {
    this.#unkept.clear();
  }

  /** Tries what is not stored, one at a time, up to the first that fails: a disk that is full is full for all. */
  async retry(): Promise<void> {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    for (const [id, change] of this.#unkept) {
      // Another change of the key is at the disk already.
      if (this.#underWay.has(id)) continue;
      if (!(await this.keep(this.#enter(change)))) break;
    }
    this.#isRetrying = false;
  }

  /** The store answers in the order of the calls: what could not be kept before is older than this. */
  #stored(change: Started, entry: AuditEntry): void {
    this.#unkept.delete(idOf(change));
    this.#tools.announce(entry);
  }

  #enter(change: Started): Started {
    const underWay = this.#underWay.get(idOf(change));
    if (underWay === undefined) this.#underWay.set(idOf(change), { count: 1, actedTurn: 0 });
    else underWay.count++;
    return change;
  }

  #leave(change: Started): void {
    const underWay = this.#underWay.get(idOf(change));
    if (underWay !== undefined && --underWay.count === 0) this.#underWay.delete(idOf(change));
  }
}

/** A name of a route never holds a NUL. */
function idOf({ route, key }: KeyOfRoute): string {
  return `${route}\0${key}`;
}

/** A disk or a thread that hangs must not hold up an operator's answer. */
const PATIENCE_MS = 2_000;

/** What it resolves to, or undefined where it takes too long; it goes on in that case. */
export async function patiently<T>(work: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
