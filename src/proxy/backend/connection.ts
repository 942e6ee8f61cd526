/** One connection to a backend: one call at a time, and what may go wrong with it. */

import type { Socket } from "node:net";
import { ProxyError } from "../classify.ts";
import type { Deadline, Deadlines } from "../deadlines.ts";
import type { AnswerHead } from "./answer-head.ts";
import { type AnswerEvents, AnswerReader } from "./answer-reader.ts";
import type { CallEvents } from "./call.ts";
import type { Dialled } from "./connect.ts";
import { onFailedWrite } from "./failed-writes.ts";

/** Without a hint of the backend's: stale sockets are cheap to avoid. */
const KEEP_ALIVE_MS = 4_000;
const KEEP_ALIVE_MAX_MS = 55_000;
/** Less than the backend says: its clock began before ours, and the way takes time. */
const KEEP_ALIVE_MARGIN_MS = 2_000;

export interface ConnectionTimes {
  readonly connectMs: number;
  /** Between two parts of an answer's body. */
  readonly stallMs: number;
}

/** Who holds connections. */
export interface ConnectionOwner {
  onConnected(): void;
  /** It can be asked: it was made, or a call has left it usable. */
  onIdle(connection: Connection): void;
  /** One that had served before took a request and ended without a byte: the backend had closed it meanwhile. */
  onStale(): void;
  /** Once: it is no more, or no more the owner's. `unreachable`: why it could not be made; null: that is not why. */
  onGone(connection: Connection, unreachable: Error | null): void;
}

/** A call as its connection knows it. */
export interface CarriedCall extends CallEvents {
  readonly method: string;
  readonly maySwitch: boolean;
  readonly hasBody: boolean;
  /** Whether the connection may carry another after it; asked when the answer has ended. */
  readonly keepsConnection: boolean;
  /** Writes the request. */
  write(socket: Socket): void;
}

export class Connection implements AnswerEvents {
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #deadlines: Deadlines;
  readonly #times: ConnectionTimes;
  readonly #isTls: boolean;
  readonly #reader = new AnswerReader(this);
  #call: CarriedCall | null = null;
  /** It can carry calls, or could. */
  isReady = false;
  #hasServed = false;
  #isGone = false;
  #keepAliveMs = KEEP_ALIVE_MS;
  /** Of the connecting, then of being idle. */
  #waits: Deadline;
  /** Set once an answer's body does not come with its head. */
  #stall: Deadline | null = null;
  #hasHead = false;
  #isPaused = false;
  #outlivesWrites = false;
  /** What was written last did not go out, and nothing more will. */
  #isBroken = false;

  constructor(
    { socket, ready }: Dialled,
    owner: ConnectionOwner,
    deadlines: Deadlines,
    times: ConnectionTimes,
  ) {
    this.#socket = socket;
    this.#isTls = ready === "secureConnect";
    this.#owner = owner;
    this.#deadlines = deadlines;
    this.#times = times;
    this.#waits = deadlines.set(times.connectMs, () =>
      this.#lose(new ProxyError("connection_timeout", `no connection within ${times.connectMs} ms`)),
    );
    socket.unref(); // clients and threads keep the process alive, not what stands by for them
    socket.on(ready, this.#onReady);
    socket.on("data", this.#onBytes);
    socket.on("end", this.#onSocketEnd);
    socket.on("error", this.#onSocketError);
    socket.on("close", this.#onSocketClose);
  }

  /** Asks; the connection must be idle. */
  carry(call: CarriedCall): void {
    this.#waits.clear();
    this.#call = call;
    this.#hasHead = false;
    this.#reader.expect(call.method, call.maySwitch);
    if (call.hasBody && !this.#outlivesWrites) {
      this.#outlivesWrites = true;
      onFailedWrite(this.#socket, this.#livesOn);
    }
    call.onSent();
    if (this.#call === call) call.write(this.#socket);
  }

  /** Ends the connection, and nobody is told but its owner. */
  destroy(): void {
    this.#call = null;
    this.#leave(null);
    this.#socket.destroy();
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isGone) this.#stall?.refresh();
    this.#socket.resume();
  }

  onInterim(head: AnswerHead): void {
    this.#call?.onInterim(head);
  }

  onHead(head: AnswerHead): void {
    this.#hasHead = true;
    this.#keepAliveMs =
      head.keepAliveMs === null
        ? KEEP_ALIVE_MS
        : Math.min(head.keepAliveMs - KEEP_ALIVE_MARGIN_MS, KEEP_ALIVE_MAX_MS);
    this.#call?.onHead(head);
  }

  onData(chunk: Buffer): void {
    this.#call?.onData(chunk);
  }

  onEnd(rawTrailers: readonly string[], keepsConnection: boolean): void {
    const call = this.#takeCall();
    const isKept =
      keepsConnection && this.#keepAliveMs > 0 && call?.keepsConnection === true && this.#hasWritten;
    this.#hasServed = true;
    if (isKept) this.#rest();
    else this.destroy();
    call?.onEnd(rawTrailers);
  }

  onSwitch(head: AnswerHead, rest: Buffer): void {
    const call = this.#takeCall();
    const socket = this.#socket;
    this.#leave(null);
    socket.off("data", this.#onBytes);
    socket.off("end", this.#onSocketEnd);
    socket.off("close", this.#onSocketClose);
    socket.pause();
    socket.ref();
    if (rest.length > 0) socket.unshift(rest);
    call?.onSwitch(head, socket); // with "error" heard still: "close" follows
  }

  onFault(why: string): void {
    this.#lose(new ProxyError("http_protocol_error", why));
  }

  readonly #onReady = (): void => {
    if (this.#isGone) return;
    this.#socket.unref(); // again: of a name's addresses the first may have refused, and the next is a new handle
    this.isReady = true;
    this.#owner.onConnected();
    this.#rest();
  };

  readonly #onBytes = (bytes: Buffer): void => {
    this.#reader.take(bytes);
    if (this.#call === null || !this.#hasHead) return;
    if (this.#stall === null) this.#stall = this.#deadlines.set(this.#times.stallMs, this.#onStall);
    else this.#stall.refresh();
  };

  /** What is read tells what becomes of the call: its answer, or the connection's end. */
  readonly #livesOn = (): boolean => {
    if (!this.#isGone) this.#isBroken = true;
    return !this.#isGone;
  };

  /** A slow client is no silence of the backend's. */
  readonly #onStall = (): void => {
    if (this.#isPaused) this.#stall?.refresh();
    else this.#lose(new ProxyError("connection_read_timeout", "the answer stopped for too long"));
  };

  readonly #onSocketEnd = (): void => {
    if (this.#isGone || this.#reader.takeEnd()) return;
    this.#lose(
      this.#reader.hasBegun
        ? new ProxyError("http_response_incomplete", "the backend ended the connection within its answer")
        : new ProxyError("connection_terminated", "the backend ended the connection"),
    );
  };

  readonly #onSocketError = (error: Error): void => {
    this.#lose(error);
  };

  readonly #onSocketClose = (): void => {
    this.#lose(new ProxyError("connection_terminated", "the connection is closed"));
  };

  #rest(): void {
    if (this.#isPaused) this.resume();
    this.#waits.clear();
    this.#waits = this.#deadlines.set(this.#keepAliveMs, () => this.destroy());
    this.#owner.onIdle(this);
  }

  /**
   * All of the request has left. A backend that answers without having read it may never do so, and the next request
   * would wait behind it. TLS says so a turn of the event loop late: there a rest that is small does not count.
   */
  get #hasWritten(): boolean {
    if (this.#isBroken) return false;
    return this.#isTls ? !this.#socket.writableNeedDrain : this.#socket.writableLength === 0;
  }

  #takeCall(): CarriedCall | null {
    const call = this.#call;
    this.#call = null;
    this.#stall?.clear();
    this.#stall = null;
    return call;
  }

  /** It ends, whoever's fault it is: its call fails with that. */
  #lose(error: Error): void {
    if (this.#isGone) return;
    const call = this.#takeCall();
    const isStale = call !== null && this.#hasServed && !this.#reader.hasBegun;
    this.#leave(this.isReady ? null : error);
    this.#socket.destroy();
    if (isStale) this.#owner.onStale();
    call?.onFailed(error);
  }

  #leave(unreachable: Error | null): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#reader.stop();
    this.#waits.clear();
    this.#stall?.clear();
    this.#owner.onGone(this, unreachable);
  }
}
