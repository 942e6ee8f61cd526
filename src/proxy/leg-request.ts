/** A client's request as one leg carries it: end-to-end fields, and those that the gateway sets. */

import { findHeader } from "../model/facts.ts";
import { addForwarded } from "../model/forwarded.ts";
import { joinedHeader, requestHeadersToForward } from "../model/headers.ts";
import type { Side } from "../model/ruleset.ts";
import { traceparent } from "../model/trace.ts";
import { freshSpanId } from "./ids.ts";
import type { LegRequest } from "./leg-shapes.ts";
import type { Question } from "./question.ts";

export function legRequest(
  question: Question,
  side: Side,
  body: LegRequest["body"],
  headTimeoutMs: number,
  shadow = false,
): LegRequest {
  const { facts, room, req, snapshot, decision } = question;
  const headers = requestHeadersToForward(facts.rawHeaders);
  const clientHost = facts.authority;
  const spanId = freshSpanId();
  // W3C Trace Context §3.3: what vendors noted of another trace, or of none, says nothing of this one.
  if (question.trace.parentId === null) dropField(headers, "tracestate");
  addForwarded(headers, question.origin, clientHost);
  headers.push(
    "via",
    `${req.httpVersion} cutover`,
    "x-request-id",
    question.requestId,
    "traceparent",
    traceparent(question.trace, spanId),
    "x-cutover-route",
    room === null ? decision.reason : room.compiled.route.name,
    "x-cutover-side",
    side,
    "x-cutover-rules",
    snapshot.compiled.ruleset.version,
  );
  // Of TE, which is for this connection, one word is worth saying again: that trailers are read.
  if (/\btrailers\b/i.test(joinedHeader(facts.rawHeaders, "te") ?? "")) headers.push("te", "trailers");
  const forwardsLeft = findHeader(facts.rawHeaders, "max-forwards");
  if (forwardsLeft !== undefined) headers.push("max-forwards", countedDown(facts.method, forwardsLeft));
  if (shadow) headers.push("x-cutover-shadow", "1");
  const upgrade = question.upgrade?.protocol ?? null;
  const { method, target } = facts;
  return { method, target, headers, clientHost, body, headTimeoutMs, upgrade, spanId };
}

function dropField(headers: string[], lowerName: string): void {
  if (findHeader(headers, lowerName) === undefined) return;
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (headers[i]?.toLowerCase() === lowerName) headers.splice(i, 2);
  }
}

/** For TRACE and OPTIONS alone each gateway takes one off (RFC 9110 §7.6.2). */
function countedDown(method: string, sent: string): string {
  const counts = (method === "TRACE" || method === "OPTIONS") && /^[0-9]{1,9}$/.test(sent);
  return counts ? String(Number(sent) - 1) : sent;
}
