/** The gateway's own answers: application/problem+json with the failure's RFC 9209 name. */

import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { FAILURE_STATUS, type Failure } from "../model/failures.ts";

export interface Problem {
  readonly status: number;
  /** Flat; the caller's to append to. */
  readonly headers: string[];
  readonly body: Buffer;
}

/** How long a refused connection may go on sending before it is cut. */
const LINGER_MS = 500;

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  404: "No route matches",
  405: "Method not allowed",
  408: "The request took too long to arrive",
  413: "The request is too large",
  414: "The target is too long",
  417: "Expectation failed",
  431: "The head of the request is too large",
  500: "Gateway error",
  501: "Not implemented",
  502: "The backend gave no usable answer",
  503: "The gateway or its backend is busy",
  504: "The backend did not answer in time",
  505: "HTTP version not supported",
};

/** `detail`: what is wrong and what to send instead; nothing that came from outside. Default: the failure's name. */
export function problemOf(
  failure: Failure,
  status: number = FAILURE_STATUS[failure],
  detail: string = failure,
): Problem {
  const title = TITLES[status] ?? "Gateway error";
  const body = Buffer.from(JSON.stringify({ type: "about:blank", title, status, detail }));
  const headers = [
    "content-type",
    "application/problem+json",
    "content-length",
    String(body.length),
    "cache-control",
    "no-store",
    "proxy-status",
    `cutover; error=${failure}`,
  ];
  if (status === 503) headers.push("retry-after", "1");
  if (status === 405) headers.push("allow", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS");
  return { status, headers, body };
}

/** Refuses a request before anything was decided. What follows it on the connection is not read. */
export function refuse(
  res: ServerResponse,
  requestId: string,
  failure: Failure,
  status?: number,
  detail?: string,
): void {
  const problem = problemOf(failure, status, detail);
  res.writeHead(problem.status, [...problem.headers, "x-request-id", requestId, "connection", "close"]);
  res.end(res.req.method === "HEAD" ? undefined : problem.body);
}

/** The same where node:http gave up before there was a request: the answer is written to the socket as it is. */
export function refuseSocket(
  socket: Duplex,
  requestId: string,
  failure: Failure,
  status: number,
  detail: string,
): void {
  const { headers, body } = problemOf(failure, status, detail);
  let head = `HTTP/1.1 ${status} ${TITLES[status] ?? "Error"}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  head += `x-request-id: ${requestId}\r\ndate: ${new Date().toUTCString()}\r\nconnection: close\r\n\r\n`;
  socket.end(Buffer.concat([Buffer.from(head, "latin1"), body]));
  // At once, what the client still sends would be answered with a reset, which can overtake the refusal.
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  linger.unref();
  socket.on("close", () => clearTimeout(linger));
}
