/** What is kept of an answer that differed, for a person to look at: redacted before it leaves the thread. */

import type { Answer, Pair } from "../model/pair.ts";
import type { AnswerSample } from "../model/reports.ts";
import type { Compare, Redact } from "../model/ruleset.ts";
import type { CompiledCompare } from "./compare.ts";
import { headerValue, publicValue } from "./headers.ts";
import { commonKind } from "./kinds.ts";
import { type OpenBody, type OpenPair, openPair } from "./open.ts";
import { readAs } from "./readers.ts";
import { cut } from "./text.ts";
import { redactTree, type TreeRules } from "./tree.ts";

/** Longest body text of a sample. */
export const MAX_BODY_CHARS = 64 * 1024;
const MAX_HEADER_CHARS = 4096;

/**
 * Samples of both answers: the compared headers and content-type alone, never one that holds credentials;
 * the decoded text, cut; null for bodies that are not text, could not be decoded, or could not be redacted.
 */
export function samplePair(
  pair: Pair,
  compiled: CompiledCompare,
  open: OpenPair = openPair(pair),
): { readonly old: AnswerSample; readonly new: AnswerSample } {
  const bodies = { old: open.old(), new: open.new() };
  const media = (body: OpenBody) => (body.kind === "open" ? body.media : "bytes");
  const kind = commonKind(compiled.compare.body, media(bodies.old), media(bodies.new));
  const sample = (answer: Answer, body: OpenBody): AnswerSample => ({
    status: answer.status,
    headers: sampleHeaders(answer, compiled.compare),
    ...sampleBody(body, kind, compiled),
    bodyBytes: body.kind === "open" ? body.bytes.byteLength : answer.body.byteLength,
  });
  return { old: sample(pair.old, bodies.old), new: sample(pair.new, bodies.new) };
}

/** Fields of the request, flat, without secrets; those that the rules name are there by name alone. */
export function publicRequestHeaders(flat: readonly string[], redact: Redact): readonly string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const name = flat[at] ?? "";
    const value = publicValue(name.toLowerCase(), flat[at + 1] ?? "", redact);
    if (value !== null) kept.push(name, value);
  }
  return kept;
}

function sampleHeaders(answer: Answer, { headers, redact }: Compare): Record<string, string> {
  const kept: [string, string][] = [];
  for (const given of new Set(["content-type", ...headers])) {
    const name = given.toLowerCase();
    const value = headerValue(answer.headers, name);
    const seen = value === null ? null : publicValue(name, value, redact);
    if (seen !== null) kept.push([name, cut(seen, MAX_HEADER_CHARS)]);
  }
  return Object.fromEntries(kept);
}

type BodySample = Pick<AnswerSample, "body" | "whole">;

const NOTHING: BodySample = { body: null, whole: false };

function sampleBody(
  body: OpenBody,
  kind: ReturnType<typeof commonKind>,
  { compare, rules }: CompiledCompare,
): BodySample {
  // With `body: off` a person has decided that bodies are nobody's business here.
  if (compare.body === "off" || body.kind === "closed") return NOTHING;
  if (body.bytes.byteLength === 0) return { body: "", whole: !body.cut };
  if (kind === "bytes") return NOTHING;
  const text = body.text();
  // Bodies of no declared kind are text when nothing in them says otherwise.
  if (text === null || (body.media === "unknown" && text.includes("\0"))) return NOTHING;
  if (compare.redact.paths.length > 0) return redacted(text, kind, rules);
  return { body: cut(text, MAX_BODY_CHARS), whole: text.length <= MAX_BODY_CHARS && !body.cut };
}

/** As JSON, whatever it was: what cannot be read as a tree cannot be redacted. NDJSON stays one value a line. */
function redacted(text: string, kind: ReturnType<typeof commonKind>, rules: TreeRules): BodySample {
  if (kind === "text" || kind === "bytes") return NOTHING;
  const reading = readAs(kind === "unknown" ? "json" : kind, text);
  if (reading.kind !== "tree") return NOTHING;
  const tree = redactTree(reading.tree, rules);
  const lines = kind === "ndjson" && Array.isArray(tree) ? tree : [tree];
  return { body: cut(lines.map((line) => JSON.stringify(line)).join("\n"), MAX_BODY_CHARS), whole: false };
}
