/** What the client gets: a backend's answer passed on, or the gateway's own problem. */

import type { Duplex } from "node:stream";
import type { Failure } from "../model/failures.ts";
import { answerHeadersToForward } from "../model/headers.ts";
import { ASSIGNED_KEY_COOKIE } from "../model/key.ts";
import type { Reason } from "../model/reasons.ts";
import type { Side } from "../model/ruleset.ts";
import type { ClientCopy } from "./client-copy.ts";
import type { Exchange, Served } from "./exchange.ts";
import { givingBack } from "./give-back.ts";
import { interimHead, sendInterim } from "./interim.ts";
import type { Flow, Sink } from "./leg-shapes.ts";
import { endLingering } from "./linger.ts";
import { problemOf } from "./problem.ts";
import { trailersToForward } from "./trailers.ts";

const ASSIGNED_KEY_MAX_AGE_S = 365 * 24 * 3600;
/** Beyond it, the copy costs more than the call that it saves. */
const MAX_JOINED_BYTES = 16 * 1024;

/** Streams a backend's answer to the client, at the client's pace, and keeps a copy where one is wanted. */
export class ClientAnswer implements Sink {
  readonly #exchange: Exchange;
  readonly #side: Side;
  readonly #reason: Reason;
  readonly #refuses5xx: boolean;
  readonly #copy: ClientCopy | null;
  #begun = false;
  /** -1: the answer does not say. */
  #declaredBytes = -1;
  /** Interim answers that wait for the head: until then another side may be asked. */
  #interims: string[] | null = null;
  flow: Flow | null = null;

  /**
   * `refuses5xx`: a 5xx is not passed on where the request can be sent again, because another side will be asked.
   * `copy`: takes a copy for comparison; null: nobody does.
   */
  constructor(
    exchange: Exchange,
    as: { readonly side: Side; readonly reason: Reason },
    options: { readonly refuses5xx: boolean; readonly copy: ClientCopy | null },
  ) {
    this.#exchange = exchange;
    this.#side = as.side;
    this.#reason = as.reason;
    this.#refuses5xx = options.refuses5xx;
    this.#copy = options.copy;
  }

  interim(status: number, reasonPhrase: string, rawHeaders: readonly string[]): void {
    const head = interimHead(status, reasonPhrase, rawHeaders);
    if (head === null) return;
    if (this.#mayRefuse) {
      this.#interims ??= [];
      this.#interims.push(head);
    } else {
      sendInterim(this.#exchange.res, head);
    }
  }

  head(status: number, reasonPhrase: string, rawHeaders: readonly string[]): boolean {
    if (status >= 500 && this.#mayRefuse) return false;
    const { res } = this.#exchange;
    const headers = answerHeadersToForward(rawHeaders);
    this.#copy?.head(status, headers.slice());
    const told = survey(headers);
    if (told.hasDate) res.sendDate = false;
    // RFC 9110 §8.6: never on a 204, where some readers wait for the body that it names.
    if (status === 204 && told.length !== null) dropField(headers, "content-length");
    this.#declaredBytes = told.length === null ? -1 : Number(told.length);
    // node:http refuses to announce what cannot follow.
    if (told.hasTrailer && !this.#isChunked(status)) dropField(headers, "trailer");
    for (const interim of this.#interims ?? []) sendInterim(res, interim);
    addOwnHeaders(this.#exchange, this.#side, this.#reason, headers);
    res.writeHead(status, reasonPhrase, headers);
    this.#exchange.desk.lateHeads.add(this);
    return true;
  }

  flushHead(): void {
    if (!this.#begun) this.#exchange.res.flushHeaders();
  }

  data(chunk: Buffer): boolean {
    const { res } = this.#exchange;
    const isWhole = !this.#begun && chunk.length === this.#declaredBytes;
    this.#begun = true;
    this.#exchange.bytesOut += chunk.length;
    if (!isWhole || chunk.length > MAX_JOINED_BYTES) return this.#pass(chunk);
    this.#copy?.data(chunk);
    // As text, node:http joins it to the head: one string and one plain write instead of a gathered one.
    res.end(chunk.toString("latin1"), "latin1");
    return true;
  }

  #pass(chunk: Buffer): boolean {
    const { res } = this.#exchange;
    const whenWritten = this.#copy?.isKeeping === true ? undefined : givingBack(chunk);
    this.#copy?.data(chunk);
    if (res.write(chunk, whenWritten)) return true;
    res.once("drain", () => this.flow?.resume());
    return false;
  }

  switched(rawHeaders: readonly string[], backend: Duplex): boolean {
    const { upgrade } = this.#exchange;
    if (upgrade === null || !upgrade.accepts(rawHeaders)) return false;
    const headers = answerHeadersToForward(rawHeaders);
    addOwnHeaders(this.#exchange, this.#side, this.#reason, headers);
    upgrade.open(this.#side, this.#exchange, headers, backend);
    return true;
  }

  end(rawTrailers: readonly string[]): void {
    const { res } = this.#exchange;
    this.#begun = true;
    if (rawTrailers.length > 0 && res.chunkedEncoding) res.addTrailers(trailersToForward(rawTrailers));
    res.end();
  }

  /** A clean end would tell the client that it has the whole answer. */
  cut(): void {
    this.#begun = true;
    // What was passed on in this turn of the event loop goes out at its end.
    setImmediate(() => this.#exchange.res.destroy());
  }

  /** A body that is no longer kept cannot go to another side. */
  get #mayRefuse(): boolean {
    return this.#refuses5xx && this.#exchange.body?.keepsCopy !== false;
  }

  /** Whether the client's copy of this answer goes out in chunks. */
  #isChunked(status: number): boolean {
    const { req } = this.#exchange;
    if (this.#declaredBytes !== -1 || req.method === "HEAD" || status === 204 || status === 304) return false;
    return req.httpVersionMajor === 1 && req.httpVersionMinor >= 1;
  }
}

/** The gateway's own answer, in place of one that did not come. */
export function sendProblem(exchange: Exchange, served: Served, failure: Failure): void {
  const { res, req } = exchange;
  const fault = failure === "http_request_error" ? exchange.body?.fault : null;
  const { status, headers, body } = problemOf(failure, fault?.status, fault?.detail);
  // The rest of the body is not worth reading: the connection ends with this answer.
  if (!req.complete) headers.push("connection", "close");
  addOwnHeaders(exchange, served.side, served.reason, headers);
  res.writeHead(status, headers);
  endLingering(req, res, req.method === "HEAD" ? undefined : body);
  exchange.bytesOut += body.length;
}

function addOwnHeaders(exchange: Exchange, side: Side, reason: Reason, headers: string[]): void {
  const { desk, room, snapshot, decision } = exchange;
  if (desk.setup.responseHeaders) {
    headers.push(
      "x-cutover-route",
      room === null ? "unmatched" : room.compiled.route.name,
      "x-cutover-side",
      side,
      "x-cutover-reason",
      reason,
      "x-cutover-rules",
      snapshot.compiled.ruleset.version,
    );
  }
  headers.push("x-request-id", exchange.requestId);
  if (decision.who?.assigned) {
    const cookie = `${ASSIGNED_KEY_COOKIE}=${decision.who.key}; Path=/; Max-Age=${ASSIGNED_KEY_MAX_AGE_S}; HttpOnly; SameSite=Lax`;
    headers.push("set-cookie", cookie);
  }
  if (desk.draining) headers.push("connection", "close");
}

interface Told {
  hasDate: boolean;
  hasTrailer: boolean;
  length: string | null;
}

/** What the head says of the message itself, in one pass. */
function survey(headers: readonly string[]): Told {
  const told: Told = { hasDate: false, hasTrailer: false, length: null };
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length === 4) told.hasDate ||= name.toLowerCase() === "date";
    else if (name.length === 7) told.hasTrailer ||= name.toLowerCase() === "trailer";
    else if (name.length === 14 && name.toLowerCase() === "content-length")
      told.length = headers[i + 1] ?? "";
  }
  return told;
}

function dropField(headers: string[], lowerName: string): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (headers[i]?.toLowerCase() === lowerName) headers.splice(i, 2);
  }
}
