/** One request to one backend: undici's callbacks on one side, a sink for the answer on the other. */

import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { Failure } from "../model/failures.ts";
import type { HostPolicy } from "../model/ruleset.ts";
import type { BackendClient } from "./backend-client.ts";
import { failureOf, ProxyError } from "./classify.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";

/** Of an answer that nobody wants, so much is read to keep the connection; beyond it the connection is cut. */
const MAX_DISCARDED_BYTES = 64 * 1024;
/** Longest silence of a client within its body. */
const BODY_STALL_MS = 30_000;

/** A body on its way from the client. */
export interface ClientBody extends Readable {
  /** All that came has been passed on, and more is to come. */
  readonly waitsForClient: boolean;
}

/** Takes an answer. Every call but `head` comes only after a head that was wanted. */
export interface Sink {
  /** False: the answer is not wanted; its body is thrown away. */
  head(status: number, reasonPhrase: string, rawHeaders: readonly string[]): boolean;
  /** False: wait with more until the flow is resumed. */
  data(chunk: Buffer): boolean;
  end(): void;
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
  /** Dispatch to answer head; null: none came. */
  readonly headMs: number | null;
  /** Dispatch to the end of it all. */
  readonly totalMs: number;
  /** The sink took the head: the answer is on its way to someone. */
  readonly wanted: boolean;
}

export interface LegRequest {
  readonly method: string;
  readonly target: string;
  /** Flat; becomes the leg's own: Host is put in front. */
  readonly headers: string[];
  /** The Host that the client sent; "" without one. */
  readonly clientHost: string;
  readonly body: ClientBody | Buffer | null;
  readonly headTimeoutMs: number;
}

/** What a leg needs of its thread. */
export interface LegTools {
  readonly deadlines: Deadlines;
  readonly nowMs: () => number;
}

export class Leg implements Dispatcher.DispatchHandler, Flow {
  readonly outcome: Promise<LegOutcome>;
  readonly #settle: (outcome: LegOutcome) => void;
  readonly #sink: Sink;
  readonly #tools: LegTools;
  readonly #begunMs: number;
  readonly #headDeadline: Deadline;
  #clientStalledMs = 0;
  #over: () => void = () => {};
  #controller: Dispatcher.DispatchController | null = null;
  #status: number | null = null;
  #headMs: number | null = null;
  #wanted = false;
  #discardedBytes = 0;
  #settled = false;
  #abortedWith: ProxyError | null = null;

  constructor(client: BackendClient, request: LegRequest, sink: Sink, tools: LegTools) {
    const { promise, resolve } = Promise.withResolvers<LegOutcome>();
    this.outcome = promise;
    this.#settle = resolve;
    this.#sink = sink;
    this.#tools = tools;
    this.#begunMs = tools.nowMs();
    this.#headDeadline = tools.deadlines.set(request.headTimeoutMs, () => this.#headIsDue(request));
    try {
      client.dispatch(
        { method: request.method, path: request.target, headers: request.headers, body: request.body },
        (host) => request.headers.unshift("host", hostFor(client.backend.host, request.clientHost, host)),
        (over) => {
          this.#over = over;
          return this;
        },
      );
    } catch (error) {
      this.#fail(failureOf(error));
    }
  }

  /** Ends the leg: its failure is the error's. Does nothing once it has ended. */
  abort(error: ProxyError): void {
    if (this.#settled && !this.#discarding) return;
    this.#abortedWith = error;
    // Waiting for a connection it has no controller yet: it is ended when its turn comes.
    if (this.#controller === null) this.#fail(error.failure);
    else this.#controller.abort(error);
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abortedWith !== null) controller.abort(this.#abortedWith);
  }

  onBodySent(): void {
    // An upload that makes progress is no silence of the backend.
    this.#clientStalledMs = 0;
    if (this.#status === null) this.#headDeadline.refresh();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    reasonPhrase = "",
  ): void {
    if (status < 200) return;
    this.#headDeadline.clear();
    this.#status = status;
    this.#headMs = this.#tools.nowMs() - this.#begunMs;
    try {
      this.#wanted = this.#sink.head(status, reasonPhrase, rawTexts(controller.rawHeaders));
    } catch (error) {
      // node:http refuses to write what undici was ready to read: a malformed head is the backend's fault.
      controller.abort(new ProxyError("http_protocol_error", String(error)));
      return;
    }
    if (!this.#wanted) this.#finish(null);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#wanted) {
      if (!this.#sink.data(chunk)) controller.pause();
      return;
    }
    this.#discardedBytes += chunk.length;
    if (this.#discardedBytes > MAX_DISCARDED_BYTES) {
      controller.abort(new ProxyError("connection_terminated", "an unwanted answer was too large to read"));
    }
  }

  onResponseEnd(): void {
    this.#over();
    if (this.#settled) return;
    this.#sink.end();
    this.#finish(null);
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#over();
    if (this.#settled) return;
    if (this.#endedByItsHead(error)) {
      this.#sink.end();
      this.#finish(null);
      return;
    }
    this.#fail(failureOf(error));
  }

  /** A backend that waits for the client's body is not the one that is silent. */
  #headIsDue({ body, headTimeoutMs }: LegRequest): void {
    if (body === null || !("waitsForClient" in body) || !body.waitsForClient) {
      this.abort(new ProxyError("http_response_timeout", "no answer head in time"));
      return;
    }
    this.#clientStalledMs += headTimeoutMs;
    if (this.#clientStalledMs < BODY_STALL_MS) this.#headDeadline.refresh();
    else this.abort(new ProxyError("http_request_error", "the client's body stalled"));
  }

  get #discarding(): boolean {
    return this.#status !== null && !this.#wanted;
  }

  /** undici reports a legal Content-Length on 204 and 304 as a mismatch: the answer was whole. */
  #endedByItsHead(error: Error): boolean {
    return (
      (this.#status === 204 || this.#status === 304) &&
      "code" in error &&
      error.code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"
    );
  }

  #fail(failure: Failure): void {
    if (this.#settled) return;
    // After the head, an answer that breaks off is incomplete, whatever broke it.
    const shown =
      this.#status !== null && failure === "connection_terminated" ? "http_response_incomplete" : failure;
    if (this.#wanted) this.#sink.cut(shown);
    this.#finish(shown);
  }

  #finish(failure: Failure | null): void {
    this.#settled = true;
    this.#headDeadline.clear();
    this.#settle({
      status: this.#status,
      failure,
      headMs: this.#headMs,
      totalMs: this.#tools.nowMs() - this.#begunMs,
      wanted: this.#wanted,
    });
  }
}

function hostFor(policy: HostPolicy, clientHost: string, endpointHost: string): string {
  if (policy.kind === "name") return policy.name;
  // HTTP/1.0 clients may leave Host out; a backend needs one.
  return policy.kind === "backend" || clientHost === "" ? endpointHost : clientHost;
}

function rawTexts(raw: unknown): string[] {
  const texts: string[] = [];
  if (!Array.isArray(raw)) return texts;
  for (const text of raw) texts.push(typeof text === "string" ? text : (text as Buffer).toString("latin1"));
  return texts;
}
