/**
 * Many deadlines, one timer. Deadlines of one length stand in a list in the order in which they fall due, so
 * that setting and clearing one costs a few pointers and no timer of its own.
 */

/** How often lists are looked at: a deadline fires at most so much late. */
const TICK_MS = 25;

/** One long pause is no overload: about eight ticks make the figure. */
const LATE_WEIGHT = 1 / 8;

export interface Deadline {
  /** Sets it again to its whole length from now. */
  refresh(): void;
  clear(): void;
}

class Entry implements Deadline {
  readonly list: DeadlineList;
  readonly onDue: () => void;
  dueMs = 0;
  previous: Entry | null = null;
  next: Entry | null = null;

  constructor(list: DeadlineList, onDue: () => void) {
    this.list = list;
    this.onDue = onDue;
  }

  refresh(): void {
    this.list.remove(this);
    this.list.append(this);
  }

  clear(): void {
    this.list.remove(this);
  }
}

class DeadlineList {
  readonly #lengthMs: number;
  readonly #nowMs: () => number;
  #first: Entry | null = null;
  #last: Entry | null = null;

  constructor(lengthMs: number, nowMs: () => number) {
    this.#lengthMs = lengthMs;
    this.#nowMs = nowMs;
  }

  append(entry: Entry, nowMs = this.#nowMs()): void {
    entry.dueMs = nowMs + this.#lengthMs;
    entry.previous = this.#last;
    entry.next = null;
    if (this.#last === null) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
  }

  /** Does nothing for an entry that is not in the list. */
  remove(entry: Entry): void {
    if (entry.previous === null && entry.next === null && this.#first !== entry) return;
    if (entry.previous === null) this.#first = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next === null) this.#last = entry.previous;
    else entry.next.previous = entry.previous;
    entry.previous = null;
    entry.next = null;
  }

  fireDue(nowMs: number): void {
    while (this.#first !== null && this.#first.dueMs <= nowMs) {
      const due = this.#first;
      this.remove(due);
      due.onDue();
    }
  }
}

export class Deadlines {
  readonly #nowMs: () => number;
  readonly #lists = new Map<number, DeadlineList>();
  readonly #timer: NodeJS.Timeout;
  #firedMs: number;
  /** How much later than due the ticks come of late, smoothed: the event loop's own delay. */
  lateMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#firedMs = nowMs();
    this.#timer = setInterval(() => this.#fire(), TICK_MS);
    this.#timer.unref();
  }

  /** Calls back once after `lengthMs`, unless cleared before. `nowMs`: where the caller has just read the clock. */
  set(lengthMs: number, onDue: () => void, nowMs?: number): Deadline {
    let list = this.#lists.get(lengthMs);
    if (list === undefined) {
      list = new DeadlineList(lengthMs, this.#nowMs);
      this.#lists.set(lengthMs, list);
    }
    const entry = new Entry(list, onDue);
    list.append(entry, nowMs);
    return entry;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #fire(): void {
    const nowMs = this.#nowMs();
    const lateMs = Math.max(0, nowMs - this.#firedMs - TICK_MS);
    this.#firedMs = nowMs;
    this.lateMs += (lateMs - this.lateMs) * LATE_WEIGHT;
    for (const list of this.#lists.values()) list.fireDue(nowMs);
  }
}
