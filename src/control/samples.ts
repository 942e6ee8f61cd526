/** Differing pairs on their way to the store: in groups, and no more than are worth reading. */

import type { Compared } from "../model/pair.ts";
import type { NewSample, Store } from "./store-types.ts";

const FLUSH_EVERY_MS = 1_000;
/** Of one flush, so many pairs are kept, the last ones: a disk is no place for a flood. */
const MAX_PER_FLUSH = 50;

export class SampleKeeper {
  readonly #store: Store;
  readonly #onError: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  #waiting: NewSample[] = [];
  #flushing = false;

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
    this.#timer = setInterval(() => void this.flush(), FLUSH_EVERY_MS);
    this.#timer.unref();
  }

  keep(compared: Compared, at: string): void {
    const { comparison, route, requestId, method, target, old, new: fresh } = compared;
    if (comparison.kind !== "mismatch" || old === null || fresh === null) return;
    const { differences } = comparison;
    if (this.#waiting.length >= MAX_PER_FLUSH) this.#waiting.shift();
    this.#waiting.push({
      at,
      route,
      requestId,
      method,
      target,
      differences: [...differences],
      old,
      new: fresh,
    });
  }

  /** Stores what waits. A slow store gets one group at a time. */
  async flush(): Promise<void> {
    if (this.#flushing || this.#waiting.length === 0) return;
    this.#flushing = true;
    await this.#handOver();
    this.#flushing = false;
  }

  /** Hands over what still waits. The store's close waits for it, with a deadline: a disk may hang. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#waiting.length > 0) void this.#handOver();
  }

  async #handOver(): Promise<void> {
    const group = this.#waiting;
    this.#waiting = [];
    try {
      await this.#store.addSamples(group);
    } catch (error) {
      this.#onError(error);
    }
  }
}
