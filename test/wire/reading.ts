/**
 * A strict reading of requests (RFC 9112), written apart from the gateway's parsers so that the two cannot share a
 * mistake. Bytes are latin1 text.
 */

export type Framing = "none" | "length" | "chunked";

export interface Message {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Name and value, in order, as written. */
  readonly fields: readonly (readonly [string, string])[];
  readonly framing: Framing;
  readonly body: string;
}

/** `message` is there once its head is whole; its body holds what had come. */
export type Reading =
  | { readonly kind: "whole"; readonly message: Message; readonly endAt: number }
  | { readonly kind: "partial"; readonly message: Message | null }
  | { readonly kind: "malformed"; readonly why: string; readonly message: Message | null };

/**
 * "strict": what a backend must see. "tolerant": what a client may send without that two parsers could differ over
 * it: empty lines in front, several spaces in the request line, HTTP/1.0, chunk extensions, trailers.
 */
export type Tolerance = "strict" | "tolerant";

const STRICT_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP\/(1\.1)$/;
const TOLERANT_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) +([\x21-\x7e]+) +HTTP\/(1\.[01])$/;
const FIELD =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/;
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?$/;
const STRICT_CHUNK = /^([0-9A-Fa-f]{1,8})$/;
const TOLERANT_CHUNK = /^0*([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/;

/** Reads one request that begins at `from`. */
export function readRequest(bytes: string, from: number, tolerance: Tolerance): Reading {
  let at = from;
  if (tolerance === "tolerant") while (bytes[at] === "\r" || bytes[at] === "\n") at++;
  const headEndAt = bytes.indexOf("\r\n\r\n", at);
  if (headEndAt === -1) return { kind: "partial", message: null };
  const [line = "", ...fieldLines] = bytes.slice(at, headEndAt).split("\r\n");
  const parts = (tolerance === "strict" ? STRICT_LINE : TOLERANT_LINE).exec(line);
  if (parts === null) return malformed(`request line ${JSON.stringify(line)}`);
  const [, method = "", target = "", version = ""] = parts;
  const fields = readFields(fieldLines);
  if (typeof fields === "string") return malformed(fields);
  const fault = targetFault(method, target, tolerance) ?? hostFault(fields, version);
  if (fault !== null) return malformed(fault);
  const framing = framingOf(fields, version);
  if (typeof framing === "string") return malformed(framing);
  return readBody(bytes, headEndAt + 4, { method, target, version, fields }, framing, tolerance);
}

export interface Stream {
  readonly messages: readonly Message[];
  /** What follows the last whole message. */
  readonly rest: Reading;
}

/** Everything that a connection's bytes say, one request after the other. */
export function readStream(bytes: string, tolerance: Tolerance): Stream {
  const messages: Message[] = [];
  for (let at = 0; ; ) {
    const reading = readRequest(bytes, at, tolerance);
    if (reading.kind !== "whole") return { messages, rest: reading };
    messages.push(reading.message);
    at = reading.endAt;
  }
}

/** Values of a field, in order. */
export function valuesIn(fields: Message["fields"], name: string): string[] {
  return fields.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value);
}

function readFields(lines: readonly string[]): (readonly [string, string])[] | string {
  const fields: (readonly [string, string])[] = [];
  for (const line of lines) {
    const parts = FIELD.exec(line);
    if (parts === null) return `field line ${JSON.stringify(line.slice(0, 200))}`;
    fields.push([parts[1] as string, parts[2] as string]);
  }
  return fields;
}

function targetFault(method: string, target: string, tolerance: Tolerance): string | null {
  if (target.includes("#")) return "a target with a fragment";
  if (target.startsWith("/") || (target === "*" && method === "OPTIONS")) return null;
  const absolute = /^https?:\/\/([^/?#]*)/i.exec(target);
  if (tolerance === "tolerant" && absolute !== null && HOST.test(absolute[1] as string)) return null;
  return `target ${JSON.stringify(target)}`;
}

function hostFault(fields: Message["fields"], version: string): string | null {
  const hosts = valuesIn(fields, "host");
  if (hosts.length === 0) return version === "1.0" ? null : "no Host";
  if (hosts.length > 1) return "several Hosts";
  return HOST.test(hosts[0] as string) ? null : `Host ${JSON.stringify(hosts[0])}`;
}

type Length = { readonly kind: Framing; readonly bytes: number };

function framingOf(fields: Message["fields"], version: string): Length | string {
  const lengths = valuesIn(fields, "content-length");
  const codings = valuesIn(fields, "transfer-encoding");
  if (lengths.length > 1 || codings.length > 1) return "a length told twice";
  const [length] = lengths;
  const [coding] = codings;
  if (coding !== undefined) {
    if (length !== undefined) return "Content-Length and Transfer-Encoding";
    if (version === "1.0") return "Transfer-Encoding in HTTP/1.0";
    if (coding.toLowerCase() !== "chunked") return `Transfer-Encoding ${JSON.stringify(coding)}`;
    return { kind: "chunked", bytes: 0 };
  }
  if (length === undefined) return { kind: "none", bytes: 0 };
  return /^[0-9]{1,15}$/.test(length)
    ? { kind: "length", bytes: Number(length) }
    : `Content-Length ${JSON.stringify(length)}`;
}

function readBody(
  bytes: string,
  bodyAt: number,
  head: Omit<Message, "framing" | "body">,
  framing: Length,
  tolerance: Tolerance,
): Reading {
  if (framing.kind === "chunked") return readChunks(bytes, bodyAt, head, tolerance);
  const endAt = bodyAt + framing.bytes;
  const message = { ...head, framing: framing.kind, body: bytes.slice(bodyAt, endAt) };
  return endAt <= bytes.length ? { kind: "whole", message, endAt } : { kind: "partial", message };
}

function readChunks(
  bytes: string,
  bodyAt: number,
  head: Omit<Message, "framing" | "body">,
  tolerance: Tolerance,
): Reading {
  let body = "";
  let at = bodyAt;
  const soFar = (): Message => ({ ...head, framing: "chunked", body });
  for (;;) {
    const lineEndAt = bytes.indexOf("\r\n", at);
    if (lineEndAt === -1) return { kind: "partial", message: soFar() };
    const line = bytes.slice(at, lineEndAt);
    const size = (tolerance === "strict" ? STRICT_CHUNK : TOLERANT_CHUNK).exec(line)?.[1];
    if (size === undefined) return malformed(`chunk size ${JSON.stringify(line.slice(0, 100))}`, soFar());
    at = lineEndAt + 2;
    const chunkBytes = Number.parseInt(size, 16);
    if (chunkBytes === 0) break;
    body += bytes.slice(at, at + chunkBytes);
    at += chunkBytes;
    if (bytes.length < at + 2) return { kind: "partial", message: soFar() };
    if (bytes.slice(at, at + 2) !== "\r\n") return malformed("a chunk without its end", soFar());
    at += 2;
  }
  for (;;) {
    const lineEndAt = bytes.indexOf("\r\n", at);
    if (lineEndAt === -1) return { kind: "partial", message: soFar() };
    const line = bytes.slice(at, lineEndAt);
    at = lineEndAt + 2;
    if (line === "") return { kind: "whole", message: soFar(), endAt: at };
    if (!FIELD.test(line)) return malformed(`trailer ${JSON.stringify(line.slice(0, 100))}`, soFar());
  }
}

function malformed(why: string, message: Message | null = null): Reading {
  return { kind: "malformed", why, message };
}
