/** Fields after a body (RFC 9110 §6.5): only those that mean nothing for the message's framing, routing or handling. */

import { answerHeadersToForward } from "../model/headers.ts";

/** RFC 9110 §6.5.1: not in a trailer section, and dangerous where a recipient merges it into the head. */
const NOT_AFTER_THE_BODY = new Set([
  "age",
  "authorization",
  "cache-control",
  "content-encoding",
  "content-length",
  "content-location",
  "content-range",
  "content-type",
  "cookie",
  "date",
  "expect",
  "expires",
  "host",
  "location",
  "max-forwards",
  "pragma",
  "range",
  "retry-after",
  "set-cookie",
  "trailer",
  "vary",
  "warning",
  "www-authenticate",
]);

/** The pairs of a trailer section (flat, as received) that a client may see. */
export function trailersToForward(rawTrailers: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  const fields = answerHeadersToForward(rawTrailers);
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (!NOT_AFTER_THE_BODY.has(name.toLowerCase())) pairs.push([name, fields[i + 1] as string]);
  }
  return pairs;
}
