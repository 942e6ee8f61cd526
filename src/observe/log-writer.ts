/**
 * The one place that writes to stdout: lines of the data threads, out of their rings, and events of the control
 * thread. As nobody else writes, lines stay whole however long they are, and a write takes many of them.
 */

import { write as writeFd, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Alarm, LineRing } from "./line-ring.ts";

const STDOUT = 1;
/** What one write takes at the most; several times the longest line. */
const STAGING_BYTES = 256 * 1024;
/** The first line after a pause goes out at once, then lines are put together for so long. */
const GATHER_MS = 50;
/** A pipe that is full is tried again after so long. */
const RETRY_MS = 20;
/** At the end a reader that takes nothing for so long is given up. */
const LAST_CHANCE_MS = 1_000;
/** Events that wait for a reader. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024;
const SAY_EVERY_MS = 60_000;
const TELL_LOST_EVERY_MS = 1_000;
const NEWLINE = 0x0a;

export interface LogWriterOptions {
  /** To people, on stderr. */
  readonly say: (text: string) => void;
  /** Into the log itself, where the gap is: so many lines were lost since the last call. */
  readonly tellLost: (lines: number) => void;
}

/** Writes until it is closed; never blocks a thread that logs, and holds a bounded part of what nobody reads. */
export class LogWriter {
  readonly alarm = new Alarm();
  readonly #options: LogWriterOptions;
  readonly #rings: LineRing[] = [];
  readonly #staging = Buffer.allocUnsafeSlow(STAGING_BYTES);
  readonly #events: Buffer[] = [];
  #eventBytes = 0;
  /** Lines that were lost here; those of full rings are counted there. */
  #lost = 0;
  #toldLost = 0;
  #toldMs = Number.NEGATIVE_INFINITY;
  #saidMs = Number.NEGATIVE_INFINITY;
  #drainedMs = Number.NEGATIVE_INFINITY;
  #isMidLine = false;
  #isReaderGone = false;
  #isFailing = false;
  #isClosing = false;
  #draining: Promise<void> = Promise.resolve();
  readonly #onExit = (): void => this.#writeLast();

  constructor(options: LogWriterOptions) {
    this.#options = options;
    // Node makes a pipe or socket non-blocking once it is asked for the stream, and puts that back at exit: a reader
    // that does not read then holds no thread of the pool, and not the end of the process.
    void process.stdout;
    process.on("exit", this.#onExit);
    void this.#run();
  }

  /** For one more thread. */
  addRing(): LineRing {
    const ring = new LineRing(this.alarm);
    this.#rings.push(ring);
    return ring;
  }

  /** A line of this thread. Those that the rings hold by now go out before it. */
  event(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#eventBytes + bytes.length > MAX_EVENT_BYTES) {
      this.#lost++;
      return;
    }
    this.#events.push(bytes);
    this.#eventBytes += bytes.length;
    this.alarm.ring();
  }

  /** Lines that were lost since the start. */
  get lost(): number {
    return this.#rings.reduce((sum, ring) => sum + (ring.lost >>> 0), this.#lost);
  }

  /** Resolves when all is written that was logged, or nobody takes it. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.alarm.ring();
    await this.#draining;
    while (!this.#isQuiet()) await this.#drain();
    process.off("exit", this.#onExit);
    if (this.lost > 0) this.#options.say(`${this.lost} lines of the log were lost since the start`);
  }

  #isQuiet(): boolean {
    return this.#events.length === 0 && this.#rings.every((ring) => ring.isEmpty);
  }

  async #run(): Promise<void> {
    while (!this.#isClosing) {
      await this.alarm.rung(() => this.#isQuiet() && !this.#isClosing);
      const waitMs = this.#drainedMs + GATHER_MS - performance.now();
      if (waitMs > 0 && !this.#isClosing) await sleep(waitMs, undefined, { ref: false });
      if (this.#isClosing) return;
      this.#draining = this.#drain();
      await this.#draining;
    }
  }

  /** What is there now; what comes meanwhile waits until there is more of it. */
  async #drain(): Promise<void> {
    this.#drainedMs = performance.now();
    const events = this.#events.splice(0);
    this.#eventBytes = 0;
    let length: number;
    do {
      length = this.#fill();
      await this.#write(this.#staging.subarray(0, length));
    } while (length > STAGING_BYTES / 2); // else all rings are empty
    for (const event of events) await this.#write(event);
    this.#tellLost();
  }

  #fill(): number {
    let length = 0;
    for (const ring of this.#rings) length += ring.take(this.#staging, length);
    // The next one is the first in turn: one busy thread must not take all the room.
    const first = this.#rings.shift();
    if (first !== undefined) this.#rings.push(first);
    return length;
  }

  async #write(lines: Buffer): Promise<void> {
    let left = this.#isMidLine && lines.length > 0 ? Buffer.concat([Buffer.of(NEWLINE), lines]) : lines;
    let progressMs = performance.now();
    while (left.length > 0 && !this.#isReaderGone) {
      const result = await written(left);
      if (typeof result === "number") {
        this.#isMidLine = left[result - 1] !== NEWLINE;
        this.#isFailing = false;
        left = left.subarray(result);
        progressMs = performance.now();
      } else if (result.code === "EAGAIN") {
        if (this.#isClosing && performance.now() - progressMs > LAST_CHANCE_MS) this.#isReaderGone = true;
        else await sleep(RETRY_MS);
        if (this.lost > this.#toldLost)
          this.#say("lines of the log are lost: who reads stdout does not keep up");
      } else {
        this.#isFailing = true;
        // A reader that is gone does not come back; a disk that is full may be emptied.
        if (result.code === "EPIPE") this.#isReaderGone = true;
        this.#say(`lines of the log are lost, stdout cannot be written: ${result.message}`);
        break;
      }
    }
    this.#lost += newlinesIn(left);
  }

  /** In the log, once it is read again. */
  #tellLost(): void {
    const lost = this.lost;
    const nowMs = performance.now();
    if (lost === this.#toldLost || nowMs - this.#toldMs < TELL_LOST_EVERY_MS) return;
    if (this.#isReaderGone || this.#isFailing) return;
    this.#options.tellLost(lost - this.#toldLost);
    this.#toldLost = lost;
    this.#toldMs = nowMs;
  }

  #say(text: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#saidMs < SAY_EVERY_MS) return;
    this.#saidMs = nowMs;
    this.#options.say(text);
  }

  /** The process ends without having closed: what can be written at once is. */
  #writeLast(): void {
    const room = Buffer.allocUnsafeSlow(STAGING_BYTES); // the other one may be in use by a write
    try {
      for (const ring of this.#rings) writeAtOnce(room, ring);
      for (const event of this.#events) writeSync(STDOUT, event);
    } catch (error) {
      this.#options.say(`the last lines of the log are lost: ${(error as Error).message}`);
    }
  }
}

function writeAtOnce(room: Buffer, ring: LineRing): void {
  for (let length = ring.take(room, 0); length > 0; length = ring.take(room, 0)) {
    for (let at = 0; at < length; ) at += writeSync(STDOUT, room, at, length - at);
  }
}

/** On the thread pool, as a disk may be slow: how many bytes were taken, or why none. */
function written(bytes: Buffer): Promise<number | NodeJS.ErrnoException> {
  const { promise, resolve } = Promise.withResolvers<number | NodeJS.ErrnoException>();
  writeFd(STDOUT, bytes, (error, taken) => resolve(error ?? taken));
  return promise;
}

function newlinesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
