/** Random names for requests, traces, spans and keys, cheaply: one call of the system for many of them. */

import { randomFillSync } from "node:crypto";

const pool = Buffer.allocUnsafeSlow(4096);
/** The whole pool in hex: to cut a name out of a text costs less than to write each from its bytes. */
let digits = "";
let used = 0;

function hexId(bytes: number): string {
  const length = 2 * bytes;
  if (used + length > digits.length) {
    digits = randomFillSync(pool).toString("hex");
    used = 0;
  }
  used += length;
  return digits.slice(used - length, used);
}

export function freshRequestId(): string {
  return hexId(16);
}

/** 32 hex digits. */
export function freshTraceId(): string {
  return hexId(16);
}

/** 16 hex digits. */
export function freshSpanId(): string {
  return hexId(8);
}

/** A key for an anonymous client: cookie-safe, not to be guessed. */
export function freshKey(): string {
  return hexId(16);
}
