/** Keeps the chunks of a body that passes by, up to a limit: beyond it nothing is kept, and the body goes on. */
export class Capture {
  readonly #maxBytes: number;
  #chunks: Buffer[] | null = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) this.#chunks = null;
    else this.#chunks?.push(chunk);
  }

  /** Null: the body went beyond the limit. */
  get chunks(): readonly Buffer[] | null {
    return this.#chunks;
  }

  get overflowed(): boolean {
    return this.#chunks === null;
  }

  get bytes(): number {
    return this.#bytes;
  }
}
