/** The corridor: one request from its head to its last record, top to bottom. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Admitted } from "../model/admission.ts";
import { type Decision, decide } from "../model/decide.ts";
import { createFacts, type Facts, findHeader } from "../model/facts.ts";
import { codeIndex, type Failure } from "../model/failures.ts";
import { originOf, plainAddress } from "../model/forwarded.ts";
import { REASON_INDEX } from "../model/reasons.ts";
import { findRoute, type Match } from "../model/router.ts";
import { type Side, WHOLE_PPM } from "../model/ruleset.ts";
import { isSampled, requestIdOf, traceContextOf } from "../model/trace.ts";
import { logAccess } from "./access.ts";
import { sendProblem } from "./answer.ts";
import { admitsBody, refusedForBody } from "./body-fault.ts";
import { ProxyError } from "./classify.ts";
import type { ClientConnection } from "./client-connection.ts";
import { ClientCopy } from "./client-copy.ts";
import type { DataDesk } from "./desk.ts";
import type { Exchange, Served } from "./exchange.ts";
import { forward, forwardUnmatched } from "./forward.ts";
import { freshKey, freshRequestId, freshTraceId } from "./ids.ts";
import { offerComparison } from "./offer.ts";
import { refuseRequest } from "./refusals.ts";
import { receiveBody } from "./request-body.ts";
import type { RouteRoom } from "./rooms.ts";
import { startShadow } from "./shadow.ts";
import { planShadow } from "./shadow-plan.ts";
import { attemptOf } from "./upgrade.ts";

const UNMATCHED: Decision = { side: "old", reason: "unmatched", who: null, rhoPpm: 0 };
const CHANCE = { draw: Math.random, freshKey };

/** A request whose turn has come. */
export interface Arrival {
  readonly desk: DataDesk;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly connection: ClientConnection<Exchange>;
  /** Tells a client that waits for it to send its body. */
  readonly proceed: () => void;
}

/** Never rejects: a bug of ours in one request must not take the others with it. */
export async function serve(arrival: Arrival, admitted: Admitted): Promise<void> {
  try {
    const exchange = exchangeOf(arrival, admitted);
    enter(exchange);
    arrival.connection.begin(exchange);
    if (!admitsBody(exchange)) {
      finish(exchange, refusedForBody(exchange), false);
    } else {
      arrival.proceed();
      const copy = copyFor(exchange);
      const served = await send(exchange, copy);
      finish(exchange, served, exchange.shadow !== null);
      copy?.ended(served, exchange.clientGone);
    }
    arrival.connection.end(exchange);
  } catch (error) {
    giveUp(arrival, error);
  }
}

function giveUp({ desk, req, res }: Arrival, error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
  if (!res.headersSent) refuseRequest(desk, req, res, { failure: "proxy_internal_error" });
  else res.destroy();
}

/** Reads the request and decides what is done with it: nothing of it is under way. */
function exchangeOf(arrival: Arrival, { target, host }: Admitted): Exchange {
  const { desk, req, res } = arrival;
  const begunMs = desk.nowMs();
  const snapshot = desk.snapshot; // once: no request sees two rulesets
  const peer = plainAddress(req.socket.remoteAddress ?? "");
  const origin = originOf(peer, req.rawHeaders, snapshot.trusts);
  const facts = createFacts(req.method as string, target, req.rawHeaders, origin.ip, host);
  const match = findRoute(snapshot.compiled.router, facts);
  const room = match === null ? null : (snapshot.rooms[match.routeIndex] as RouteRoom);
  const decision = match === null || room === null ? UNMATCHED : decideFor(desk, room, match, facts);
  const upgrade = attemptOf(desk, res, room);
  const shadow = room === null || upgrade !== null ? null : planShadow(desk, room, decision, facts.method);
  const { spans } = desk;
  const trace = traceContextOf(
    findHeader(req.rawHeaders, "traceparent"),
    freshTraceId,
    spans === null ? WHOLE_PPM : spans.sharePpm,
  );
  return {
    desk,
    snapshot,
    room,
    req,
    res,
    facts,
    decision,
    origin,
    requestId: requestIdOf(findHeader(req.rawHeaders, "x-request-id"), freshRequestId),
    trace,
    span: spans === null ? null : spans.open(trace, facts.path, room, match?.template ?? null),
    begunMs,
    body: receiveBody(req, room, decision, shadow, snapshot.compiled.ruleset.limits, desk.deadlines),
    shadow,
    upgrade,
    leg: null,
    clientGone: false,
    bytesOut: 0,
  };
}

/** Asks the side that was decided, and then the shadow. */
function send(exchange: Exchange, copy: ClientCopy | null): Promise<Served> {
  const { room, shadow } = exchange;
  if (room === null) return forwardUnmatched(exchange);
  const serving = forward(exchange, room, copy);
  // After the client's own request is on its way: bounded, never awaited.
  if (shadow !== null) {
    offerComparison(exchange, room, shadow, startShadow(exchange, room, shadow, CHANCE.draw), copy);
  }
  return serving;
}

/** Takes the client's answer down where it will be compared. */
function copyFor({ desk, room, shadow }: Exchange): ClientCopy | null {
  if (room === null || shadow === null || shadow.compare === null) return null;
  return new ClientCopy(shadow.maxBodyBytes, room.compiled.route.shadow.timeoutMs, shadow.lease, desk.tools);
}

function decideFor(desk: DataDesk, room: RouteRoom, match: Match, facts: Facts): Decision {
  const { compiled, tile, pins } = room;
  const canaryPpm = tile.canaryPpm(compiled.route.canary.sharePpm);
  const live = { latched: tile.latched, closed: tile.closed, canaryPpm };
  const forced = forcedSide(desk, room, facts);
  return decide({ compiled, template: match.template, facts, live, pins, forced, chance: CHANCE });
}

/** A side forced by a header that brings the process's token; anything else is ignored. */
function forcedSide(desk: DataDesk, room: RouteRoom, facts: Facts): Side | null {
  if (desk.setup.forceToken === null) return null;
  const side = findHeader(facts.rawHeaders, "x-cutover-force");
  if (side !== "old" && side !== "new") return null;
  if (side === "new" && room.new === null) return null;
  return desk.isForceToken(findHeader(facts.rawHeaders, "x-cutover-token") ?? "") ? side : null;
}

function enter(exchange: Exchange): void {
  const { desk, snapshot } = exchange;
  desk.inFlight++;
  desk.enter(snapshot);
  recorderOf(exchange).began(exchange.decision.side);
}

/** The client's connection has ended before its answer had gone out. */
export function clientLeft(exchange: Exchange): void {
  exchange.clientGone = true;
  exchange.leg?.abort(new ProxyError(goneFor(exchange.desk), "nobody waits for the answer"));
}

/** Why a client's connection is gone: it left, or the gateway ends. */
function goneFor(desk: DataDesk): Failure {
  return desk.cutOff === null ? "client_gone" : "drain_limit_reached";
}

/** Whatever became of it: the client has its answer or a problem, and the books are kept. */
function finish(exchange: Exchange, served: Served, shadowed: boolean): void {
  const { desk, res, decision, begunMs } = exchange;
  // Of a body that no backend took a shadow may still want the copy.
  exchange.body?.resume();
  const failure = exchange.clientGone ? goneFor(desk) : failureOf(exchange, served);
  if (failure !== null && !res.headersSent && !exchange.clientGone) sendProblem(exchange, served, failure);
  const nowMs = desk.nowMs();
  const durationMs = nowMs - begunMs;
  const recorder = recorderOf(exchange);
  recorder.ended(decision.side);
  const place = recorder.request(
    served.side,
    REASON_INDEX[served.reason],
    codeIndex(res.statusCode, failure),
    durationMs * 1000,
  );
  const { trace } = exchange;
  if (isSampled(trace)) recorder.exemplars.note(place, durationMs * 1000, trace.traceId, nowMs);
  const isTunnel = exchange.upgrade?.whenEnded(() =>
    writeDown(exchange, served, failure, shadowed, desk.nowMs() - begunMs),
  );
  if (!isTunnel) writeDown(exchange, served, failure, shadowed, durationMs);
  desk.inFlight--;
  desk.leave(exchange.snapshot);
}

function writeDown(
  exchange: Exchange,
  served: Served,
  failure: Failure | null,
  shadowed: boolean,
  durationMs: number,
): void {
  logAccess(exchange, served, failure, shadowed, durationMs);
  const { desk, span } = exchange;
  if (span !== null) desk.spans?.request(exchange, span, served, failure, shadowed);
}

function failureOf({ body, res }: Exchange, { outcome: { failure, wanted } }: Served): Failure | null {
  // Whatever a leg made of it: without its body there was no request to fail.
  if (body !== null && body.fault !== null && !res.headersSent) return "http_request_error";
  // A 5xx that was held back for a fallback which then could not be: nothing of it is left to pass on.
  return failure ?? (wanted ? null : "destination_unavailable");
}

function recorderOf(exchange: Exchange): RouteRoom["recorder"] {
  return exchange.room === null ? exchange.snapshot.unmatched.recorder : exchange.room.recorder;
}
