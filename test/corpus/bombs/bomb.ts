/**
 * Pairs made to hurt: two answers that differ to a client, in every way to waste time or memory, to throw, or to
 * be taken for equal.
 */

import type { Compare } from "../../../src/model/ruleset.ts";

export interface Bomb {
  readonly name: string;
  readonly type: string | null;
  readonly old: string | Uint8Array;
  readonly new: string | Uint8Array;
  /** Content codings of the two. */
  readonly encodings?: readonly [string | null, string | null];
  readonly compare?: Partial<Compare>;
  /** "mismatch" where it must be found; otherwise it may be uncompared. */
  readonly expect?: "mismatch" | "too_deep" | "too_large" | "decode_failed";
  readonly headers?: readonly [readonly string[], readonly string[]];
}

export const DEPTH = 10_000;
export const MANY = 1_000_000;
export const MIB = 2 ** 20;
export const JSON_TYPE = "application/json";
export const XML = "application/xml";
export const HTML = "text/html";
export const NDJSON = "application/x-ndjson";
export const FORM = "application/x-www-form-urlencoded";
export const EVENTS = "text/event-stream";

export const nested = (open: string, inner: string, close: string, depth = DEPTH): string =>
  open.repeat(depth) + inner + close.repeat(depth);
export const numbered = (count: number, make: (at: number) => string, between = ","): string =>
  Array.from({ length: count }, (_, at) => make(at)).join(between);

/** Two JSON texts that must be told apart. */
export function json(name: string, old: string, fresh: string, rest: Partial<Bomb> = {}): Bomb {
  return { name, type: JSON_TYPE, old, new: fresh, expect: "mismatch", ...rest };
}
