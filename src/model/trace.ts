/** Names that follow one request through every log: its id, and the W3C trace context. */

/** What a client may choose: long enough for a UUID or a ULID, nothing that could break a log line. */
const REQUEST_ID_FORM = /^[A-Za-z0-9._:/+=@-]{1,128}$/;
const TRACEPARENT_FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);

export interface TraceContext {
  readonly traceId: string;
  readonly flags: string;
}

/** The id that the client sent, if it is one; else a fresh one. */
export function requestIdOf(sent: string | undefined, fresh: () => string): string {
  return sent !== undefined && REQUEST_ID_FORM.test(sent) ? sent : fresh();
}

/** Goes on with the client's trace where it sent a valid one, else begins one (sampled). */
export function traceContextOf(sent: string | undefined, freshTraceId: () => string): TraceContext {
  const parts = sent === undefined ? null : TRACEPARENT_FORM.exec(sent);
  if (parts === null || parts[1] === NO_TRACE || parts[2] === NO_SPAN) {
    return { traceId: freshTraceId(), flags: "01" };
  }
  return { traceId: parts[1] as string, flags: parts[3] as string };
}

/** The traceparent of one leg: each leg is a span of its own. */
export function traceparent(context: TraceContext, spanId: string): string {
  return `00-${context.traceId}-${spanId}-${context.flags}`;
}
