/** Starts the comparison thread with the first pair, keeps it alive, and hands its findings on. */

import { type MessagePort, Worker } from "node:worker_threads";
import { type CompareSetup, PROGRESS_BYTES, pairAtHand, routeAtHand } from "../board/progress.ts";
import type { Compared } from "../model/pair.ts";
import { entryUrl } from "./entry.ts";

export interface CompareThreadOptions {
  /** [pairs, bytes] waiting; see compare/thread.ts. Whoever makes the first word more than 0 notifies it. */
  readonly queue: SharedArrayBuffer;
  readonly onCompared: (compared: Compared) => void;
  /** It died and another took its place: data threads need new channels. */
  readonly onReplaced: (why: string) => void;
  /** A comparison that takes longer is given up, and the thread with it. */
  readonly stuckAfterMs?: number;
}

const PAIRS_WAITING = 0;
const REPLACE_AFTER_MS = 500;
const MAX_HEAP_MB = 1024;
/** A pair takes a second at the very worst; a pattern of the rules can take for ever over a hostile text. */
const STUCK_AFTER_MS = 10_000;
/** Looks rather than time: after a pause of the whole process nothing has been stuck. */
const LOOKS = 10;

export class CompareThread {
  readonly #options: CompareThreadOptions;
  /** Null: not started. */
  #worker: Worker | null = null;
  /** Of data threads that it will hear of when it starts. */
  readonly #waiting = new Set<MessagePort>();
  #stopping = false;

  constructor(options: CompareThreadOptions) {
    this.#options = options;
    void this.#startWithFirstPair();
  }

  /** Answers that are equal byte by byte never come here: without a pair it would take some 25 MB for nothing. */
  async #startWithFirstPair(): Promise<void> {
    const wait = Atomics.waitAsync(new Int32Array(this.#options.queue), PAIRS_WAITING, 0);
    if (wait.async) await wait.value;
    if (this.#stopping) return;
    this.#worker = this.#spawn();
    for (const port of this.#waiting) this.connect(port);
    this.#waiting.clear();
  }

  get isStarted(): boolean {
    return this.#worker !== null;
  }

  connect(port: MessagePort): void {
    if (this.#worker !== null) {
      this.#worker.postMessage({ kind: "port", port }, [port]);
      return;
    }
    this.#waiting.add(port);
    port.once("close", () => this.#waiting.delete(port)); // its data thread has ended
  }

  async terminate(): Promise<void> {
    this.#stopping = true;
    for (const port of this.#waiting) port.close();
    await this.#worker?.terminate();
  }

  #spawn(): Worker {
    const progress = new SharedArrayBuffer(PROGRESS_BYTES);
    const worker = new Worker(entryUrl("compare/thread"), {
      name: "compare",
      workerData: { queue: this.#options.queue, progress } satisfies CompareSetup,
      // A hostile body can take hundreds of megabytes to parse: then this thread ends, not the process.
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    let why = "it ended";
    worker.on("message", (message: Compared) => this.#options.onCompared(message));
    worker.on("error", (error: Error) => {
      why = error.message;
    });
    const watch = this.#watch(progress, (route) => {
      why = `a comparison of route ${route} took longer than ${this.#stuckAfterMs / 1000} s`;
      void worker.terminate();
    });
    worker.on("exit", () => {
      clearInterval(watch);
      if (this.#stopping) return;
      setTimeout(() => this.#replace(why), REPLACE_AFTER_MS).unref();
    });
    return worker;
  }

  get #stuckAfterMs(): number {
    return this.#options.stuckAfterMs ?? STUCK_AFTER_MS;
  }

  /** Calls `stuck`, with the route, where a pair stays at hand for too long. */
  #watch(progress: SharedArrayBuffer, stuck: (route: string) => void): NodeJS.Timeout {
    let seen: number | null = null;
    let looks = 0;
    const look = (): void => {
      const now = pairAtHand(progress);
      looks = now !== null && now === seen ? looks + 1 : 0;
      seen = now;
      if (looks === LOOKS) stuck(routeAtHand(progress));
    };
    return setInterval(look, this.#stuckAfterMs / LOOKS).unref();
  }

  #replace(why: string): void {
    if (this.#stopping) return;
    // What waited died with it.
    new Int32Array(this.#options.queue).fill(0);
    this.#worker = this.#spawn();
    this.#options.onReplaced(why);
  }
}
