/** What goes into a leg and what comes out of it. */

import type { Duplex } from "node:stream";
import type { Failure } from "../model/failures.ts";
import type { PushedBody } from "./backend/call.ts";
import type { Deadlines } from "./deadlines.ts";

/** Takes an answer. Every call but `interim` and `head` comes only after a head that was wanted. */
export interface Sink {
  /** An interim answer (102, 103 …), before the head. */
  interim?(status: number, reasonPhrase: string, rawHeaders: readonly string[]): void;
  /** False: the answer is not wanted; its body is thrown away. */
  head(status: number, reasonPhrase: string, rawHeaders: readonly string[]): boolean;
  /** False: wait with more until the flow is resumed. */
  data(chunk: Buffer): boolean;
  /** `rawTrailers`: flat, as received. */
  end(rawTrailers: readonly string[]): void;
  /** The backend switched protocols. False: not to what was asked for. Absent: nothing was. */
  switched?(rawHeaders: readonly string[], socket: Duplex): boolean;
  /** The answer broke off after its head. */
  cut(failure: Failure): void;
}

/** Lets a sink hold the answer back while its reader is slow. */
export interface Flow {
  resume(): void;
}

export interface LegOutcome {
  /** Null: no answer came. */
  readonly status: number | null;
  /** Null: the answer came whole (or as far as it was wanted). */
  readonly failure: Failure | null;
  /** Dispatch, or the end of the upload, to answer head; null: none came. */
  readonly headMs: number | null;
  /** The same to the end of it all; 0: the request never was whole at the backend. */
  readonly waitedMs: number;
  /** Dispatch to the end of it all. */
  readonly totalMs: number;
  /** The sink took the head: the answer is on its way to someone. */
  readonly wanted: boolean;
  /** A connection was there, so that something of the request may have reached the backend. */
  readonly isSent: boolean;
}

export interface LegRequest {
  readonly method: string;
  readonly target: string;
  /** Flat; becomes the leg's own: Host is put in front. */
  readonly headers: string[];
  /** The Host that the client sent; "" without one. */
  readonly clientHost: string;
  readonly body: PushedBody | Buffer | null;
  readonly headTimeoutMs: number;
  /** A protocol to switch to; null: an ordinary request. */
  readonly upgrade: string | null;
  /** As in its traceparent: 16 hex digits. */
  readonly spanId: string;
}

/** What a leg needs of its thread. */
export interface LegTools {
  readonly deadlines: Deadlines;
  readonly nowMs: () => number;
}
