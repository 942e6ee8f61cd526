/**
 * Spans of sampled requests, on their way to the thread that exports them. Nobody waits for them: there is room for so
 * many, and what does not fit is dropped and counted.
 */

import type { MessagePort } from "node:worker_threads";
import type { Failure } from "../model/failures.ts";
import type { PathTemplate } from "../model/path.ts";
import type { Reason } from "../model/reasons.ts";
import type { Side } from "../model/ruleset.ts";
import {
  type LegRole,
  type OpenSpan,
  SPAN_RESULTS,
  type SpanRecord,
  shownPath,
  templateText,
} from "../model/span.ts";
import { isSampled, type TraceContext } from "../model/trace.ts";
import { freshSpanId } from "./ids.ts";
import type { LegOutcome } from "./leg-shapes.ts";
import type { TraceSetup } from "./messages.ts";
import type { Question } from "./question.ts";
import type { RouteRoom } from "./rooms.ts";

/** Posted together, or sooner when their time has passed: many more at a time would hold up the thread. */
const BATCH_SPANS = 64;
const BATCH_MS = 500;
/** Posted by all data threads and not yet exported: at about a kilobyte each, a few megabytes. */
const MAX_WAITING_SPANS = 4_096;
/** A clock that was set shows at once; the usual jitter of a millisecond does not tear a trace apart. */
const MAX_CLOCK_ERROR_MS = 20;
const MAX_HOST_CHARS = 255;

const DROPPED = SPAN_RESULTS.indexOf("dropped");

/** One leg that has ended, apart from what its question says. */
interface EndedLeg {
  readonly side: Side;
  readonly role: LegRole;
  readonly spanId: string;
  readonly origin: string;
  readonly resends: number;
  readonly outcome: Pick<LegOutcome, "status" | "failure" | "totalMs">;
}

/** What a span says of a request, besides its question. */
interface EndedRequest extends Question {
  readonly begunMs: number;
  readonly res: { readonly headersSent: boolean; readonly statusCode: number };
}

interface SaidOfAnswer {
  readonly side: Side;
  readonly reason: Reason;
  readonly fellBack: boolean;
}

interface Clocks {
  readonly nowMs: () => number;
  readonly wallMs: () => number;
}

export class Spans {
  /** Of traces that begin here. */
  readonly sharePpm: number;
  readonly #clocks: Clocks;
  readonly #counts: BigUint64Array;
  #batch: SpanRecord[] = [];
  #timer: NodeJS.Timeout | null = null;
  #zeroMs: number;
  /** Null: the exporting thread is not there yet. */
  #port: MessagePort | null = null;
  /** Spans that wait at the exporting thread, over all data threads. */
  #waiting = new Int32Array(new SharedArrayBuffer(4));

  constructor(setup: TraceSetup, clocks: Clocks) {
    this.sharePpm = setup.sharePpm;
    this.#counts = new BigUint64Array(setup.counts);
    this.#clocks = clocks;
    this.#zeroMs = clocks.wallMs() - clocks.nowMs();
  }

  /** The exporting thread, or the one that took its place. */
  connect(port: MessagePort, waiting: SharedArrayBuffer): void {
    this.#port?.close();
    this.#port = port;
    this.#waiting = new Int32Array(waiting);
    port.unref();
  }

  /** Null: no spans of this request are wanted. */
  open(
    trace: TraceContext,
    path: string,
    room: RouteRoom | null,
    template: PathTemplate | null,
  ): OpenSpan | null {
    if (!isSampled(trace)) return null;
    const keys = room === null ? [] : room.compiled.route.key;
    return { id: freshSpanId(), path: shownPath(path, template, keys), template, zeroMs: this.#zeroMs };
  }

  /** A request has ended, by now. `shadowed`: a shadow was drawn. */
  request(
    exchange: EndedRequest,
    open: OpenSpan,
    served: SaidOfAnswer,
    failure: Failure | null,
    shadowed: boolean,
  ): void {
    const { trace, facts, res, begunMs } = exchange;
    const hasStatus = res.headersSent || res.statusCode === 101;
    this.#add({
      kind: "request",
      spanId: open.id,
      parentId: trace.parentId,
      ...common(exchange, open),
      side: served.side,
      reason: served.reason,
      template: open.template === null ? null : templateText(open.template),
      host: facts.host.slice(0, MAX_HOST_CHARS),
      scheme: exchange.origin.said?.proto ?? "http",
      httpVersion: exchange.req.httpVersion,
      startMs: open.zeroMs + begunMs,
      durationMs: this.#clocks.nowMs() - begunMs,
      status: hasStatus ? res.statusCode : null,
      failure,
      fallback: served.fellBack,
      shadow: shadowed,
    });
  }

  /** A leg has ended, by now. */
  leg(question: Question, open: OpenSpan, leg: EndedLeg): void {
    const { status, failure, totalMs } = leg.outcome;
    this.#add({
      kind: "leg",
      spanId: leg.spanId,
      parentId: open.id,
      ...common(question, open),
      side: leg.side,
      role: leg.role,
      origin: leg.origin,
      resends: leg.resends,
      startMs: open.zeroMs + this.#clocks.nowMs() - totalMs,
      durationMs: totalMs,
      status,
      failure,
    });
  }

  /** Posts what there is. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#checkClock();
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    if (this.#port !== null && this.#takeRoom(batch.length)) this.#port.postMessage(batch);
    else Atomics.add(this.#counts, DROPPED, BigInt(batch.length));
  }

  #takeRoom(spans: number): boolean {
    if (Atomics.add(this.#waiting, 0, spans) + spans <= MAX_WAITING_SPANS) return true;
    Atomics.sub(this.#waiting, 0, spans);
    return false;
  }

  #add(span: SpanRecord): void {
    this.#batch.push(span);
    if (this.#batch.length >= BATCH_SPANS) {
      this.flush();
    } else if (this.#timer === null) {
      this.#timer = setTimeout(() => this.flush(), BATCH_MS);
      this.#timer.unref();
    }
  }

  #checkClock(): void {
    const zeroMs = this.#clocks.wallMs() - this.#clocks.nowMs();
    if (Math.abs(zeroMs - this.#zeroMs) > MAX_CLOCK_ERROR_MS) this.#zeroMs = zeroMs;
  }
}

function common({ trace, facts, room, snapshot }: Question, { path }: OpenSpan) {
  return {
    traceId: trace.traceId,
    flags: trace.flags,
    method: facts.method,
    path,
    route: room === null ? "unmatched" : room.compiled.route.name,
    rules: snapshot.compiled.ruleset.version,
  };
}
