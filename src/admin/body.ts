/** Reads and checks what a POST carries. */

import type { IncomingMessage } from "node:http";
import type { ExplainRequest } from "./desk.ts";
import { Problem, quoted } from "./problem.ts";

const MAX_BODY_BYTES = 64 * 1024;
const MAX_REASON_CHARS = 500;
const MAX_URL_CHARS = 16 * 1024;
const MAX_HEADER_VALUES = 400;

/** RFC 9110 token: what a method and a field name consist of. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
/** RFC 9110 field value: visible characters, obs-text, spaces and tabs. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The JSON object of a request; an empty object where it has no body. Throws a Problem: 413 beyond 64 KiB,
 * 415 for another content type (which is also what keeps web forms of other sites out), 400 for bad JSON.
 */
export async function readJson(request: IncomingMessage): Promise<JsonObject> {
  const declared = Number(request.headers["content-length"] ?? 0);
  const chunked = request.headers["transfer-encoding"] !== undefined;
  if (declared === 0 && !chunked) return {};
  if (declared > MAX_BODY_BYTES) throw tooLarge();
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json" || request.headers["content-encoding"] !== undefined) {
    throw new Problem(
      415,
      "a body must be sent as `content-type: application/json`, without a content-encoding",
    );
  }
  const bytes = await readBytes(request);
  return bytes.length === 0 ? {} : parse(bytes);
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Not `for await`: leaving its loop early destroys the socket before the answer is out.
  await new Promise<void>((resolve, reject) => {
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
      else reject(tooLarge());
    });
    request.once("end", resolve);
    request.once("error", reject);
    request.once("close", () => reject(new Problem(400, "the body ended early")));
  });
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isObject(value)) return value;
  } catch {
    throw new Problem(400, "the body is not valid JSON in UTF-8");
  }
  throw new Problem(400, 'the body must be a JSON object, e.g. {"reason": "why"}');
}

/** Throws a Problem (400) where a body has other fields than these: a misspelt one must not be lost. */
export function refuseOthers(body: JsonObject, fields: readonly string[]): void {
  const stray = Object.keys(body).find((name) => !fields.includes(name));
  if (stray === undefined) return;
  const known = [fields.slice(0, -1).join(", "), fields.at(-1)].filter((part) => part !== "").join(" and ");
  const has = fields.length === 1 ? `${known} alone` : known;
  throw new Problem(400, `${quoted(stray)} is not a field of this body: it has ${has}`);
}

/** Of a body that has a reason and nothing else. Throws a Problem (400). */
export function onlyReason(body: JsonObject): string {
  refuseOthers(body, ["reason"]);
  return requiredReason(body);
}

/** The same, "" where there is none. */
export function onlyOptionalReason(body: JsonObject): string {
  refuseOthers(body, ["reason"]);
  return optionalReason(body);
}

/** The `reason` of an action, required: one line of at most 500 characters. Throws a Problem (400). */
export function requiredReason(body: JsonObject): string {
  const reason = optionalReason(body);
  if (reason !== "") return reason;
  throw new Problem(400, 'say why: {"reason": "…"} is required and must not be empty');
}

/** The `reason` of an action; "" where it has none. Throws a Problem (400) for an unusable one. */
function optionalReason(body: JsonObject): string {
  const { reason = "" } = body;
  if (typeof reason !== "string") throw new Problem(400, "reason must be a string");
  const trimmed = reason.trim();
  if (trimmed.length > MAX_REASON_CHARS) {
    throw new Problem(400, `reason has ${trimmed.length} characters: at most ${MAX_REASON_CHARS} are kept`);
  }
  // It is shown in terminals and logs, where control characters could pass for something else.
  if (/\p{Cc}/u.test(trimmed) || !trimmed.isWellFormed()) {
    throw new Problem(400, "reason must be one line of text without control characters");
  }
  return trimmed;
}

/** The request to be explained. Throws a Problem (400) that names the field and what it should be. */
export function explainRequest(body: JsonObject): ExplainRequest {
  refuseOthers(body, ["method", "url", "headers"]);
  const { method = "GET", url, headers = {} } = body;
  if (typeof method !== "string" || !TOKEN.test(method)) {
    throw new Problem(400, 'method must be an HTTP method, e.g. "GET"');
  }
  if (typeof url !== "string" || !isTarget(url)) {
    throw new Problem(
      400,
      'url must be a path ("/profiles/1?x=2") or an http(s) URL, in visible ASCII characters',
    );
  }
  return { method, url, headers: flatHeaders(headers) };
}

function isTarget(url: string): boolean {
  if (url.length > MAX_URL_CHARS || !/^[\x21-\x7e]+$/.test(url)) return false;
  return url.startsWith("/") || (/^https?:\/\//i.test(url) && URL.canParse(url));
}

/** From an object (name → value or values) or a flat list (name, value, name, value …) to a flat list. */
function flatHeaders(headers: unknown): readonly string[] {
  const flat = Array.isArray(headers)
    ? headers
    : isObject(headers)
      ? Object.entries(headers).flatMap(spread)
      : null;
  if (flat === null || flat.length % 2 !== 0 || flat.length > MAX_HEADER_VALUES || !flat.every(isUsable)) {
    throw new Problem(
      400,
      'headers must be {"name": "value"}, {"name": ["value", …]} or ["name", "value", …], ' +
        `valid HTTP names and values, at most ${MAX_HEADER_VALUES / 2}`,
    );
  }
  return flat;
}

function spread([name, value]: [string, unknown]): readonly unknown[] {
  return Array.isArray(value) ? value.flatMap((one: unknown) => [name, one]) : [name, value];
}

function isUsable(text: unknown, index: number): text is string {
  return typeof text === "string" && (index % 2 === 0 ? TOKEN : FIELD_VALUE).test(text);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function tooLarge(): Problem {
  return new Problem(413, `the body is larger than ${MAX_BODY_BYTES / 1024} KiB`, {
    headers: { connection: "close" },
  });
}
