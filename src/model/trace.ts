/** Names that follow one request through every log: its id, and the W3C trace context. */

import { type SharePpm, WHOLE_PPM } from "./ruleset.ts";

/** What a client may choose: long enough for a UUID or a ULID, nothing that could break a log line. */
const REQUEST_ID_FORM = /^[A-Za-z0-9._:/+=@-]{1,128}$/;
const TRACEPARENT_FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);

export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** The client's span, 16 hex digits; null: the trace begins here. */
  readonly parentId: string | null;
  /** 2 hex digits; the last bit says that spans of this trace are wanted. */
  readonly flags: string;
}

/** The id that the client sent, if it is one; else a fresh one. */
export function requestIdOf(sent: string | undefined, fresh: () => string): string {
  return sent !== undefined && REQUEST_ID_FORM.test(sent) ? sent : fresh();
}

/**
 * Goes on with the client's trace where it sent a valid one, its flags as they are; else begins one, sampled by
 * `sharePpm`.
 */
export function traceContextOf(
  sent: string | undefined,
  freshTraceId: () => string,
  sharePpm: SharePpm = WHOLE_PPM,
): TraceContext {
  const parts = sent === undefined ? null : TRACEPARENT_FORM.exec(sent);
  if (parts === null || parts[1] === NO_TRACE || parts[2] === NO_SPAN) {
    const traceId = freshTraceId();
    return { traceId, parentId: null, flags: isDrawn(traceId, sharePpm) ? "01" : "00" };
  }
  return { traceId: parts[1] as string, parentId: parts[2] as string, flags: parts[3] as string };
}

/** The traceparent of one leg: each leg is a span of its own. */
export function traceparent(context: TraceContext, spanId: string): string {
  return `00-${context.traceId}-${spanId}-${context.flags}`;
}

/** Hex digits whose last bit is set. */
const ODD_DIGITS = "13579bdf";

/** Whether spans of this trace are wanted. */
export function isSampled({ flags }: TraceContext): boolean {
  return ODD_DIGITS.includes(flags.charAt(1));
}

/** The random part of a trace id are its last 14 digits (W3C Trace Context, level 2); so many of them are looked at. */
const DRAW_DIGITS = 12;
const DRAW_FROM = 18;
const DRAWS = 16 ** DRAW_DIGITS;

/**
 * Whether a trace is among the share. The id itself is the draw, by OpenTelemetry's rule for consistent sampling:
 * whoever draws the same or a greater share by it, such as another gateway, keeps the same traces whole.
 */
export function isDrawn(traceId: string, sharePpm: SharePpm): boolean {
  if (sharePpm >= WHOLE_PPM) return true;
  const draw = Number.parseInt(traceId.slice(DRAW_FROM, DRAW_FROM + DRAW_DIGITS), 16);
  return draw >= DRAWS * (1 - sharePpm / WHOLE_PPM);
}
