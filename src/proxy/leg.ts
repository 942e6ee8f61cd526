/** One request to one backend: undici's callbacks on one side, a sink for the answer on the other. */

import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import { findHeader } from "../model/facts.ts";
import type { Failure } from "../model/failures.ts";
import type { HostPolicy } from "../model/ruleset.ts";
import { framingFault, namesBody, reasonFault } from "./answer-framing.ts";
import type { BackendClient, Over } from "./backend-client.ts";
import { failureOf, ProxyError } from "./classify.ts";
import type { Deadline } from "./deadlines.ts";
import type { Gated, HeadGate } from "./head-gate.ts";
import type { Flow, LegOutcome, LegRequest, LegTools, Sink } from "./leg-shapes.ts";
import { rawTexts } from "./raw-texts.ts";

/** Of an answer that nobody wants, so much is read to keep the connection; beyond it the connection is cut. */
const MAX_DISCARDED_BYTES = 64 * 1024;

export class Leg implements Dispatcher.DispatchHandler, Flow, Gated {
  readonly outcome: Promise<LegOutcome>;
  readonly #settle: (outcome: LegOutcome) => void;
  readonly #sink: Sink;
  readonly #tools: LegTools;
  readonly #begunMs: number;
  /** Since when the backend has all that it needs, a slow upload being no slow answer; null: it has not yet. */
  #askedMs: number | null;
  readonly #headDeadline: Deadline;
  readonly #wholeDeadline: Deadline | null;
  readonly maySwitch: boolean;
  /** Of the URL that was chosen, such as "http://10.0.0.7:9001"; "": none yet. */
  origin = "";
  #isSent = false;
  #over: Over = () => {};
  #upgraded: (socket: Duplex) => void = () => {};
  #controller: Dispatcher.DispatchController | null = null;
  #status: number | null = null;
  #headMs: number | null = null;
  #wanted = false;
  #discardedBytes = 0;
  #settled = false;
  #abortedWith: ProxyError | null = null;
  /** Null: its connection is not chosen yet, or none of the pool's. */
  #gate: HeadGate | null = null;
  #isReset = false;

  constructor(client: BackendClient, request: LegRequest, sink: Sink, tools: LegTools) {
    const { promise, resolve } = Promise.withResolvers<LegOutcome>();
    this.outcome = promise;
    this.#settle = resolve;
    this.#sink = sink;
    this.#tools = tools;
    this.#begunMs = tools.nowMs();
    this.#askedMs = request.body === null ? this.#begunMs : null;
    this.maySwitch = request.upgrade !== null;
    this.#headDeadline = tools.deadlines.set(
      request.headTimeoutMs,
      () => this.#headIsDue(request),
      this.#begunMs,
    );
    const { requestMs } = client.backend.timeouts;
    this.#wholeDeadline = requestMs === null ? null : tools.deadlines.set(requestMs, () => this.#isDue());
    try {
      client.dispatch(
        {
          method: request.method,
          path: request.target,
          headers: request.headers,
          body: request.body,
          upgrade: request.upgrade,
        },
        (host, origin) => {
          this.origin = origin;
          request.headers.unshift("host", hostFor(client.backend.host, request.clientHost, host));
        },
        (over, upgraded) => {
          this.#over = over;
          this.#upgraded = upgraded;
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
    this.#isSent = true;
    if (this.#abortedWith !== null) controller.abort(this.#abortedWith);
    else this.#gate?.await(this);
  }

  passThrough(gate: HeadGate): void {
    this.#gate = gate;
  }

  connectionReset(): void {
    this.#isReset = true;
  }

  onBodySent(): void {
    // An upload that makes progress is no silence of the backend.
    if (this.#status === null) this.#headDeadline.refresh();
  }

  onRequestSent(): void {
    this.#askedMs ??= this.#tools.nowMs();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    reasonPhrase = "",
  ): void {
    if (status === 101) {
      // Without the fields of a switch: nothing that could follow it would be an answer.
      controller.abort(new ProxyError("http_protocol_error", "a 101 that names no protocol"));
      return;
    }
    const rawHeaders = rawTexts(controller.rawHeaders);
    if (status < 200) {
      this.#sink.interim?.(status, reasonPhrase, rawHeaders);
      return;
    }
    this.#headDeadline.clear();
    const reason = this.#reasonAsSent(reasonPhrase);
    const fault = framingFault(rawHeaders, this.#gate?.isHttp10 ?? false) ?? reasonFault(reason);
    if (fault !== null) {
      controller.abort(new ProxyError("http_protocol_error", fault));
      return;
    }
    this.#status = status;
    // An answer to half a request has not been waited for.
    this.#headMs = this.#waitedMs(this.#tools.nowMs());
    try {
      this.#wanted = this.#sink.head(status, reason, rawHeaders);
    } catch (error) {
      // node:http refuses to write what undici was ready to read: a malformed head is the backend's fault.
      controller.abort(new ProxyError("http_protocol_error", String(error)));
      return;
    }
    if (!this.#wanted) this.#finish(null);
    else if (status === 204 || status === 304) this.#endWithHead(controller, rawHeaders);
  }

  /** A 101 with the fields of a switch: the socket is undici's no more. */
  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    socket: Duplex,
  ): void {
    this.#over();
    socket.on("error", () => {}); // "close" follows
    if (this.#settled) {
      socket.destroy();
      return;
    }
    this.#headMs = this.#tools.nowMs() - this.#begunMs;
    if (status !== 101 || !this.#sink.switched?.(rawTexts(controller.rawHeaders), socket)) {
      socket.destroy();
      this.#fail("http_protocol_error");
      return;
    }
    this.#upgraded(socket);
    this.#status = status;
    this.#wanted = true;
    this.#finish(null);
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

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#over();
    if (this.#settled) return;
    if (this.#isReset) {
      // Without a length the connection's end is the body's end: an orderly one, not a reset.
      this.#fail("http_response_incomplete");
      return;
    }
    const rawTrailers = rawTexts(controller.rawTrailers);
    // The parser heeds `Connection: close` there too, and would then refuse the next answer on the connection.
    if (findHeader(rawTrailers, "connection") !== undefined) this.#gate?.endConnection();
    this.#sink.end(rawTrailers);
    this.#finish(null);
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#over(!this.#isSent && this.#abortedWith === null);
    if (!this.#settled) this.#fail(failureOf(error));
  }

  /** A backend that waits for the client's body is not the one that is silent: the body has its own deadline. */
  #headIsDue({ body }: LegRequest): void {
    const isUpload = body !== null && "waitsForClient" in body && !body.readableEnded;
    if (isUpload && body.waitsForClient) {
      this.#headDeadline.refresh();
      return;
    }
    this.abort(
      isUpload && this.#isSent
        ? new ProxyError("connection_write_timeout", "the backend did not take the body in time")
        : new ProxyError("http_response_timeout", "no answer head in time"),
    );
  }

  #isDue(): void {
    this.abort(new ProxyError("http_response_timeout", "the answer was not whole in time"));
  }

  #waitedMs(nowMs: number): number {
    return this.#askedMs === null ? 0 : nowMs - this.#askedMs;
  }

  get #discarding(): boolean {
    return this.#status !== null && !this.#wanted;
  }

  /**
   * Nothing follows the head of a 204 or 304, whatever length it names (legal on 304). undici waits for it, and
   * a backend that does send it would have it read as the next answer: such a connection is not used again.
   */
  #endWithHead(controller: Dispatcher.DispatchController, rawHeaders: readonly string[]): void {
    if (!namesBody(rawHeaders)) return;
    this.#sink.end([]);
    this.#finish(null);
    controller.abort(new ProxyError("http_protocol_error", "a length where no body can be"));
  }

  /** undici reads the phrase as UTF-8; as bytes it goes on as it came. */
  #reasonAsSent(reasonPhrase: string): string {
    return this.#gate !== null && NOT_ASCII.test(reasonPhrase) ? this.#gate.reason() : reasonPhrase;
  }

  #fail(failure: Failure): void {
    if (this.#settled) return;
    const shown = this.#status === null ? beforeHead(failure) : afterHead(failure);
    if (this.#wanted) this.#sink.cut(shown);
    this.#finish(shown);
  }

  #finish(failure: Failure | null): void {
    this.#settled = true;
    this.#headDeadline.clear();
    this.#wholeDeadline?.clear();
    this.#gate?.done(this);
    const nowMs = this.#tools.nowMs();
    this.#settle({
      status: this.#status,
      failure,
      headMs: this.#headMs,
      waitedMs: this.#waitedMs(nowMs),
      totalMs: nowMs - this.#begunMs,
      wanted: this.#wanted,
      isSent: this.#isSent,
    });
  }
}

/** undici speaks of a length that does not fit also where the head that names it is malformed. */
function beforeHead(failure: Failure): Failure {
  return failure === "http_response_incomplete" ? "http_protocol_error" : failure;
}

/** An answer that breaks off is incomplete, whatever broke it. */
function afterHead(failure: Failure): Failure {
  return failure === "connection_terminated" ? "http_response_incomplete" : failure;
}

const NOT_ASCII = /[^\t\x20-\x7e]/;

function hostFor(policy: HostPolicy, clientHost: string, endpointHost: string): string {
  if (policy.kind === "name") return policy.name;
  // HTTP/1.0 clients may leave Host out; a backend needs one.
  return policy.kind === "backend" || clientHost === "" ? endpointHost : clientHost;
}
