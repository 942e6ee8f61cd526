/** The body of one request on its way to a backend, at the pace at which the backend takes it. */

import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { ProxyError } from "../classify.ts";

/** Below it a body goes out in one string with its head: one plain write instead of a gathered one. */
const MAX_JOINED_BYTES = 16 * 1024;

export interface UploadEvents {
  onUploading(): void;
  onUploaded(): void;
  /** The body broke off, or is not as long as it said. */
  onUploadFailed(error: Error): void;
}

/** Writes a request whose body is there already, or that has none. */
export function writeWhole(socket: Socket, head: string, body: Buffer | null): void {
  if (body === null || body.length === 0) socket.write(head, "latin1");
  else if (body.length <= MAX_JOINED_BYTES) socket.write(head + body.toString("latin1"), "latin1");
  else {
    socket.cork();
    socket.write(head, "latin1");
    socket.write(body);
    socket.uncork();
  }
}

/** Listens from the beginning: a body may break while its request waits for a connection. */
export class Upload {
  readonly #body: Readable;
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
  readonly #onDrain = (): void => void this.#body.resume();

  constructor(body: Readable, declaredBytes: number | null, events: UploadEvents) {
    this.#body = body;
    this.#declaredBytes = declaredBytes;
    this.#events = events;
    body.on("error", (error: Error) => this.#fail(error));
    body.on("close", () => {
      if (!body.readableEnded) this.#fail(new ProxyError("client_gone", "the body ended before its end"));
    });
    if (body.destroyed) {
      const error = body.errored ?? new ProxyError("client_gone", "the body was gone before it was sent");
      queueMicrotask(() => this.#fail(error));
    }
  }

  begin(socket: Socket, head: string): void {
    this.#socket = socket;
    this.#head = head;
    socket.on("drain", this.#onDrain);
    this.#body.on("data", (chunk: Buffer) => this.#pass(chunk));
    this.#body.on("end", () => this.#finish());
    setImmediate(this.#sendHead);
  }

  /**
   * The backend may have an answer for it whatever the body brings. And until it has gone out the connection looks
   * idle to the backend, which may end it, or send what would be taken for an answer.
   */
  readonly #sendHead = (): void => {
    if (this.#isOver || this.#head === "") return;
    this.#socket?.write(this.#head, "latin1");
    this.#head = "";
  };

  /** Nothing more is written; whatever of the body is still to come is its owner's to throw away. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket?.off("drain", this.#onDrain);
    this.#body.destroy();
  }

  #pass(chunk: Buffer): void {
    const socket = this.#socket;
    if (this.#isOver || socket === null || chunk.length === 0) return;
    this.#bytes += chunk.length;
    if (this.#declaredBytes !== null && this.#bytes > this.#declaredBytes) {
      this.#fail(new ProxyError("http_request_error", "the body is longer than its Content-Length"));
      return;
    }
    socket.cork();
    const before =
      this.#declaredBytes === null ? `${this.#head}${chunk.length.toString(16)}\r\n` : this.#head;
    this.#head = "";
    if (before !== "") socket.write(before, "latin1");
    let takesMore = socket.write(chunk);
    if (this.#declaredBytes === null) takesMore = socket.write("\r\n", "latin1");
    socket.uncork();
    if (!takesMore) this.#body.pause();
    this.#events.onUploading();
  }

  #finish(): void {
    const socket = this.#socket;
    if (this.#isOver || socket === null) return;
    if (this.#declaredBytes !== null && this.#bytes !== this.#declaredBytes) {
      this.#fail(new ProxyError("http_request_error", "the body is shorter than its Content-Length"));
      return;
    }
    const last = this.#declaredBytes === null ? `${this.#head}0\r\n\r\n` : this.#head;
    this.#head = "";
    if (last !== "") socket.write(last, "latin1");
    this.#isOver = true;
    this.isDone = true;
    socket.off("drain", this.#onDrain);
    this.#events.onUploaded();
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.stop();
    this.#events.onUploadFailed(error);
  }
}
