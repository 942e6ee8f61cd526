/** What a body is compared as. */

import type { BodyRule } from "../model/ruleset.ts";

/** Kinds that are read into the shape of JSON and compared member by member. */
export type TreeKind = "json" | "ndjson" | "form" | "xml" | "html" | "events";

/** "unknown": no content type; JSON if both sides parse, else text, else bytes. */
export type BodyKind = TreeKind | "text" | "bytes" | "unknown";

const KINDS: Readonly<Record<string, BodyKind>> = {
  "": "unknown",
  "application/json": "json",
  "text/json": "json",
  "application/x-amz-json-1.0": "json",
  "application/x-amz-json-1.1": "json",
  "application/x-ndjson": "ndjson",
  "application/ndjson": "ndjson",
  "application/jsonl": "ndjson",
  "application/jsonlines": "ndjson",
  "application/x-jsonlines": "ndjson",
  "application/json-seq": "ndjson",
  "application/x-www-form-urlencoded": "form",
  "application/xml": "xml",
  "text/xml": "xml",
  "text/html": "html",
  "application/xhtml+xml": "html",
  "text/event-stream": "events",
  "application/ecmascript": "text",
  "application/graphql": "text",
  "application/javascript": "text",
  "application/sql": "text",
  "application/toml": "text",
  "application/x-javascript": "text",
  "application/x-yaml": "text",
  "application/yaml": "text",
};

/** The kind of a media type's bodies; `essence` in lower case, without parameters, "" when there is none. */
export function kindOfType(essence: string): BodyKind {
  if (Object.hasOwn(KINDS, essence)) return KINDS[essence] ?? "unknown";
  if (essence.endsWith("+json")) return "json";
  if (essence.endsWith("+xml")) return "xml";
  if (essence.endsWith("+json-seq")) return "ndjson";
  return essence.startsWith("text/") ? "text" : "bytes";
}

/** Of two kinds that are not the same the one further in front is tried: it refuses what is not its own. */
const BY_STRICTNESS: readonly BodyKind[] = ["json", "xml", "html", "ndjson", "events", "form"];

/**
 * How to compare bodies of these kinds. What the rules say goes first. Where one type says nothing the other
 * counts; JSON beside text may be JSON with a careless type, which reading finds out; text has nothing in common
 * with bytes but its bytes.
 */
export function commonKind(rule: BodyRule, oldKind: BodyKind, newKind: BodyKind): BodyKind {
  if (rule !== "auto" && rule !== "off") return rule;
  if (oldKind === newKind || newKind === "unknown") return oldKind;
  if (oldKind === "unknown") return newKind;
  if (oldKind === "bytes" || newKind === "bytes") return "bytes";
  return BY_STRICTNESS.find((kind) => kind === oldKind || kind === newKind) ?? "text";
}
