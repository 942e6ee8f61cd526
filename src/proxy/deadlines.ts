/**
 * Many deadlines, one timer. Deadlines of one length stand in a list in the order in which they fall due, so
 * that setting and clearing one costs a few pointers and no timer of its own.
 */

import { Queue, type Queued } from "./queue.ts";

/** How often lists are looked at: a deadline fires at most so much late. */
const TICK_MS = 25;

/** One long pause is no overload: about eight ticks make the figure, and of each so much counts. */
const LATE_WEIGHT = 1 / 8;
const MOST_LATE_MS = 1_000;

export interface Deadline {
  /** Sets it again to its whole length from now. */
  refresh(): void;
  clear(): void;
}

class Entry implements Deadline, Queued<Entry> {
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
  readonly #entries = new Queue<Entry>();

  constructor(lengthMs: number, nowMs: () => number) {
    this.#lengthMs = lengthMs;
    this.#nowMs = nowMs;
  }

  append(entry: Entry, nowMs = this.#nowMs()): void {
    entry.dueMs = nowMs + this.#lengthMs;
    this.#entries.push(entry);
  }

  remove(entry: Entry): void {
    this.#entries.remove(entry);
  }

  fireDue(nowMs: number): void {
    for (let due = this.#entries.first; due !== null && due.dueMs <= nowMs; due = this.#entries.first) {
      this.#entries.remove(due);
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
    const lateMs = Math.min(Math.max(0, nowMs - this.#firedMs - TICK_MS), MOST_LATE_MS);
    this.#firedMs = nowMs;
    this.lateMs += (lateMs - this.lateMs) * LATE_WEIGHT;
    for (const list of this.#lists.values()) list.fireDue(nowMs);
  }
}
