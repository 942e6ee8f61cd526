/**
 * How an exchange can fail, by the names of RFC 9209 where it has one. Whose fault a failure is decides what
 * it is evidence of, so it is decided here and nowhere else.
 */

export const FAILURES = [
  "connection_refused",
  "connection_terminated",
  "connection_timeout",
  "connection_limit_reached",
  "destination_not_found",
  "destination_unavailable",
  "dns_error",
  "tls_certificate_error",
  "tls_protocol_error",
  "http_protocol_error",
  "http_response_incomplete",
  "http_response_timeout",
  "http_request_error",
  "http_request_denied",
  "proxy_internal_error",
  "client_gone",
  "drain_limit_reached",
  "connection_read_timeout",
  "connection_write_timeout",
] as const;

export type Failure = (typeof FAILURES)[number];

/** Failures that say nothing about a backend: the client's, or the gateway's own. */
const NOT_THE_BACKENDS: ReadonlySet<Failure> = new Set([
  "client_gone",
  "drain_limit_reached",
  "http_request_error",
  "http_request_denied",
  "destination_not_found",
  "connection_limit_reached",
  "proxy_internal_error",
]);

export function isBackendsFault(failure: Failure): boolean {
  return !NOT_THE_BACKENDS.has(failure);
}

/** The status that a client gets where no answer came. */
export const FAILURE_STATUS: Readonly<Record<Failure, number>> = {
  connection_refused: 502,
  connection_terminated: 502,
  connection_timeout: 504,
  connection_limit_reached: 503,
  destination_not_found: 404, // no route matches
  destination_unavailable: 503,
  dns_error: 502,
  tls_certificate_error: 502,
  tls_protocol_error: 502,
  http_protocol_error: 502,
  http_response_incomplete: 502,
  http_response_timeout: 504,
  http_request_error: 400,
  http_request_denied: 403,
  proxy_internal_error: 500,
  connection_read_timeout: 504,
  connection_write_timeout: 504,
  drain_limit_reached: 503, // the gateway ends, and cut the request off
  client_gone: 499, // for logs alone: nobody is there to read it
};

/** The codes of cutover_requests_total: answers by class, then failures. Append only. */
export const CODES = ["1xx", "2xx", "3xx", "4xx", "5xx", ...FAILURES] as const;

/** Index into CODES. */
export function codeIndex(status: number, failure: Failure | null): number {
  if (failure !== null) return 5 + FAILURES.indexOf(failure);
  return Math.min(Math.max(Math.floor(status / 100), 1), 5) - 1;
}
