/**
 * A span as OpenTelemetry names things (semantic conventions for HTTP, stable), with what is cutover's own under
 * `cutover.`.
 */

import type { Failure } from "../model/failures.ts";
import type { LegRole, LegSpan, RequestSpan, SpanRecord } from "../model/span.ts";

export interface Description {
  /** Of few different ones: methods that are known, templates of the rules. */
  readonly name: string;
  readonly kind: "server" | "client";
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly isError: boolean;
}

/** Of the convention; any other is `_OTHER`, lest clients make up names. */
const KNOWN_METHODS: ReadonlySet<string> = new Set([
  "CONNECT",
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "POST",
  "PUT",
  "QUERY",
  "TRACE",
]);
const MAX_METHOD_CHARS = 32;

/** The client's own doing: no error of who served it. */
const CLIENTS_DOING: ReadonlySet<Failure> = new Set([
  "client_gone",
  "http_request_error",
  "http_request_denied",
  "destination_not_found",
]);

const ROLE_TEXT: Readonly<Record<LegRole, string>> = {
  serving: "",
  fallback: " (fallback)",
  shadow: " (shadow)",
  second: " (second answer)",
  confirmation: " (confirmation)",
};

export function describe(span: SpanRecord): Description {
  return span.kind === "request" ? describeRequest(span) : describeLeg(span);
}

function describeRequest(span: RequestSpan): Description {
  const { template, status, failure } = span;
  return {
    name: template === null ? methodName(span) : `${methodName(span)} ${template}`,
    kind: "server",
    attributes: {
      ...shared(span),
      "url.path": span.path,
      "url.scheme": span.scheme,
      ...(template === null ? {} : { "http.route": template }),
      ...(span.host === "" ? {} : { "server.address": span.host }),
      "network.protocol.version": span.httpVersion,
      ...errorType(failure, status !== null && status >= 500 ? status : null),
      "cutover.reason": span.reason,
      "cutover.fallback": span.fallback,
      "cutover.shadow": span.shadow,
    },
    // A 4xx is the client's affair, for the side that answers.
    isError: isOurs(failure) || (status !== null && status >= 500),
  };
}

function describeLeg(span: LegSpan): Description {
  const { status, failure, resends } = span;
  const isFailedStatus = status !== null && status >= 400;
  return {
    // By the convention a name is the method alone; both sides and their roles are few, and the first thing to be read.
    name: `${methodName(span)} ${span.side}${ROLE_TEXT[span.role]}`,
    kind: "client",
    attributes: {
      ...shared(span),
      ...serverOf(span),
      ...(resends === 0 ? {} : { "http.request.resend_count": resends }),
      ...errorType(failure, isFailedStatus ? status : null),
      "cutover.leg": span.role,
    },
    isError: isOurs(failure) || isFailedStatus,
  };
}

function shared(span: SpanRecord): Record<string, string | number> {
  const { method, status } = span;
  return {
    ...(KNOWN_METHODS.has(method)
      ? { "http.request.method": method }
      : {
          "http.request.method": "_OTHER",
          "http.request.method_original": method.slice(0, MAX_METHOD_CHARS),
        }),
    ...(status === null ? {} : { "http.response.status_code": status }),
    "cutover.route": span.route,
    "cutover.side": span.side,
    "cutover.rules": span.rules,
  };
}

/** The URL goes without its query, as everywhere: queries hold secrets. */
function serverOf({ origin, path }: LegSpan): Record<string, string | number> {
  if (!URL.canParse(origin)) return {};
  const { hostname, port, protocol } = new URL(origin);
  return {
    "server.address": hostname.replace(/^\[|\]$/g, ""),
    "server.port": port === "" ? (protocol === "https:" ? 443 : 80) : Number(port),
    "url.full": path.startsWith("/") ? `${origin}${path}` : `${origin}/`,
  };
}

function errorType(failure: Failure | null, status: number | null): { "error.type"?: string } {
  if (failure !== null) return { "error.type": failure };
  return status === null ? {} : { "error.type": String(status) };
}

function isOurs(failure: Failure | null): boolean {
  return failure !== null && !CLIENTS_DOING.has(failure);
}

function methodName({ method }: SpanRecord): string {
  return KNOWN_METHODS.has(method) ? method : "HTTP";
}
