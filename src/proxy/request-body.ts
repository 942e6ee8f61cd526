/** A client's body on its way to a backend, and its copy for those who want to send it again. */

import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { Decision } from "../model/decide.ts";
import { findHeader } from "../model/facts.ts";
import { IDEMPOTENT_METHODS } from "../model/methods.ts";
import type { Limits } from "../model/ruleset.ts";
import { Capture } from "./capture.ts";
import { ProxyError } from "./classify.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";
import type { ClientBody } from "./leg-shapes.ts";
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
  readonly maxBytes: number;
  readonly stallMs: number;
}

export class RequestBody {
  readonly #req: IncomingMessage;
  readonly #copy: Capture | null;
  readonly #maxBytes: number;
  readonly #stall: Deadline;
  #bytes = 0;
  #ended = false;
  #fault: BodyFault | null = null;
  /** True: the client sent it whole. False: it left before that, or was cut off for a fault. */
  readonly whole: Promise<boolean>;
  readonly #setWhole: (whole: boolean) => void;
  /** Told of the body's one fault, where it has one. */
  onFault: (fault: BodyFault) => void = () => {};

  constructor(req: IncomingMessage, copyBytes: number | null, limits: BodyLimits, deadlines: Deadlines) {
    this.#req = req;
    this.#copy = copyBytes === null ? null : new Capture(copyBytes);
    this.#maxBytes = limits.maxBytes;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.whole = promise;
    this.#setWhole = resolve;
    this.#stall = deadlines.set(limits.stallMs, () => this.#isSilent());
    req.on("data", (chunk: Buffer) => this.#take(chunk));
    req.on("end", () => this.#end(true));
    req.on("close", () => this.#end(false));
    req.pause();
    // By its own word: known before anything of it was forwarded.
    if (declaredBytes(req) > limits.maxBytes) this.#blame(TOO_LARGE);
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

  /** The body as it came. For one leg only, unless that never asked for it. */
  stream(): ClientBody {
    return new BodyStream(this.#req, this);
  }

  /** The client is waited for again: its silence counts from now. */
  resume(): void {
    if (!this.#req.isPaused()) return;
    if (!this.#ended) this.#stall.refresh();
    this.#req.resume();
  }

  /** The whole body once it is there; null: it was not kept, was too large, or never came whole. */
  async copy(): Promise<Buffer | null> {
    if (!(await this.whole)) return null;
    const chunks = this.#copy?.chunks ?? null;
    return chunks === null ? null : Buffer.concat(chunks);
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#ended) return; // read to be thrown away
    this.#stall.refresh();
    if (this.#bytes > this.#maxBytes) this.#blame(TOO_LARGE);
    else this.#copy?.push(chunk);
  }

  #end(whole: boolean): void {
    this.#ended = true;
    this.#stall.clear();
    this.#setWhole(whole);
  }

  /** While nobody reads on, the client cannot be blamed: it is a backend that is slow. */
  #isSilent(): void {
    if (this.#req.isPaused()) this.#stall.refresh();
    else this.#blame(STALLED);
  }

  #blame(fault: BodyFault): void {
    if (this.#ended) return;
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
  if (!bringsBody(req)) return null;
  const mayFallBack = room !== null && decision.side === "new" && room.compiled.route.fallback !== null;
  const copyBytes = Math.max(
    shadow?.maxBodyBytes ?? 0,
    mayFallBack ? MAX_REPLAY_BYTES : 0,
    IDEMPOTENT_METHODS.has(req.method as string) ? MAX_RETRY_BYTES : 0,
  );
  const maxBytes = room?.compiled.route.maxBodyBytes ?? limits.maxBodyBytes;
  const kept = shadow === null && copyBytes === 0 ? null : copyBytes;
  return new RequestBody(req, kept, { maxBytes, stallMs: limits.bodyStallTimeoutMs }, deadlines);
}

function bringsBody(req: IncomingMessage): boolean {
  const length = findHeader(req.rawHeaders, "content-length");
  if (length !== undefined) return Number(length) !== 0;
  return findHeader(req.rawHeaders, "transfer-encoding") !== undefined;
}

/** 0 where the body does not say. */
function declaredBytes(req: IncomingMessage): number {
  return Number(findHeader(req.rawHeaders, "content-length") ?? 0);
}

/**
 * Stands between the client's socket and the call, which destroys a body that is no longer wanted: given the request
 * itself, a refused backend connection would cut the client off instead of answering it.
 */
class BodyStream extends Readable implements ClientBody {
  readonly #req: IncomingMessage;
  readonly #body: RequestBody;
  #asked = false;
  #everAsked = false;

  constructor(req: IncomingMessage, body: RequestBody) {
    super({ highWaterMark: req.readableHighWaterMark });
    this.#req = req;
    this.#body = body;
    req.on("data", (chunk: Buffer) => {
      this.#asked = false;
      if (!this.destroyed && body.fault === null && !this.push(chunk)) req.pause();
    });
    body.whole.then((isWhole) => {
      if (isWhole) this.push(null);
      // A body that ends short is the client's fault, never the backend's.
      else this.destroy(shortBodyError(body));
    });
  }

  get waitsForClient(): boolean {
    return this.#asked && this.readableLength === 0 && !this.readableEnded;
  }

  override _read(): void {
    this.#asked = true;
    this.#everAsked = true;
    this.#body.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // Whatever is still to come is read and thrown away, so that the client can go on to read its answer. Nothing
    // came yet where nobody asked: another leg may still want it.
    if (this.#everAsked) this.#req.resume();
    done(error);
  }
}

function shortBodyError({ fault }: RequestBody): ProxyError {
  return fault === null
    ? new ProxyError("client_gone", "the client left before its body ended")
    : new ProxyError("http_request_error", fault.detail);
}
