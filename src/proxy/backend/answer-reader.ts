/** Reads the answers on one connection, whatever pieces they come in: pure, bytes in, calls out. */

import { type AnswerHead, beginningFault, readAnswerHead, readTrailers } from "./answer-head.ts";
import { Chunks } from "./chunks.ts";

/** Status line and fields; trailers as much again. */
const MAX_HEAD_BYTES = 64 * 1024;
/** Of what was read, so much is looked at first for a head: most are shorter, and what follows is body. */
const USUAL_HEAD_BYTES = 4 * 1024;
/** One interim answer. */
const MAX_INTERIM_BYTES = 16 * 1024;
/** Progress once a second for a minute is plausible; more is a flood. */
const MAX_INTERIMS = 64;

/** Takes what is read. Any call may end the reading (`AnswerReader.stop`). */
export interface AnswerEvents {
  /** An interim answer other than 100, which tells nobody anything: the gateway answers Expect itself. */
  onInterim(head: AnswerHead): void;
  onHead(head: AnswerHead): void;
  /** The chunk is the receiver's own. */
  onData(chunk: Buffer): void;
  /** The answer is whole. `keepsConnection`: another may follow on the connection. */
  onEnd(rawTrailers: readonly string[], keepsConnection: boolean): void;
  /** A 101 that was asked for. `rest`: bytes of the new protocol that came with it. */
  onSwitch(head: AnswerHead, rest: Buffer): void;
  /** What came is no answer, or none that anybody asked for. */
  onFault(why: string): void;
}

type State = "idle" | "head" | "length" | "chunks" | "close" | "stopped";

export class AnswerReader {
  readonly #events: AnswerEvents;
  #state: State = "idle";
  #method = "";
  #maySwitch = false;
  #interims = 0;
  /** Of a head that has not ended yet. */
  #held = "";
  #left = 0;
  #chunks: Chunks | null = null;
  #keepsConnection = false;

  constructor(events: AnswerEvents) {
    this.#events = events;
  }

  /** The next bytes must be the answer to a request of this method. `maySwitch`: a 101 may be it. */
  expect(method: string, maySwitch: boolean): void {
    this.#state = "head";
    this.#method = method;
    this.#maySwitch = maySwitch;
    this.#interims = 0;
  }

  /** Nothing more is read, and nobody called. */
  stop(): void {
    this.#state = "stopped";
    this.#held = "";
    this.#chunks = null;
  }

  take(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#state !== "stopped") {
      if (this.#state === "head") at = this.#takeHead(bytes, at);
      else if (this.#state === "length") at = this.#takeLength(bytes, at);
      else if (this.#state === "chunks") at = this.#takeChunks(bytes, at);
      else if (this.#state === "close") {
        this.#events.onData(at === 0 ? bytes : bytes.subarray(at));
        return;
      } else {
        this.#fail("bytes that nobody asked for");
        return;
      }
    }
  }

  /** The backend has ended the connection in order. True: that was the end of the answer. */
  takeEnd(): boolean {
    if (this.#state !== "close") return false;
    this.#end([], false);
    return true;
  }

  /** Something of an answer has come. */
  get hasBegun(): boolean {
    return this.#state !== "idle" && (this.#state !== "head" || this.#held !== "" || this.#interims > 0);
  }

  #takeHead(bytes: Buffer, from: number): number {
    const known = this.#held.length;
    const endAt = this.#holdUntilHeadEnd(bytes, from);
    if (endAt === -1) {
      const fault = this.#held.length > MAX_HEAD_BYTES ? TOO_LARGE : beginningFault(this.#held, known);
      if (fault !== null) this.#fail(fault);
      else if (this.#held.length > MAX_INTERIM_BYTES && isInterim(this.#held)) {
        this.#fail(LARGE_INTERIM);
      }
      return bytes.length;
    }
    const text = this.#held.slice(0, endAt);
    this.#held = "";
    const at = from + endAt - known;
    const head = endAt > MAX_HEAD_BYTES ? TOO_LARGE : readAnswerHead(text, this.#method);
    if (typeof head === "string") this.#fail(head);
    else if (head.status < 200) this.#takeInterim(head, endAt, bytes, at);
    else this.#begin(head, at < bytes.length);
    return at;
  }

  /** Puts what has come behind what is held. Answers where the head ends in that; -1: not yet. */
  #holdUntilHeadEnd(bytes: Buffer, from: number): number {
    const before = this.#held;
    const searchAt = Math.max(0, before.length - 3);
    const most = Math.min(bytes.length, from + MAX_HEAD_BYTES);
    const usual = Math.min(most, from + USUAL_HEAD_BYTES);
    this.#held = before + bytes.toString("latin1", from, usual);
    let endAt = this.#held.indexOf("\r\n\r\n", searchAt);
    if (endAt === -1 && usual < bytes.length) {
      this.#held = before + bytes.toString("latin1", from, Math.min(bytes.length, most + 1));
      endAt = this.#held.indexOf("\r\n\r\n", searchAt);
    }
    return endAt === -1 ? -1 : endAt + 4;
  }

  #takeInterim(head: AnswerHead, headBytes: number, bytes: Buffer, at: number): void {
    if (head.status === 101) {
      if (!this.#maySwitch) this.#fail("the backend switched protocols unasked");
      else {
        this.stop();
        this.#events.onSwitch(head, bytes.subarray(at));
      }
    } else if (headBytes > MAX_INTERIM_BYTES) this.#fail(LARGE_INTERIM);
    else if (++this.#interims > MAX_INTERIMS) this.#fail("too many interim answers");
    else if (head.status !== 100) this.#events.onInterim(head);
  }

  #begin(head: AnswerHead, hasMore: boolean): void {
    const { bodyEnd, bodyBytes } = head;
    const isEmpty = bodyEnd === "none" || (bodyEnd === "length" && bodyBytes === 0);
    this.#keepsConnection = head.keepsConnection;
    this.#left = bodyBytes;
    if (bodyEnd === "length") this.#state = "length";
    else if (bodyEnd === "close") this.#state = "close";
    else if (bodyEnd === "chunks") {
      this.#state = "chunks";
      this.#chunks = new Chunks(MAX_HEAD_BYTES);
    }
    this.#events.onHead(head);
    if (isEmpty && !this.#isStopped) this.#end([], !hasMore);
  }

  #takeLength(bytes: Buffer, from: number): number {
    const end = Math.min(bytes.length, from + this.#left);
    this.#left -= end - from;
    const isLast = this.#left === 0;
    this.#events.onData(from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end));
    if (isLast && !this.#isStopped) this.#end([], end === bytes.length);
    return end;
  }

  #takeChunks(bytes: Buffer, from: number): number {
    const chunks = this.#chunks as Chunks;
    const parts: Buffer[] = [];
    const at = chunks.take(bytes, from, (part) => parts.push(part));
    // Together: a body in chunks of a byte each must not become as many writes.
    const [first] = parts;
    if (first !== undefined) this.#events.onData(parts.length === 1 ? first : Buffer.concat(parts));
    if (this.#isStopped) return at;
    if (chunks.fault !== null) this.#fail(chunks.fault);
    else if (chunks.isDone) {
      const rawTrailers = readTrailers(chunks.trailers);
      if (typeof rawTrailers === "string") this.#fail(rawTrailers);
      else this.#end(rawTrailers, at === bytes.length);
    }
    return at;
  }

  /** `isLast`: nothing came behind it. What did is nobody's answer, and ends the connection with this one. */
  #end(rawTrailers: readonly string[], isLast: boolean): void {
    const keeps = this.#keepsConnection && isLast;
    this.#chunks = null;
    this.#state = keeps ? "idle" : "stopped";
    this.#events.onEnd(rawTrailers, keeps);
  }

  #fail(why: string): void {
    this.stop();
    this.#events.onFault(why);
  }

  /** Also within a call to the receiver. */
  get #isStopped(): boolean {
    return this.#state === "stopped";
  }
}

const TOO_LARGE = "the head of the answer is too large";
const LARGE_INTERIM = "an interim answer is too large";

function isInterim(text: string): boolean {
  return text.charCodeAt(9) === 0x31;
}
