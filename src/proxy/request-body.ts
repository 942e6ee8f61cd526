/** A client's body on its way to a backend, and its copy for those who want to send it again. */

import type { IncomingMessage } from "node:http";
import type { Decision } from "../model/decide.ts";
import { findHeader } from "../model/facts.ts";
import { IDEMPOTENT_METHODS } from "../model/methods.ts";
import type { Limits } from "../model/ruleset.ts";
import type { BodyTaker, PushedBody } from "./backend/call.ts";
import { Capture } from "./capture.ts";
import { ProxyError } from "./classify.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";
import type { RouteRoom } from "./rooms.ts";

/** A body that fallback may have to send again is kept up to this size. */
const MAX_REPLAY_BYTES = 256 * 1024;
/** The same for one that only a stale connection could want again, which is rare. */
const MAX_RETRY_BYTES = 64 * 1024;

/** What a client's body did that a request is refused for: nobody's fault but the client's. */
export interface BodyFault {
  readonly status: 408 | 413;
  readonly detail: string;
}

const TOO_LARGE: BodyFault = { status: 413, detail: "the body is larger than this gateway or route takes" };
const STALLED: BodyFault = { status: 408, detail: "the body took too long to arrive" };

interface BodyLimits {
  /** What the body itself says; 0: it does not. */
  readonly declaredBytes: number;
  readonly maxBytes: number;
  readonly stallMs: number;
}

/**
 * Stands between the client's socket and the call: given the request itself, a call that ends would cut the client off
 * instead of answering it.
 */
export class RequestBody implements PushedBody {
  readonly #req: IncomingMessage;
  readonly #copy: Capture | null;
  readonly #limits: BodyLimits;
  readonly #deadlines: Deadlines;
  /** Null: nothing was waited for yet. */
  #stall: Deadline | null = null;
  #taker: BodyTaker | null = null;
  #wasAsked = false;
  /** It comes by events. */
  #isFlowing = false;
  /** Nobody wants more at the moment. */
  #isHeld = true;
  #bytes = 0;
  /** True: the client sent it whole. False: it left before that, or was cut off for a fault. Null: it is on its way. */
  #isWhole: boolean | null = null;
  #whole: PromiseWithResolvers<boolean> | null = null;
  #fault: BodyFault | null = null;
  /** Told of the body's one fault, where it has one. */
  onFault: (fault: BodyFault) => void = () => {};

  constructor(req: IncomingMessage, copyBytes: number | null, limits: BodyLimits, deadlines: Deadlines) {
    this.#req = req;
    this.#copy = copyBytes === null ? null : new Capture(copyBytes);
    this.#limits = limits;
    this.#deadlines = deadlines;
    req.on("close", () => this.#end(false));
    // By its own word: known before anything of it was forwarded.
    if (limits.declaredBytes > limits.maxBytes) this.#blame(TOO_LARGE);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Null: none so far. */
  get fault(): BodyFault | null {
    return this.#fault;
  }

  /** So far; a body that grows too long is no longer kept. */
  get keepsCopy(): boolean {
    return this.#copy !== null && !this.#copy.overflowed;
  }

  /** True: the client sent it whole. False: it left before that, or was cut off for a fault. */
  get whole(): Promise<boolean> {
    if (this.#isWhole !== null) return Promise.resolve(this.#isWhole);
    this.#whole ??= Promise.withResolvers();
    return this.#whole.promise;
  }

  get waitsForClient(): boolean {
    return this.#wasAsked && !this.#isHeld && this.#isWhole === null;
  }

  giveTo(taker: BodyTaker): void {
    this.#taker = taker;
    if (this.#isWhole === false) queueMicrotask(() => taker.onBodyBroken(shortBodyError(this)));
  }

  ask(): void {
    this.#wasAsked = true;
    if (this.#isWhole === true) this.#taker?.onBodyEnd();
    else if (this.#isFlowing || !this.#req.complete || this.#req.destroyed) this.resume();
    else this.#takeWhole();
  }

  leave(): void {
    this.#taker = null;
    // So that the client can go on to read its answer. Where nobody asked, another leg may still want it.
    if (this.#wasAsked) this.resume();
  }

  /** The client is waited for again: its silence counts from now. */
  resume(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    if (this.#isWhole === null) {
      if (this.#stall !== null) this.#stall.refresh();
      else this.#stall = this.#deadlines.set(this.#limits.stallMs, () => this.#isSilent());
    }
    if (!this.#isFlowing) {
      this.#isFlowing = true;
      this.#req.on("data", (chunk: Buffer) => this.#take(chunk));
      this.#req.on("end", () => this.#end(true));
    }
    this.#req.resume();
  }

  /** The whole body once it is there; null: it was not kept, was too large, or never came whole. */
  async copy(): Promise<Buffer | null> {
    if (!(await this.whole)) return null;
    const chunks = this.#copy?.chunks ?? null;
    return chunks === null ? null : Buffer.concat(chunks);
  }

  /** All of it is here. Node's stream would pass it on by events, in turns of its own. */
  #takeWhole(): void {
    this.#isHeld = false;
    while (!this.#isHeld && this.#isWhole === null) {
      const chunk: Buffer | null = this.#req.read();
      if (chunk === null) this.#end(true);
      else this.#take(chunk);
    }
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#isWhole !== null) return; // read to be thrown away
    this.#stall?.refresh();
    if (this.#bytes > this.#limits.maxBytes) {
      this.#blame(TOO_LARGE);
      return;
    }
    this.#copy?.push(chunk);
    if (this.#taker === null || this.#taker.onBody(chunk)) return;
    this.#isHeld = true;
    this.#req.pause();
  }

  #end(whole: boolean): void {
    if (this.#isWhole !== null) return;
    this.#isWhole = whole;
    this.#stall?.clear();
    this.#whole?.resolve(whole);
    // A body that ends short is the client's fault, never the backend's.
    if (whole) this.#taker?.onBodyEnd();
    else this.#taker?.onBodyBroken(shortBodyError(this));
  }

  /** While nobody reads on, the client cannot be blamed: it is a backend that is slow. */
  #isSilent(): void {
    if (this.#isHeld) this.#stall?.refresh();
    else this.#blame(STALLED);
  }

  #blame(fault: BodyFault): void {
    if (this.#isWhole !== null) return;
    this.#fault = fault;
    this.onFault(fault);
    this.#end(false);
  }
}

/** The request's body where it has one; a copy is kept for those that may want to send it again. */
export function receiveBody(
  req: IncomingMessage,
  room: RouteRoom | null,
  decision: Decision,
  shadow: { readonly maxBodyBytes: number } | null,
  limits: Limits,
  deadlines: Deadlines,
): RequestBody | null {
  const declared = findHeader(req.rawHeaders, "content-length");
  const declaredBytes = Number(declared ?? 0);
  const isChunked = declared === undefined && findHeader(req.rawHeaders, "transfer-encoding") !== undefined;
  if (declaredBytes === 0 && !isChunked) return null;
  const mayFallBack = room !== null && decision.side === "new" && room.compiled.route.fallback !== null;
  const copyBytes = Math.max(
    shadow?.maxBodyBytes ?? 0,
    mayFallBack ? MAX_REPLAY_BYTES : 0,
    IDEMPOTENT_METHODS.has(req.method as string) ? MAX_RETRY_BYTES : 0,
  );
  const maxBytes = room?.compiled.route.maxBodyBytes ?? limits.maxBodyBytes;
  const kept = shadow === null && copyBytes === 0 ? null : copyBytes;
  return new RequestBody(
    req,
    kept,
    { declaredBytes, maxBytes, stallMs: limits.bodyStallTimeoutMs },
    deadlines,
  );
}

function shortBodyError({ fault }: RequestBody): ProxyError {
  return fault === null
    ? new ProxyError("client_gone", "the client left before its body ended")
    : new ProxyError("http_request_error", fault.detail);
}
