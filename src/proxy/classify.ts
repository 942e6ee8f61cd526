/** Errors of sockets, by the names of RFC 9209. */

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
};

export function failureOf(error: unknown): Failure {
  if (error instanceof ProxyError) return error.failure;
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
