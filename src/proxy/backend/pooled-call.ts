/** A call of a pool, first waiting, then carried: between whoever asked and the connection that it is given. */

import type { Socket } from "node:net";
import type { Queued } from "../queue.ts";
import type { AnswerHead } from "./answer-head.ts";
import type { Call, CallEvents, CallRequest } from "./call.ts";
import type { CarriedCall, Connection } from "./connection.ts";
import { declaredBytes, keepsConnection, requestHead } from "./request-head.ts";
import { Upload, type UploadEvents, writeJoined } from "./upload.ts";

/** Whose call it is. */
export interface CallOwner {
  /** It waits no more. */
  forget(call: PooledCall): void;
  /** It is over. */
  ended(): void;
}

export class PooledCall implements Call, CarriedCall, UploadEvents, Queued<PooledCall> {
  readonly #owner: CallOwner;
  readonly #request: CallRequest;
  readonly #events: CallEvents;
  readonly #upload: Upload | null;
  #isOver = false;
  connection: Connection | null = null;
  previous: PooledCall | null = null;
  next: PooledCall | null = null;

  constructor(owner: CallOwner, request: CallRequest, events: CallEvents) {
    this.#owner = owner;
    this.#request = request;
    this.#events = events;
    const { body } = request;
    this.#upload =
      body === null || Buffer.isBuffer(body) ? null : new Upload(body, declaredBytes(request), this);
  }

  get method(): string {
    return this.#request.method;
  }

  get maySwitch(): boolean {
    return this.#request.upgrade !== null;
  }

  get hasBody(): boolean {
    return this.#request.body !== null;
  }

  get keepsConnection(): boolean {
    // An answer to half an upload: the other half is not worth sending, and would be in the next one's way.
    return keepsConnection(this.#request) && (this.#upload === null || this.#upload.isDone);
  }

  write(socket: Socket): void {
    const head = requestHead(this.#request);
    if (this.#upload !== null) this.#upload.begin(socket, head);
    else {
      writeJoined(socket, head, this.#request.body as Buffer | null);
      this.#events.onUploaded();
    }
  }

  abort(error: Error): void {
    if (this.#isOver) return;
    this.connection?.destroy();
    this.onFailed(error);
  }

  pause(): void {
    if (!this.#isOver) this.connection?.pause();
  }

  resume(): void {
    if (!this.#isOver) this.connection?.resume();
  }

  onSent(): void {
    this.#events.onSent();
  }

  onUploading(): void {
    if (!this.#isOver) this.#events.onUploading();
  }

  onUploaded(): void {
    if (!this.#isOver) this.#events.onUploaded();
  }

  onUploadFailed(error: Error): void {
    this.abort(error);
  }

  onInterim(head: AnswerHead): void {
    this.#events.onInterim(head);
  }

  onHead(head: AnswerHead): void {
    this.#events.onHead(head);
  }

  onData(chunk: Buffer): void {
    this.#events.onData(chunk);
  }

  onEnd(rawTrailers: readonly string[]): void {
    if (this.#finish()) this.#events.onEnd(rawTrailers);
  }

  onSwitch(head: AnswerHead, socket: Socket): void {
    if (this.#finish()) this.#events.onSwitch(head, socket);
    else socket.destroy();
  }

  onFailed(error: Error): void {
    if (this.#finish()) this.#events.onFailed(error);
  }

  /** False: it was over before. */
  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#upload?.stop();
    if (this.connection === null) this.#owner.forget(this);
    this.#owner.ended();
    return true;
  }
}
