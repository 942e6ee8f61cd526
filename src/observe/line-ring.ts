/**
 * Log lines on their way from one thread to the one that writes them: a ring of bytes in shared memory, one writer,
 * one reader. A thread that dies leaves its lines behind. Full, it drops whole lines and counts them.
 */

/** Words of the header. HEAD and TAIL are counts of bytes, and wrap around. */
const HEAD = 0;
const TAIL = 1;
/** The head when the ring was last empty: from there on bytes lie from the beginning of the memory. */
const BASE = 2;
const LOST = 3;
const HEADER_BYTES = 64;

/** A power of two. What waits for a reader that does not read; only what is used of it becomes memory. */
const CAPACITY_BYTES = 4 * 1024 * 1024;
/** Behind the ring, so that a line is written in one piece; what lands here is copied to the front. */
export const MAX_LINE_BYTES = 64 * 1024;
/** Of a UTF-16 unit, in UTF-8. */
const MAX_BYTES_PER_CHAR = 3;
const NEWLINE = 0x0a;

export class LineRing {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  readonly #alarm: Alarm;

  constructor(alarm: Alarm, buffer = new SharedArrayBuffer(HEADER_BYTES + CAPACITY_BYTES + MAX_LINE_BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    this.#bytes = Buffer.from(buffer, HEADER_BYTES);
    this.#alarm = alarm;
  }

  /** By the thread that logs. `line` ends with the only newline in it. */
  push(line: string): void {
    const words = this.#words;
    const head = Atomics.load(words, HEAD);
    const waiting = (head - Atomics.load(words, TAIL)) | 0;
    const most = line.length * MAX_BYTES_PER_CHAR;
    if (most > MAX_LINE_BYTES || waiting + most > CAPACITY_BYTES) {
      Atomics.add(words, LOST, 1);
      return;
    }
    // All is taken: back to the beginning. A ring that is kept empty stays within the few pages that it needs.
    if (waiting === 0) Atomics.store(words, BASE, head);
    const at = (head - Atomics.load(words, BASE)) & (CAPACITY_BYTES - 1);
    const end = at + this.#bytes.write(line, at);
    if (end > CAPACITY_BYTES) this.#bytes.copyWithin(0, CAPACITY_BYTES, end);
    Atomics.store(words, HEAD, (head + end - at) | 0);
    this.#alarm.ring();
  }

  /** By the reader: copies whole lines, oldest first, as many as fit behind `at`. The bytes that it took. */
  take(into: Buffer, at: number): number {
    const words = this.#words;
    const tail = Atomics.load(words, TAIL);
    // Base after head: while something waits it stands still.
    const waiting = (Atomics.load(words, HEAD) - tail) | 0;
    if (waiting === 0) return 0;
    const from = (tail - Atomics.load(words, BASE)) & (CAPACITY_BYTES - 1);
    const room = Math.min(waiting, into.length - at);
    const first = Math.min(room, CAPACITY_BYTES - from);
    this.#bytes.copy(into, at, from, from + first);
    if (room > first) this.#bytes.copy(into, at + first, 0, room - first);
    const taken = room === waiting ? room : into.lastIndexOf(NEWLINE, at + room - 1) + 1 - at;
    if (taken <= 0) return 0; // the first line does not fit
    Atomics.store(words, TAIL, (tail + taken) | 0);
    return taken;
  }

  get isEmpty(): boolean {
    return Atomics.load(this.#words, HEAD) === Atomics.load(this.#words, TAIL);
  }

  /** Lines dropped since the beginning; wraps around. */
  get lost(): number {
    return Atomics.load(this.#words, LOST);
  }
}

const AWAKE = 0;
const ASLEEP = 1;

/** Wakes the reader of all rings when the first line comes; while it is awake it costs one load. */
export class Alarm {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer(4)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  ring(): void {
    if (Atomics.load(this.#words, 0) === AWAKE) return;
    Atomics.store(this.#words, 0, AWAKE);
    Atomics.notify(this.#words, 0);
  }

  /** Resolves when it has rung; at once when `isQuiet` says no after it was set. */
  async rung(isQuiet: () => boolean): Promise<void> {
    Atomics.store(this.#words, 0, ASLEEP);
    if (!isQuiet()) {
      Atomics.store(this.#words, 0, AWAKE);
      return;
    }
    const wait = Atomics.waitAsync(this.#words, 0, ASLEEP);
    if (wait.async) await wait.value;
  }
}
