/** The body of one request on its way to a backend, at the pace at which the backend takes it. */

import type { Socket } from "node:net";
import { ProxyError } from "../classify.ts";
import type { BodyTaker, PushedBody } from "./call.ts";

/** Below it a body goes out in one string with its head: one plain write instead of a gathered one. */
const MAX_JOINED_BYTES = 16 * 1024;

export interface UploadEvents {
  onUploading(): void;
  onUploaded(): void;
  /** The body broke off, or is not as long as it said. */
  onUploadFailed(error: Error): void;
}

/** Writes a head and, where it is there, the body or its first part. False: enough is waiting to be sent. */
export function writeJoined(socket: Socket, head: string, body: Buffer | null): boolean {
  if (body === null || body.length === 0) return socket.write(head, "latin1");
  if (head === "") return socket.write(body);
  if (body.length <= MAX_JOINED_BYTES) return socket.write(head + body.toString("latin1"), "latin1");
  socket.cork();
  socket.write(head, "latin1");
  const takesMore = socket.write(body);
  socket.uncork();
  return takesMore;
}

/** Listens from the beginning: a body may break while its request waits for a connection. */
export class Upload implements BodyTaker {
  readonly #body: PushedBody;
  /** Null: in chunks. */
  readonly #declaredBytes: number | null;
  readonly #events: UploadEvents;
  #socket: Socket | null = null;
  /** Goes out with the first part of the body where that is there already. */
  #head = "";
  #bytes = 0;
  #isOver = false;
  /** All of it was written. */
  isDone = false;

  constructor(body: PushedBody, declaredBytes: number | null, events: UploadEvents) {
    this.#body = body;
    this.#declaredBytes = declaredBytes;
    this.#events = events;
    body.giveTo(this);
  }

  begin(socket: Socket, head: string): void {
    this.#socket = socket;
    this.#head = head;
    this.#ask();
    if (this.#head !== "") setImmediate(() => this.#sendHead());
  }

  /** Nothing more is written; whatever of the body is still to come is its owner's to throw away. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#head = "";
    this.#body.leave();
  }

  onBody(chunk: Buffer): boolean {
    const socket = this.#socket;
    if (this.#isOver || socket === null || chunk.length === 0) return true;
    this.#bytes += chunk.length;
    if (this.#declaredBytes !== null && this.#bytes > this.#declaredBytes) {
      this.#fail(new ProxyError("http_request_error", "the body is longer than its Content-Length"));
      return true;
    }
    const takesMore = this.#write(socket, chunk);
    if (this.#bytes === this.#declaredBytes) {
      this.#finish();
      return true;
    }
    if (!takesMore) socket.once("drain", () => this.#ask());
    this.#events.onUploading();
    return takesMore;
  }

  onBodyEnd(): void {
    if (this.#isOver) return;
    if (this.#declaredBytes !== null) {
      this.#fail(new ProxyError("http_request_error", "the body is shorter than its Content-Length"));
      return;
    }
    this.#socket?.write(`${this.#takeHead()}0\r\n\r\n`, "latin1");
    this.#finish();
  }

  onBodyBroken(error: Error): void {
    this.#fail(error);
  }

  #ask(): void {
    if (this.#isOver) return;
    // What is there already goes out in one write.
    if (this.#declaredBytes === null) this.#socket?.cork();
    this.#body.ask();
    if (this.#declaredBytes === null) this.#socket?.uncork();
  }

  /**
   * The backend may have an answer for it whatever the body brings. And until it has gone out the connection looks
   * idle to the backend, which may end it, or send what would be taken for an answer.
   */
  #sendHead(): void {
    if (this.#head !== "") this.#socket?.write(this.#takeHead(), "latin1");
  }

  #takeHead(): string {
    const head = this.#head;
    this.#head = "";
    return head;
  }

  #write(socket: Socket, chunk: Buffer): boolean {
    const head = this.#takeHead();
    if (this.#declaredBytes !== null) return writeJoined(socket, head, chunk);
    socket.cork();
    socket.write(`${head}${chunk.length.toString(16)}\r\n`, "latin1");
    socket.write(chunk);
    const takesMore = socket.write("\r\n", "latin1");
    socket.uncork();
    return takesMore;
  }

  #finish(): void {
    this.#isOver = true;
    this.isDone = true;
    this.#events.onUploaded();
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.stop();
    this.#events.onUploadFailed(error);
  }
}
