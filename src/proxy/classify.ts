/** Errors of undici and of sockets, by the names of RFC 9209. */

import { errors } from "undici";
import type { Failure } from "../model/failures.ts";

/** The one error type that carries its failure with it: thrown by the gateway's own code. */
export class ProxyError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, message: string) {
    super(message);
    this.name = "ProxyError";
    this.failure = failure;
  }
}

const BY_CODE: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: "connection_refused",
  ECONNRESET: "connection_terminated",
  EPIPE: "connection_terminated",
  ECONNABORTED: "connection_terminated",
  ETIMEDOUT: "connection_timeout",
  EHOSTUNREACH: "destination_unavailable",
  ENETUNREACH: "destination_unavailable",
  EADDRNOTAVAIL: "destination_unavailable",
  ENOTFOUND: "dns_error",
  EAI_AGAIN: "dns_error",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "tls_certificate_error",
  UND_ERR_CONNECT_TIMEOUT: "connection_timeout",
  UND_ERR_HEADERS_TIMEOUT: "http_response_timeout",
  UND_ERR_BODY_TIMEOUT: "connection_read_timeout",
  UND_ERR_SOCKET: "connection_terminated",
  UND_ERR_HEADERS_OVERFLOW: "http_protocol_error",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "http_response_incomplete",
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: "http_request_error",
  // What a client sent that undici will not send on: the client's fault.
  UND_ERR_INVALID_ARG: "http_request_error",
  UND_ERR_NOT_SUPPORTED: "http_request_error",
};

export function failureOf(error: unknown): Failure {
  if (error instanceof ProxyError) return error.failure;
  // By its class: undici looks the code up in a table that runs the other way, so that it has none.
  if (error instanceof errors.HTTPParserError) return "http_protocol_error";
  if (error instanceof errors.SocketError && error.message === "bad upgrade") return "http_protocol_error";
  const code = codeOf(error);
  if (code === undefined) return "proxy_internal_error";
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (code.startsWith("ERR_TLS") || code.startsWith("CERT_") || code.includes("CERT")) {
    return "tls_certificate_error";
  }
  if (code.startsWith("ERR_SSL") || code === "EPROTO") return "tls_protocol_error";
  return "proxy_internal_error";
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  // A connection tried on several addresses fails with all their errors: the last says why.
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors.at(-1));
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}
