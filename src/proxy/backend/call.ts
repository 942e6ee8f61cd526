/** One request to a backend as its two ends know it: who asks, and whoever carries it. */

import type { Socket } from "node:net";
import type { AnswerHead } from "./answer-head.ts";

export interface CallRequest {
  readonly method: string;
  readonly target: string;
  /** Flat; Host, Connection and the framing of the body are the client's to add. */
  readonly headers: readonly string[];
  readonly host: string;
  readonly body: PushedBody | Buffer | null;
  /** A protocol to switch to; null: an ordinary request. */
  readonly upgrade: string | null;
}

/** A body that is still on its way, for one taker at a time. */
export interface PushedBody {
  /** The taker hears of a break from now on, after this returns; of the body only once it asks. */
  giveTo(taker: BodyTaker): void;
  /** It takes the body, or more of it. What is there already is handed over before this returns. */
  ask(): void;
  /** It wants no more. Where it never asked, another may take the body; else the rest is thrown away. */
  leave(): void;
  /** All that came has been handed over, and more is to come. */
  readonly waitsForClient: boolean;
}

/** Takes a body. After `onBodyEnd` or `onBodyBroken` nothing follows. */
export interface BodyTaker {
  /** False: wait with more until it asks. */
  onBody(chunk: Buffer): boolean;
  onBodyEnd(): void;
  /** It ends before its end. */
  onBodyBroken(error: Error): void;
}

/** What becomes of a call. After `onEnd`, `onSwitch` or `onFailed` nothing follows. */
export interface CallEvents {
  /** A connection is there, and the request is about to be written. */
  onSent(): void;
  /** A part of the body was handed over. */
  onUploading(): void;
  /** All of the request was handed over. */
  onUploaded(): void;
  onInterim(head: AnswerHead): void;
  onHead(head: AnswerHead): void;
  /** The chunk and the memory that it lies in are the receiver's: nobody else looks at them later. */
  onData(chunk: Buffer): void;
  onEnd(rawTrailers: readonly string[]): void;
  /** The backend switched protocols: the socket is the receiver's, with what came already put back into it. */
  onSwitch(head: AnswerHead, socket: Socket): void;
  onFailed(error: Error): void;
}

/** A call on its way. */
export interface Call {
  /** Ends it: its connection too, where it has one. `onFailed` is called with this error, before this returns. */
  abort(error: Error): void;
  /** No more `onData` than what was read already. */
  pause(): void;
  resume(): void;
}
