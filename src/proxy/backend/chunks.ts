/** A body in chunks (RFC 9112 §7.1), taken apart as it comes. Extensions are read and dropped; anything odd is a fault. */

/** A size with its extensions. */
const MAX_SIZE_LINE_BYTES = 4 * 1024;
/** 16 hex digits do not fit an exact number; no chunk is as long as 13 can say. */
const SIZE_LINE = /^([0-9A-Fa-f]{1,13})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n$/;

type Part = "size" | "data" | "data-end" | "trailers" | "done";

/** One body. Throws nothing: `fault` says what went wrong. */
export class Chunks {
  readonly #maxTrailerBytes: number;
  #part: Part = "size";
  #left = 0;
  /** Of a line, or of all trailers, that has not ended yet. */
  #held = "";
  fault: string | null = null;
  /** The lines behind the last chunk, the empty one included; "": not there yet. */
  trailers = "";

  constructor(maxTrailerBytes: number) {
    this.#maxTrailerBytes = maxTrailerBytes;
  }

  get isDone(): boolean {
    return this.#part === "done";
  }

  /** Takes what has come; `data` is called with views of it. Answers where it stopped: at a fault or the body's end. */
  take(bytes: Buffer, from: number, data: (chunk: Buffer) => void): number {
    let at = from;
    while (at < bytes.length && this.fault === null && this.#part !== "done") {
      if (this.#part === "data") {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        if (this.#left === 0) this.#part = "data-end";
        data(bytes.subarray(at, end));
        at = end;
      } else if (this.#part === "trailers") at = this.#takeTrailers(bytes, at);
      else at = this.#takeLine(bytes, at);
    }
    return at;
  }

  /** The line with a size, or the empty one behind a chunk. */
  #takeLine(bytes: Buffer, from: number): number {
    const lineEndAt = bytes.indexOf(0x0a, from);
    const end = lineEndAt === -1 ? bytes.length : lineEndAt + 1;
    if (this.#held.length + end - from > MAX_SIZE_LINE_BYTES)
      return this.#refuse("a chunk's size is too long", end);
    this.#held += bytes.toString("latin1", from, end);
    if (this.#part === "data-end" && !"\r\n".startsWith(this.#held)) {
      return this.#refuse("a chunk is longer than its size", end);
    }
    if (lineEndAt === -1) return end;
    const line = this.#held;
    this.#held = "";
    if (this.#part === "data-end") this.#part = "size";
    else this.#begin(line);
    return end;
  }

  #begin(line: string): void {
    const size = SIZE_LINE.exec(line)?.[1];
    if (size === undefined) this.fault = "a chunk's size is no plain number";
    else {
      this.#left = Number.parseInt(size, 16);
      this.#part = this.#left === 0 ? "trailers" : "data";
    }
  }

  #takeTrailers(bytes: Buffer, from: number): number {
    const known = this.#held.length;
    const text =
      this.#held + bytes.toString("latin1", from, Math.min(bytes.length, from + this.#maxTrailerBytes));
    const endAt = text.startsWith("\r\n") ? 2 : text.indexOf("\r\n\r\n", Math.max(0, known - 3)) + 4;
    if (endAt < 4 && !text.startsWith("\r\n")) {
      if (text.length >= this.#maxTrailerBytes)
        return this.#refuse("the trailers are too large", bytes.length);
      this.#held = text;
      return bytes.length;
    }
    this.trailers = text.slice(0, endAt);
    this.#held = "";
    this.#part = "done";
    return from + endAt - known;
  }

  #refuse(why: string, at: number): number {
    this.fault = why;
    return at;
  }
}
