/** Random names for requests, traces, spans and keys, cheaply: one call of the system for many of them. */

import { randomFillSync } from "node:crypto";

const POOL_BYTES = 8192;
const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let used = POOL_BYTES;

function hexId(bytes: number): string {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString("hex", used - bytes, used);
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
