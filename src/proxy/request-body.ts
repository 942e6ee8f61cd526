/** A client's body on its way to a backend, and its copy for those who want to send it again. */

import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { Decision } from "../model/decide.ts";
import { findHeader } from "../model/facts.ts";
import { Capture } from "./capture.ts";
import { ProxyError } from "./classify.ts";
import type { RouteRoom } from "./desk.ts";
import type { ClientBody } from "./leg.ts";

/** A body that fallback may have to send again is kept up to this size. */
const MAX_REPLAY_BYTES = 256 * 1024;

export class RequestBody {
  readonly #req: IncomingMessage;
  readonly #copy: Capture | null;
  #bytes = 0;
  /** True: the client sent it whole. False: it left before that. */
  readonly whole: Promise<boolean>;

  constructor(req: IncomingMessage, copyBytes: number | null) {
    this.#req = req;
    this.#copy = copyBytes === null ? null : new Capture(copyBytes);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.whole = promise;
    req.on("data", (chunk: Buffer) => {
      this.#bytes += chunk.length;
      this.#copy?.push(chunk);
    });
    req.on("end", () => resolve(true));
    req.on("close", () => resolve(false));
    req.pause();
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** So far; a body that grows too long is no longer kept. */
  get keepsCopy(): boolean {
    return this.#copy !== null && !this.#copy.overflowed;
  }

  /** The body as it came. For one leg only. */
  stream(): ClientBody {
    return new BodyStream(this.#req, this.whole);
  }

  /** The whole body once it is there; null: it was not kept, was too large, or never came whole. */
  async copy(): Promise<Buffer | null> {
    if (!(await this.whole)) return null;
    const chunks = this.#copy?.chunks ?? null;
    return chunks === null ? null : Buffer.concat(chunks);
  }
}

/** The request's body where it has one; a copy is kept for a shadow or a fallback that may want it. */
export function receiveBody(
  req: IncomingMessage,
  room: RouteRoom | null,
  decision: Decision,
  shadow: { readonly maxBodyBytes: number } | null,
): RequestBody | null {
  if (!bringsBody(req)) return null;
  const mayFallBack = room !== null && decision.side === "new" && room.compiled.route.fallback !== null;
  const copyBytes = Math.max(shadow?.maxBodyBytes ?? 0, mayFallBack ? MAX_REPLAY_BYTES : 0);
  return new RequestBody(req, shadow === null && !mayFallBack ? null : copyBytes);
}

function bringsBody(req: IncomingMessage): boolean {
  const length = findHeader(req.rawHeaders, "content-length");
  if (length !== undefined) return Number(length) !== 0;
  return findHeader(req.rawHeaders, "transfer-encoding") !== undefined;
}

/**
 * Stands between the client's socket and undici, because undici destroys a body whose request failed: given
 * the request itself, a refused backend connection would cut the client off instead of answering it.
 */
class BodyStream extends Readable implements ClientBody {
  readonly #req: IncomingMessage;
  #asked = false;

  constructor(req: IncomingMessage, whole: Promise<boolean>) {
    super({ highWaterMark: req.readableHighWaterMark });
    this.#req = req;
    req.on("data", (chunk: Buffer) => {
      this.#asked = false;
      if (!this.destroyed && !this.push(chunk)) req.pause();
    });
    whole.then((isWhole) => {
      if (isWhole) this.push(null);
      // A body that ends short is the client's fault, never the backend's.
      else this.destroy(new ProxyError("client_gone", "the client left before its body ended"));
    });
  }

  get waitsForClient(): boolean {
    return this.#asked && this.readableLength === 0 && !this.readableEnded;
  }

  override _read(): void {
    this.#asked = true;
    this.#req.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // Whatever is still to come is read and thrown away, so that the client can go on to read its answer.
    this.#req.resume();
    done(error);
  }
}
