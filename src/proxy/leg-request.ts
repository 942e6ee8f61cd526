/** A client's request as one leg carries it: end-to-end fields, and those that the gateway sets. */

import { requestHeadersToForward } from "../model/headers.ts";
import type { Side } from "../model/ruleset.ts";
import { traceparent } from "../model/trace.ts";
import type { Exchange } from "./exchange.ts";
import { freshSpanId } from "./ids.ts";
import type { LegRequest } from "./leg.ts";

export function legRequest(
  exchange: Exchange,
  side: Side,
  body: LegRequest["body"],
  headTimeoutMs: number,
  shadow = false,
): LegRequest {
  const { facts, room, req, snapshot, decision } = exchange;
  const headers = requestHeadersToForward(req.rawHeaders);
  const clientHost = req.headers.host ?? "";
  headers.push(
    "x-forwarded-for",
    facts.ip,
    "x-forwarded-proto",
    "http",
    "via",
    `${req.httpVersion} cutover`,
    "x-request-id",
    exchange.requestId,
    "traceparent",
    traceparent(exchange.trace, freshSpanId()),
    "x-cutover-route",
    room === null ? decision.reason : room.compiled.route.name,
    "x-cutover-side",
    side,
    "x-cutover-rules",
    snapshot.compiled.ruleset.version,
  );
  if (clientHost !== "") headers.push("x-forwarded-host", clientHost);
  if (shadow) headers.push("x-cutover-shadow", "1");
  return { method: facts.method, target: facts.target, headers, clientHost, body, headTimeoutMs };
}
