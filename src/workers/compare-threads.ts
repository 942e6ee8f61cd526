/** Starts the comparison thread, keeps it alive, and hands its findings on. */

import { type MessagePort, Worker } from "node:worker_threads";
import type { Compared } from "../model/pair.ts";
import { entryUrl } from "./entry.ts";

export interface CompareThreadOptions {
  /** [pairs, bytes] waiting; see compare/thread.ts. */
  readonly queue: SharedArrayBuffer;
  readonly onCompared: (compared: Compared) => void;
  /** It died and another took its place: data threads need new channels. */
  readonly onReplaced: (why: string) => void;
}

const REPLACE_AFTER_MS = 500;
const MAX_HEAP_MB = 1024;

export class CompareThread {
  readonly #options: CompareThreadOptions;
  #worker: Worker;
  #stopping = false;

  constructor(options: CompareThreadOptions) {
    this.#options = options;
    this.#worker = this.#start();
  }

  connect(port: MessagePort): void {
    this.#worker.postMessage({ kind: "port", port }, [port]);
  }

  async terminate(): Promise<void> {
    this.#stopping = true;
    await this.#worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(entryUrl("compare/thread"), {
      name: "compare",
      workerData: { queue: this.#options.queue },
      // A hostile body can take hundreds of megabytes to parse: then this thread ends, not the process.
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    let why = "it ended";
    worker.on("message", (message: Compared) => this.#options.onCompared(message));
    worker.on("error", (error: Error) => {
      why = error.message;
    });
    worker.on("exit", () => {
      if (this.#stopping) return;
      setTimeout(() => this.#replace(why), REPLACE_AFTER_MS).unref();
    });
    return worker;
  }

  #replace(why: string): void {
    if (this.#stopping) return;
    // What waited died with it.
    new Int32Array(this.#options.queue).fill(0);
    this.#worker = this.#start();
    this.#options.onReplaced(why);
  }
}
