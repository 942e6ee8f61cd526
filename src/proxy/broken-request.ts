/**
 * What the parser could not read, or what took too long: one answer by kind, and the connection ends. The answer
 * must not land within another one, nor be taken for the answer to an earlier request on the connection.
 */

import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { connectionOf } from "./client-connection.ts";
import type { DataDesk } from "./desk.ts";
import { refuseConnection } from "./refusals.ts";

interface ParseError extends Error {
  readonly code?: string;
  /** The bytes that were being read. */
  readonly rawPacket?: Buffer;
  /** How many of them were. */
  readonly bytesParsed?: number;
}

/** For the server's "clientError". */
export function refuseBroken(desk: DataDesk, error: ParseError, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const connection = connectionOf(socket);
  const last = connection?.newest ?? null;
  // Broken within its body: that request gets the refusal, unless its answer has begun.
  const isWithinBody = last !== null && !last.req.complete;
  if (isWithinBody && last.headersSent) {
    socket.destroy();
    return;
  }
  after(isWithinBody ? connection?.beforeNewest : last, () => {
    if (socket.writable)
      refuseConnection(desk, socket, { failure: "http_request_error", ...refusalOf(error) });
  });
}

/** Ends a connection with a refusal once everything asked before on it is answered. */
export function refuseInOrder(desk: DataDesk, socket: Duplex, status: number, detail: string): void {
  after(connectionOf(socket)?.newest, () => {
    if (socket.writable) refuseConnection(desk, socket, { failure: "http_request_error", status, detail });
  });
}

/** Answers go out in order: when this one has, all before it have. */
function after(answer: ServerResponse | null | undefined, then: () => void): void {
  if (answer == null) then();
  else answer.on("finish", then);
}

function refusalOf(error: ParseError): { status: number; detail: string } {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return isTarget(error)
        ? { status: 414, detail: "the target is too long" }
        : { status: 431, detail: "the head of the request is too large" };
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return { status: 413, detail: "the chunk extensions are too large" };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { status: 408, detail: "the request took too long to arrive" };
    default:
      return { status: 400, detail: "the request is malformed" };
  }
}

/** The head overflowed before its first line had ended. */
function isTarget({ rawPacket, bytesParsed = 0 }: ParseError): boolean {
  if (rawPacket === undefined || !/^[A-Z]+ \S+$/.test(rawPacket.toString("latin1", 0, 512))) return false;
  const lineEndAt = rawPacket.indexOf("\n");
  return lineEndAt === -1 || bytesParsed <= lineEndAt;
}
