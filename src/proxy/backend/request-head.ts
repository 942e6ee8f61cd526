/** The head of a request as it is written. Its fields come out of a parser or the gateway's own pen: no line ends in them. */

import { findHeader } from "../../model/facts.ts";
import type { CallRequest } from "./call.ts";

/** Their requests have a meaning with a body: without one they say so, and with one the connection goes on. */
const EXPECTING_BODY: ReadonlySet<string> = new Set([
  "POST",
  "PUT",
  "PATCH",
  "QUERY",
  "PROPFIND",
  "PROPPATCH",
]);

/**
 * Whether a backend may be trusted to read a request as it is meant: some answer HEAD with a body, and leave the body
 * of a GET unread. On the same connection what they did not expect would be taken for the next message.
 */
export function keepsConnection({ method, body, upgrade }: CallRequest): boolean {
  return method !== "HEAD" && upgrade === null && (body === null || EXPECTING_BODY.has(method));
}

/** The length that the request names; null: it goes in chunks. Only for one with a body. */
export function declaredBytes({ headers, body }: CallRequest): number | null {
  const declared = findHeader(headers, "content-length");
  if (declared !== undefined) return Number(declared);
  return Buffer.isBuffer(body) ? body.length : null;
}

/** Latin1, the empty line included. */
export function requestHead(request: CallRequest): string {
  const { method, target, headers, host, body, upgrade } = request;
  let head = `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\n`;
  if (upgrade !== null) head += `connection: upgrade\r\nupgrade: ${upgrade}\r\n`;
  else head += keepsConnection(request) ? "connection: keep-alive\r\n" : "connection: close\r\n";
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}${framing(method, headers, body)}\r\n`;
}

function framing(method: string, headers: readonly string[], body: CallRequest["body"]): string {
  if (body === null && !EXPECTING_BODY.has(method)) return "";
  if (findHeader(headers, "content-length") !== undefined) return "";
  if (body === null) return "content-length: 0\r\n";
  return Buffer.isBuffer(body) ? `content-length: ${body.length}\r\n` : "transfer-encoding: chunked\r\n";
}
