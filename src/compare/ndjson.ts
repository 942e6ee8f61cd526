/** JSON texts one a line (NDJSON, JSON Lines) or after record separators (RFC 7464), as one array. */

import { type ParsedPath, parsePath } from "../model/jsonpath.ts";
import { parseJson } from "./json.ts";
import { hasTooManyNodes, MAX_NODES, type Reading } from "./reading.ts";

const RECORD_SEPARATOR = "\x1e";
const UNREAD = parsePath("$[*]['#line']");

/**
 * `$[3].name` is a member of the fourth value. A line that is not JSON is `{"#line": "…"}`, so that it equals no
 * text that is JSON; empty lines count for nothing. Not NDJSON at all: no line is JSON.
 */
export function readNdjson(text: string): Reading {
  if (hasTooManyNodes(text)) return { kind: "too_large" };
  // Values may hold line ends where separators set them apart.
  const parts = text.includes(RECORD_SEPARATOR) ? text.split(RECORD_SEPARATOR) : text.split("\n");
  if (parts.length > MAX_NODES) return { kind: "too_large" };
  const items: string[] = [];
  let values = 0;
  for (const part of parts) {
    const line = part.trim();
    if (line === "") continue;
    const parsed = parseJson(line);
    if (parsed.kind === "too-deep") return { kind: "too_deep" };
    const isValue = parsed.kind === "json" && !looksLikeLine(parsed.value);
    if (parsed.kind === "json") values++;
    items.push(isValue ? line : JSON.stringify({ "#line": line }));
  }
  if (values === 0 && items.length > 0) return { kind: "not", why: "not NDJSON" };
  return readJoined(items, UNREAD);
}

/** JSON that could be taken for a line that is none. */
function looksLikeLine(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "#line");
}

/**
 * One array of JSON texts, read together: so numbers keep their digits, and names that are repeated are seen. `unread`
 * names texts in it that are no data.
 */
export function readJoined(items: readonly string[], unread: ParsedPath): Reading {
  const joined = parseJson(`[${items.join(",")}]`);
  if (joined.kind === "too-deep") return { kind: "too_deep" };
  if (joined.kind === "not-json") return { kind: "not", why: "not JSON" };
  return { kind: "tree", tree: { ...joined, unread } };
}
