/** Wakes control at once: a data thread rings when new has failed. */
export class Bell {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer(4)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  ring(): void {
    Atomics.add(this.#words, 0, 1);
    Atomics.notify(this.#words, 0);
  }

  /** How often it has rung. */
  get count(): number {
    return Atomics.load(this.#words, 0);
  }

  /** Resolves when it has rung since `seen`, or after `timeoutMs`. */
  async heard(seen: number, timeoutMs: number): Promise<void> {
    const wait = Atomics.waitAsync(this.#words, 0, seen, timeoutMs);
    if (wait.async) await wait.value;
  }
}
