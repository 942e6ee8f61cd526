/** One request to one backend: what becomes of the call on one side, a sink for the answer on the other. */

import type { Socket } from "node:net";
import type { Failure } from "../model/failures.ts";
import type { AnswerHead } from "./backend/answer-head.ts";
import type { Call, CallEvents } from "./backend/call.ts";
import type { BackendClient, Endpoint } from "./backend-client.ts";
import { failureOf, ProxyError } from "./classify.ts";
import type { Deadline } from "./deadlines.ts";
import type { Flow, LegOutcome, LegRequest, LegTools, Sink } from "./leg-shapes.ts";

/** Of an answer that nobody wants, so much is read to keep the connection; beyond it the connection is cut. */
const MAX_DISCARDED_BYTES = 64 * 1024;
/** And for so long: one that never ends holds a connection that others wait for. */
const MAX_DISCARDING_MS = 1_000;

export class Leg implements CallEvents, Flow {
  readonly outcome: Promise<LegOutcome>;
  readonly #settle: (outcome: LegOutcome) => void;
  readonly #sink: Sink;
  readonly #tools: LegTools;
  readonly #begunMs: number;
  /** Since when the backend has all that it needs, a slow upload being no slow answer; null: it has not yet. */
  #askedMs: number | null;
  readonly #headDeadline: Deadline;
  readonly #wholeDeadline: Deadline | null;
  #endpoint: Endpoint | null = null;
  #isSent = false;
  #call: Call | null = null;
  #status: number | null = null;
  #headMs: number | null = null;
  #wanted = false;
  #discardedBytes = 0;
  #discardDeadline: Deadline | null = null;
  #settled = false;
  #isAborted = false;

  constructor(client: BackendClient, request: LegRequest, sink: Sink, tools: LegTools) {
    const { promise, resolve } = Promise.withResolvers<LegOutcome>();
    this.outcome = promise;
    this.#settle = resolve;
    this.#sink = sink;
    this.#tools = tools;
    this.#begunMs = tools.nowMs();
    this.#askedMs = request.body === null ? this.#begunMs : null;
    this.#headDeadline = tools.deadlines.set(
      request.headTimeoutMs,
      () => this.#headIsDue(request),
      this.#begunMs,
    );
    const { requestMs } = client.backend.timeouts;
    this.#wholeDeadline = requestMs === null ? null : tools.deadlines.set(requestMs, () => this.#isDue());
    try {
      this.#endpoint = client.take(this.#begunMs);
      this.#call = this.#endpoint.dispatch(request, this);
    } catch (error) {
      this.#fail(failureOf(error));
    }
  }

  /** Of the URL that was chosen, such as "http://10.0.0.7:9001"; "": none was. */
  get origin(): string {
    return this.#endpoint?.origin ?? "";
  }

  /** Ends the leg: its failure is the error's. Does nothing once it has ended. */
  abort(error: ProxyError): void {
    if (this.#settled && !this.#discarding) return;
    this.#isAborted = true;
    this.#call?.abort(error);
  }

  resume(): void {
    this.#call?.resume();
  }

  onSent(): void {
    this.#isSent = true;
  }

  onUploading(): void {
    // An upload that makes progress is no silence of the backend.
    if (this.#status === null) this.#headDeadline.refresh();
  }

  onUploaded(): void {
    if (this.#askedMs !== null) return;
    this.#askedMs = this.#tools.nowMs();
    if (this.#status === null) this.#headDeadline.refresh();
  }

  onInterim({ status, reason, rawHeaders }: AnswerHead): void {
    this.#sink.interim?.(status, reason, rawHeaders);
  }

  onHead({ status, reason, rawHeaders }: AnswerHead): void {
    this.#headDeadline.clear();
    this.#status = status;
    // An answer to half a request has not been waited for.
    this.#headMs = this.#waitedMs(this.#tools.nowMs());
    try {
      this.#wanted = this.#sink.head(status, reason, rawHeaders);
    } catch (error) {
      // node:http refuses to write what was read: a malformed head is the backend's fault.
      this.#status = null;
      this.#headMs = null;
      this.abort(new ProxyError("http_protocol_error", String(error)));
      return;
    }
    if (!this.#wanted) this.#discard();
  }

  onData(chunk: Buffer): void {
    if (this.#wanted) {
      if (!this.#sink.data(chunk)) this.#call?.pause();
      return;
    }
    this.#discardedBytes += chunk.length;
    if (this.#discardedBytes > MAX_DISCARDED_BYTES) {
      this.abort(new ProxyError("connection_terminated", "an unwanted answer was too large to read"));
    }
  }

  onEnd(rawTrailers: readonly string[]): void {
    this.#endpoint?.over();
    this.#discardDeadline?.clear();
    if (this.#settled) return;
    this.#sink.end(rawTrailers);
    this.#finish(null);
  }

  /** A 101 that was asked for: the socket is nobody else's any more. */
  onSwitch({ status, rawHeaders }: AnswerHead, socket: Socket): void {
    this.#endpoint?.over();
    if (this.#settled) {
      socket.destroy();
      return;
    }
    this.#headMs = this.#tools.nowMs() - this.#begunMs;
    if (!this.#sink.switched?.(rawHeaders, socket)) {
      socket.destroy();
      this.#fail("http_protocol_error");
      return;
    }
    this.#endpoint?.noteTunnel(socket);
    this.#status = status;
    this.#wanted = true;
    this.#finish(null);
  }

  onFailed(error: Error): void {
    this.#discardDeadline?.clear();
    const failure = failureOf(error);
    // A body that broke while its request waited says nothing of the backend.
    const isUnreachable = !this.#isSent && !this.#isAborted && !CLIENTS_FAULTS.has(failure);
    this.#endpoint?.over(isUnreachable ? this.#tools.nowMs() : null);
    if (!this.#settled) this.#fail(failure);
  }

  #discard(): void {
    this.#finish(null);
    if (this.#isAborted) return;
    this.#discardDeadline = this.#tools.deadlines.set(MAX_DISCARDING_MS, () =>
      this.abort(new ProxyError("connection_terminated", "an unwanted answer took too long to read")),
    );
  }

  /** A backend that waits for the client's body is not the one that is silent: the body has its own deadline. */
  #headIsDue({ body }: LegRequest): void {
    const isUploading = this.#askedMs === null;
    if (isUploading && body !== null && "waitsForClient" in body && body.waitsForClient) {
      this.#headDeadline.refresh();
      return;
    }
    this.abort(
      isUploading && this.#isSent
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

  #fail(failure: Failure): void {
    if (this.#settled) return;
    const shown = this.#status === null ? failure : afterHead(failure);
    if (this.#wanted) this.#sink.cut(shown);
    this.#finish(shown);
  }

  #finish(failure: Failure | null): void {
    this.#settled = true;
    this.#headDeadline.clear();
    this.#wholeDeadline?.clear();
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

const CLIENTS_FAULTS: ReadonlySet<Failure> = new Set(["client_gone", "http_request_error"]);

/** An answer that breaks off is incomplete, whatever broke it. */
function afterHead(failure: Failure): Failure {
  return failure === "connection_terminated" ? "http_response_incomplete" : failure;
}
