/** Interim answers (RFC 9110 §15.2) on their way to the client. */

import type { ServerResponse } from "node:http";
import { answerHeadersToForward } from "../model/headers.ts";

const SENDABLE_HEAD = /^(?:[\t\x20-\x7e\x80-\xff]*\r\n)*$/;

/**
 * The head of an interim answer as bytes in latin1; null: it is none that can be sent. A length belongs to no
 * interim answer, and one that is believed would hide the answer that follows.
 */
export function interimHead(status: number, reason: string, rawHeaders: readonly string[]): string | null {
  let head = `HTTP/1.1 ${status} ${reason}\r\n`;
  const headers = answerHeadersToForward(rawHeaders);
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.toLowerCase() !== "content-length") head += `${name}: ${headers[i + 1]}\r\n`;
  }
  head += "\r\n";
  return SENDABLE_HEAD.test(head) ? head : null;
}

/**
 * Writes interim heads, by themselves: node:http knows but two kinds and writes them to HTTP/1.0 clients too,
 * which would take them for the answer. Behind an answer that is still due on the connection they are left out.
 */
export function sendInterim(res: ServerResponse, head: string): void {
  const { httpVersionMajor, httpVersionMinor } = res.req;
  const understands = httpVersionMajor > 1 || (httpVersionMajor === 1 && httpVersionMinor >= 1);
  if (!understands || res.headersSent || res.socket === null || !res.socket.writable) return;
  res.socket.write(head, "latin1");
}
