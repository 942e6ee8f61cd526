/** Compares and joins bodies in steps, so that a large one never holds up the clients of its thread. */

/** A body in pieces; its length is known without a walk over all of them. */
export interface Pieces {
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
}

/** One memcmp or copy of so many bytes takes well under a millisecond. */
export const STEP_BYTES = 256 * 1024;
/** What turning to the next chunk costs, in bytes looked at: a body sent byte by byte takes many steps. */
const CHUNK_COST_BYTES = 2048;

/** A place in a body that is in pieces. */
class Cursor {
  readonly #chunks: readonly Buffer[];
  #index = 0;
  #at = 0;

  constructor({ chunks }: Pieces) {
    this.#chunks = chunks;
  }

  /** Null: it is at the end. */
  get chunk(): Buffer | null {
    return this.#chunks[this.#index] ?? null;
  }

  get at(): number {
    return this.#at;
  }

  advance(bytes: number): void {
    this.#at += bytes;
    if (this.#at < (this.chunk?.length ?? 0)) return;
    this.#index++;
    this.#at = 0;
  }
}

/** Whether two bodies hold the same bytes, without joining them first: chunks seldom end at the same places. */
export class ByteComparison {
  readonly #a: Cursor;
  readonly #b: Cursor;
  readonly #sameLength: boolean;

  constructor(a: Pieces, b: Pieces) {
    this.#a = new Cursor(a);
    this.#b = new Cursor(b);
    this.#sameLength = a.bytes === b.bytes;
  }

  /** Looks at about so many bytes more; null: not known yet. */
  step(maxBytes: number): boolean | null {
    if (!this.#sameLength) return false;
    let left = maxBytes;
    for (;;) {
      const { chunk: a, at: atA } = this.#a;
      const { chunk: b, at: atB } = this.#b;
      if (a === null || b === null) return true;
      if (left <= 0) return null;
      const length = Math.min(a.length - atA, b.length - atB, left);
      if (a.compare(b, atB, atB + length, atA, atA + length) !== 0) return false;
      this.#a.advance(length);
      this.#b.advance(length);
      left -= length + CHUNK_COST_BYTES;
    }
  }
}

/** Copies a body into memory of its own: chunks are views of memory that the sockets share. */
export class Joining {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #from: Cursor;
  #at = 0;

  constructor(body: Pieces) {
    // Not filled with zeros first, which takes milliseconds: every byte of it is written. Of no pool, to be transferred.
    this.bytes = Buffer.allocUnsafeSlow(body.bytes);
    this.#from = new Cursor(body);
  }

  /** Copies about so many bytes more; true: all of it is copied. */
  step(maxBytes: number): boolean {
    let left = maxBytes;
    for (;;) {
      const { chunk, at } = this.#from;
      if (chunk === null) return true;
      if (left <= 0) return false;
      const length = Math.min(chunk.length - at, left);
      this.bytes.set(chunk.subarray(at, at + length), this.#at);
      this.#at += length;
      this.#from.advance(length);
      left -= length + CHUNK_COST_BYTES;
    }
  }
}
