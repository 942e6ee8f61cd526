/** The address of a trace collector, as `serve --otlp` takes it. */

import { ValueError } from "./address.ts";

const MAX_URL_CHARS = 2_000;

/**
 * Reads the base URL of an OTLP/HTTP collector; OpenTelemetry's own word for it is OTEL_EXPORTER_OTLP_ENDPOINT. Returns
 * it without a slash at its end. Throws ValueError.
 */
export function parseOtlpUrl(text: string): string {
  const trimmed = text.trim();
  if (!/^https?:\/\//i.test(trimmed) || !URL.canParse(trimmed) || trimmed.length > MAX_URL_CHARS)
    throw new ValueError("Write a URL, such as http://127.0.0.1:4318");
  const url = new URL(trimmed);
  if (url.username !== "" || url.password !== "") {
    throw new ValueError(
      'Leave the credentials out: OTEL_EXPORTER_OTLP_HEADERS carries them, such as "authorization=Bearer …"',
    );
  }
  if (url.search !== "" || url.hash !== "") throw new ValueError("Leave out what stands behind ? or #");
  const base = url.href.replace(/\/+$/, "");
  if (base.endsWith("/v1/traces")) {
    throw new ValueError(`Leave /v1/traces out, it is added: ${base.slice(0, -"/v1/traces".length)}`);
  }
  return base;
}
