/**
 * One answer, kept for comparison while it passes by: whole up to a limit, or of a stream of events the beginning.
 */

import { joinedHeader } from "../model/headers.ts";
import type { Lease } from "./shelf.ts";

/** Of a stream of events so much is compared: it may have no end. */
const MAX_EVENTS_BYTES = 64 * 1024;
/** Beyond it a body is not compared, whatever the rules allow: three of them have to fit into the queue. */
const MAX_COMPARED_BYTES = 16 * 1024 * 1024;
/** What a chunk costs besides its bytes: a body sent byte by byte is not small. */
const CHUNK_COST_BYTES = 256;

/** An answer as it was collected for comparison. */
export interface CollectedAnswer {
  readonly status: number;
  /** Flat, end-to-end fields. */
  readonly headers: readonly string[];
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
  /** The beginning of a stream of events that had not ended. */
  readonly cut: boolean;
  /** When its last byte came, on the clock of the desk. */
  readonly atMs: number;
}

export class AnswerCopy {
  readonly #lease: Lease;
  readonly #maxBytes: number;
  #status = 0;
  #headers: readonly string[] | null = null;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isStream = false;
  /** Why it is not kept; null: it is. */
  lost: "too_large" | "shed" | null = null;

  constructor(maxBodyBytes: number, lease: Lease) {
    this.#maxBytes = Math.min(maxBodyBytes, MAX_COMPARED_BYTES);
    this.#lease = lease;
  }

  get hasHead(): boolean {
    return this.#headers !== null;
  }

  /** A stream of events, which may never end. */
  get isStream(): boolean {
    return this.#isStream;
  }

  /** `declaredBytes`: of the body, by its own word; -1: it does not say. `headers` are kept as they are. */
  head(status: number, headers: readonly string[], declaredBytes: number): void {
    this.#status = status;
    this.#headers = headers;
    this.#isStream = isEventStream(headers);
    // Known beforehand, it need not be read first.
    if (!this.#isStream && declaredBytes > this.#maxBytes) this.#drop("too_large");
  }

  /** False: no more of it is wanted, because it is lost or because the beginning of a stream is complete. */
  data(chunk: Buffer): boolean {
    if (this.lost !== null) return false;
    if (this.#isStream) return this.#dataOfStream(chunk);
    if (this.#bytes + chunk.length > this.#maxBytes) this.#drop("too_large");
    else this.#keep(chunk);
    return this.lost === null;
  }

  /** Null: it is not kept, or no head came. */
  collected(cut: boolean, atMs: number): CollectedAnswer | null {
    if (this.lost !== null || this.#headers === null) return null;
    return {
      status: this.#status,
      headers: this.#headers,
      chunks: this.#chunks,
      bytes: this.#bytes,
      cut,
      atMs,
    };
  }

  #dataOfStream(chunk: Buffer): boolean {
    const room = Math.min(MAX_EVENTS_BYTES, this.#maxBytes) - this.#bytes;
    // More than there is room for: whatever follows, this is not all of it.
    if (chunk.length > room) {
      // A copy: a view would hold all that came with it.
      if (room > 0) this.#keep(Buffer.from(chunk.subarray(0, room)));
      return false;
    }
    this.#keep(chunk);
    return this.lost === null;
  }

  #keep(chunk: Buffer): void {
    if (!this.#lease.take(chunk.length + CHUNK_COST_BYTES)) {
      this.#drop("shed");
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  #drop(why: "too_large" | "shed"): void {
    this.lost = why;
    this.#chunks = [];
  }
}

function isEventStream(headers: readonly string[]): boolean {
  const type = joinedHeader(headers, "content-type");
  return type !== undefined && /^\s*text\/event-stream\s*(?:;|,|$)/i.test(type);
}
