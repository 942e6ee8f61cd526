/**
 * Requests that may have to be asked again, because their pairs are looked at just now: bounded in number, bytes and
 * time. The oldest that nobody has asked for makes room for the next: most pairs prove equal at once.
 */

import type { Ticket } from "../model/pair.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";
import type { UnconfirmedReason } from "./messages.ts";

const MAX_TICKETS = 256;
const MAX_BYTES = 16 * 1024 * 1024;
/** A ticket itself, and what its texts cost besides their length. */
const COST_BYTES = 1024;
/** Beyond the time when it was to be asked again. */
const KEPT_FOR_MS = 10_000;

/** What tickets look at of that which it takes to ask again. */
export interface Kept {
  readonly question: {
    readonly facts: { readonly target: string; readonly rawHeaders: readonly string[] };
  };
  readonly body: Buffer | null;
  /** When old's first answer was whole. */
  readonly answeredMs: number;
  readonly confirmAfterMs: number;
}

interface Open<Repeatable> {
  readonly repeatable: Repeatable;
  readonly bytes: number;
  readonly expiry: Deadline;
  /** Control wants it asked again, and this is the wait until then; null: it does not, so far. */
  due: NodeJS.Timeout | null;
}

export interface TicketsOptions<Repeatable> {
  readonly thread: number;
  /** Greater than all that the thread's predecessors gave out. */
  readonly firstId: number;
  readonly deadlines: Deadlines;
  readonly nowMs: () => number;
  /** A ticket is held: its backends must stay. And let go. */
  readonly onHeld: (repeatable: Repeatable) => void;
  readonly onLetGo: (repeatable: Repeatable) => void;
}

export class Tickets<Repeatable extends Kept> {
  readonly #options: TicketsOptions<Repeatable>;
  /** Oldest first. */
  readonly #open = new Map<number, Open<Repeatable>>();
  #nextId: number;
  #bytes = 0;
  #isClosed = false;
  /** Told of each ticket that control has asked for in vain. */
  onUnconfirmed: (id: number, why: UnconfirmedReason) => void = () => {};
  /** Asks again; the ticket is closed by then, its backends held until the promise settles. */
  onDue: (ticket: Ticket, repeatable: Repeatable) => Promise<void> = async () => {};

  constructor(options: TicketsOptions<Repeatable>) {
    this.#options = options;
    this.#nextId = options.firstId;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Null: there is no room, and this request cannot be asked again. */
  issue(repeatable: Repeatable): Ticket | null {
    const bytes = bytesOf(repeatable);
    if (this.#isClosed || !this.#makeRoom(bytes)) return null;
    const id = this.#nextId++;
    const lastsMs = repeatable.confirmAfterMs + KEPT_FOR_MS;
    const expiry = this.#options.deadlines.set(lastsMs, () => this.#drop(id, "expired"));
    this.#options.onHeld(repeatable);
    this.#open.set(id, { repeatable, bytes, expiry, due: null });
    this.#bytes += bytes;
    return { thread: this.#options.thread, id };
  }

  /** Has it asked again when its time has come; at once where that is past. */
  confirm(id: number): void {
    const open = this.#open.get(id);
    if (open === undefined) {
      this.onUnconfirmed(id, "expired");
      return;
    }
    if (open.due !== null) return;
    const { answeredMs, confirmAfterMs } = open.repeatable;
    const waitMs = answeredMs + confirmAfterMs - this.#options.nowMs();
    // The timer counts whole milliseconds and may be one early.
    open.due = setTimeout(() => this.#isDue(id, open), Math.max(0, Math.ceil(waitMs)));
    open.due.unref();
  }

  /** Nothing is asked again any more. */
  close(): void {
    this.#isClosed = true;
    for (const id of [...this.#open.keys()]) this.#drop(id, "lost");
  }

  #isDue(id: number, { repeatable }: Open<Repeatable>): void {
    this.#options.onHeld(repeatable);
    this.#remove(id);
    this.onDue({ thread: this.#options.thread, id }, repeatable)
      .catch((error: unknown) => {
        process.emitWarning(error instanceof Error ? error : new Error(String(error)));
        this.onUnconfirmed(id, "lost");
      })
      .finally(() => this.#options.onLetGo(repeatable));
  }

  #makeRoom(bytes: number): boolean {
    if (bytes > MAX_BYTES) return false;
    for (const [id, { due }] of this.#open) {
      if (this.#fits(bytes)) break;
      if (due === null) this.#remove(id);
    }
    return this.#fits(bytes);
  }

  #fits(bytes: number): boolean {
    return this.#open.size < MAX_TICKETS && this.#bytes + bytes <= MAX_BYTES;
  }

  #drop(id: number, why: UnconfirmedReason): void {
    if (this.#remove(id)?.due) this.onUnconfirmed(id, why);
  }

  #remove(id: number): Open<Repeatable> | undefined {
    const open = this.#open.get(id);
    if (open === undefined) return undefined;
    this.#open.delete(id);
    this.#bytes -= open.bytes;
    open.expiry.clear();
    if (open.due !== null) clearTimeout(open.due);
    this.#options.onLetGo(open.repeatable);
    return open;
  }
}

function bytesOf({ question: { facts }, body }: Kept): number {
  let bytes = COST_BYTES + 2 * facts.target.length + (body?.length ?? 0);
  for (const text of facts.rawHeaders) bytes += text.length + 32;
  return bytes;
}
