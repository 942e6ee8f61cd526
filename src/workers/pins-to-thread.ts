/** Sends pins to one data thread, and knows when it goes by them. */

import type { Worker } from "node:worker_threads";
import type { PinChange } from "../model/pins.ts";
import type { FromDataThread, ToDataThread } from "../proxy/messages.ts";

export class PinsToThread {
  readonly #worker: Worker;
  /** Who waits, by the message's id. */
  readonly #waiting = new Map<number, () => void>();
  #lastId = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (message: FromDataThread) => {
      if (message.kind === "pinned") this.#taken(message.id);
    });
    // A dead thread decides nothing any more: nobody needs to wait for it.
    worker.on("exit", () => {
      for (const id of this.#waiting.keys()) this.#taken(id);
    });
  }

  /** Resolves when the thread decides by them, or is no more: its successor starts with all that stand. */
  send(changes: readonly PinChange[]): Promise<void> {
    if (this.#worker.threadId === -1) return Promise.resolve(); // it has exited: no answer will come, and no event
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(id, resolve);
    this.#worker.postMessage({ kind: "pins", id, changes } satisfies ToDataThread);
    return promise;
  }

  #taken(id: number): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }
}
