/** What a data thread keeps of answers until they are compared: bounded over all its requests together. */

export class Shelf {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The place of one request's answers. */
  lease(): Lease {
    return new Lease(this);
  }

  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** Whoever ends the comparison of a request gives all of it back at once. */
export class Lease {
  readonly #shelf: Shelf;
  #bytes = 0;
  #isOver = false;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** False: the shelf is full, or nothing more is wanted. */
  take(bytes: number): boolean {
    if (this.#isOver || !this.#shelf.take(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  release(): void {
    this.#isOver = true;
    this.#shelf.giveBack(this.#bytes);
    this.#bytes = 0;
  }
}
