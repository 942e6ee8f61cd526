/** Header fields of the two answers: lookup, media types, and the comparison of the chosen names. */

import type { Difference } from "../model/reports.ts";
import type { Compare, Redact } from "../model/ruleset.ts";
import { redactLinks } from "./query.ts";
import { REDACTED } from "./redact.ts";
import { MAX_TEXT_CHARS, visible } from "./text.ts";

/** Never stored and never shown, whatever was chosen: they let whoever reads them act as somebody else. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  "api-key",
  "authorization",
  "authentication-info",
  "cookie",
  "cookie2",
  "proxy-authorization",
  "proxy-authentication-info",
  "set-cookie",
  "set-cookie2",
  "x-amz-security-token",
  "x-api-key",
  "x-auth-token",
  "x-csrf-token",
  "x-cutover-token",
  "x-xsrf-token",
]);

function isSecretHeader(lowerCaseName: string): boolean {
  return SECRET_HEADERS.has(lowerCaseName);
}

/** The value of a header in a flat list; repeats joined in order, as RFC 9110 has it; null when absent. */
export function headerValue(flat: readonly string[], lowerCaseName: string): string | null {
  let joined: string | null = null;
  for (let at = 0; at + 1 < flat.length; at += 2) {
    if (flat[at]?.toLowerCase() !== lowerCaseName) continue;
    const value = (flat[at + 1] ?? "").trim();
    joined = joined === null ? value : `${joined}, ${value}`;
  }
  return joined;
}

interface MediaType {
  /** "application/json", in lower case; "" when there is none. */
  readonly essence: string;
  /** Lower case; null when not given. */
  readonly charset: string | null;
  /** Two media types that mean the same have the same text. */
  readonly normalized: string;
}

const PARAMETER = /;\s*([^=;\s]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)/g;

/** Reads a Content-Type value: case, spaces, quotes and the order of its parameters mean nothing. */
export function mediaTypeOf(contentType: string | null): MediaType {
  const text = contentType ?? "";
  const semicolon = text.indexOf(";");
  const essence = (semicolon < 0 ? text : text.slice(0, semicolon)).trim().toLowerCase();
  const parameters: string[] = [];
  let charset: string | null = null;
  for (const found of semicolon < 0 ? [] : text.slice(semicolon).matchAll(PARAMETER)) {
    const name = (found[1] ?? "").toLowerCase();
    const raw = (found[2] ?? "").trim();
    const value = raw.startsWith('"') && raw.endsWith('"') ? raw.slice(1, -1).replace(/\\(.)/g, "$1") : raw;
    if (name === "charset") charset ??= value.toLowerCase();
    parameters.push(`${name}=${JSON.stringify(name === "charset" ? value.toLowerCase() : value)}`);
  }
  // JSON is UTF-8 whether or not it says so (RFC 8259).
  const isJson = essence === "application/json" || essence.endsWith("+json");
  const telling = parameters.filter((parameter) => !(isJson && parameter === 'charset="utf-8"'));
  return { essence, charset, normalized: [essence, ...telling.sort()].join(";") };
}

/** One difference for each chosen header that the two answers do not share. */
export function headerDifferences(
  oldHeaders: readonly string[],
  newHeaders: readonly string[],
  { headers, redact }: Pick<Compare, "headers" | "redact">,
): readonly Difference[] {
  const differences: Difference[] = [];
  for (const given of headers) {
    const name = given.toLowerCase();
    const oldValue = headerValue(oldHeaders, name);
    const newValue = headerValue(newHeaders, name);
    if (comparable(name, oldValue) === comparable(name, newValue)) continue;
    differences.push({
      place: `header:${name}`,
      template: `header:${name}`,
      kind: "header",
      old: shown(name, oldValue, redact),
      new: shown(name, newValue, redact),
      relation: null,
    });
  }
  return differences;
}

/** A header's value as people may see it; null for one that is never shown, nor said to be there. */
export function publicValue(lowerCaseName: string, value: string, redact: Redact): string | null {
  if (isSecretHeader(lowerCaseName)) return null;
  if (redact.headers.includes(lowerCaseName)) return REDACTED;
  return redactLinks(value, redact.query);
}

function comparable(name: string, value: string | null): string | null {
  return name === "content-type" && value !== null ? mediaTypeOf(value).normalized : value;
}

function shown(name: string, value: string | null, redact: Redact): string | null {
  if (value === null) return null;
  const seen = publicValue(name, value, redact);
  return seen === null ? "(a secret, not shown)" : visible(seen, MAX_TEXT_CHARS);
}
