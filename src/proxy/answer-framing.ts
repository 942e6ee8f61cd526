/** Whether an answer tells in one way only where it ends (RFC 9112 §6): what two readers could cut in two ways is refused. */

import { findHeader } from "../model/facts.ts";

/** Why the head of an answer cannot be relied on; null: its framing is plain. */
export function framingFault(rawHeaders: readonly string[], isHttp10: boolean): string | null {
  let length: string | null = null;
  let coding: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 14 && name.toLowerCase() === "content-length") {
      if (length !== null) return "Content-Length comes twice";
      length = rawHeaders[i + 1] as string;
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding") {
      if (coding !== null) return "Transfer-Encoding comes twice";
      coding = rawHeaders[i + 1] as string;
    }
  }
  if (coding !== null) {
    if (length !== null) return "Content-Length and Transfer-Encoding both tell the length";
    // Not asked for, and undone by nobody: only the framing itself is taken off on the way.
    if (coding.toLowerCase() !== "chunked") return "a transfer coding other than chunked";
    if (isHttp10) return "HTTP/1.0 has no Transfer-Encoding";
  }
  if (length !== null && !isPlainLength(length)) return "Content-Length is no plain number";
  return null;
}

function isPlainLength(text: string): boolean {
  if (text.length === 0 || text.length > 16) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return Number.isSafeInteger(Number(text));
}

/** Whether a head names a body, be it one that cannot follow. */
export function namesBody(rawHeaders: readonly string[]): boolean {
  const length = findHeader(rawHeaders, "content-length");
  if (length !== undefined) return Number(length) !== 0;
  return findHeader(rawHeaders, "transfer-encoding") !== undefined;
}

const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/;

/** Why a reason phrase cannot be passed on; null: it can. */
export function reasonFault(reason: string): string | null {
  return UNSENDABLE.test(reason) ? "the reason holds control characters" : null;
}
