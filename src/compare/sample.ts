/** What is kept of an answer that differed, for a person to look at: redacted before it leaves the thread. */

import type { Answer, Pair } from "../model/pair.ts";
import type { AnswerSample } from "../model/reports.ts";
import type { Compare, Redact } from "../model/ruleset.ts";
import type { CompiledCompare } from "./compare.ts";
import { TooMuchWork } from "./debt.ts";
import { headerValue, publicValue } from "./headers.ts";
import { commonKind } from "./kinds.ts";
import { type OpenBody, type OpenPair, openPair } from "./open.ts";
import { readAs } from "./readers.ts";
import { redactPair } from "./redact-pair.ts";
import { cut } from "./text.ts";
import { hasRepeats, redactTree } from "./tree.ts";
import type { Tree, TreeRules } from "./tree-rules.ts";

/** Longest body text of a sample. */
export const MAX_BODY_CHARS = 64 * 1024;
const MAX_HEADER_CHARS = 4096;

/**
 * Samples of both answers: the compared headers and content-type alone, never one that holds credentials;
 * the decoded text, cut; null for bodies that are not text, could not be decoded, or could not be redacted. Bodies are
 * redacted together, so that the samples differ where the answers do.
 */
export function samplePair(
  pair: Pair,
  compiled: CompiledCompare,
  open: OpenPair = openPair(pair),
): { readonly old: AnswerSample; readonly new: AnswerSample } {
  const bodies = { old: open.old(), new: open.new() };
  const media = (body: OpenBody) => (body.kind === "open" ? body.media : "bytes");
  const kind = commonKind(compiled.compare.body, media(bodies.old), media(bodies.new));
  const samples = sampleBodies(bodies.old, bodies.new, kind, compiled);
  const sample = (answer: Answer, body: OpenBody, sampled: BodySample): AnswerSample => ({
    status: answer.status,
    headers: sampleHeaders(answer, compiled.compare),
    ...sampled,
    bodyBytes: body.kind === "open" ? body.bytes.byteLength : answer.body.byteLength,
  });
  return {
    old: sample(pair.old, bodies.old, samples.old),
    new: sample(pair.new, bodies.new, samples.new),
  };
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

type BodySample = Pick<AnswerSample, "body" | "whole" | "tree">;

interface BodySamples {
  readonly old: BodySample;
  readonly new: BodySample;
}

type Kind = ReturnType<typeof commonKind>;

const NOTHING: BodySample = { body: null, whole: false };

function sampleBodies(old: OpenBody, fresh: OpenBody, kind: Kind, compiled: CompiledCompare): BodySamples {
  const { compare, rules } = compiled;
  // With `body: off` a person has decided that bodies are nobody's business here.
  if (compare.body === "off") return { old: NOTHING, new: NOTHING };
  if (compare.redact.paths.length === 0)
    return { old: plainSample(old, kind), new: plainSample(fresh, kind) };
  const oldTree = treeOf(old, kind);
  const newTree = treeOf(fresh, kind);
  const both = oldTree === null || newTree === null ? null : redactedTogether(oldTree, newTree, rules);
  // Alone, nothing says whether the other side has the same: enough to read, and where that has no body, to judge.
  const alone = (body: OpenBody, tree: Tree | null, other: OpenBody): BodySample => {
    if (isEmpty(body)) return { body: "", whole: true };
    return tree === null ? NOTHING : treeSample(redactTree(tree, rules), kind, body, isEmpty(other));
  };
  if (oldTree === null || newTree === null || both === null)
    return { old: alone(old, oldTree, fresh), new: alone(fresh, newTree, old) };
  // Of a name that stands twice only the last value is in the tree.
  const isAll = !hasRepeats(oldTree) && !hasRepeats(newTree);
  return {
    old: treeSample(both.old, kind, old, isAll),
    new: treeSample(both.new, kind, fresh, isAll),
  };
}

function isEmpty(body: OpenBody): boolean {
  return body.kind === "open" && body.bytes.byteLength === 0 && !body.cut;
}

function plainSample(body: OpenBody, kind: Kind): BodySample {
  if (body.kind === "closed") return NOTHING;
  if (body.bytes.byteLength === 0) return { body: "", whole: !body.cut };
  const text = kind === "bytes" ? null : textOf(body);
  if (text === null) return NOTHING;
  return { body: cut(text, MAX_BODY_CHARS), whole: text.length <= MAX_BODY_CHARS && !body.cut };
}

/** Bodies of no declared kind are text when nothing in them says otherwise. */
function textOf(body: Extract<OpenBody, { readonly kind: "open" }>): string | null {
  const text = body.text();
  return body.media === "unknown" && text?.includes("\0") ? null : text;
}

/** Null: what cannot be read as a tree cannot be redacted. */
function treeOf(body: OpenBody, kind: Kind): Tree | null {
  if (body.kind === "closed" || kind === "text" || kind === "bytes" || isEmpty(body)) return null;
  const text = textOf(body);
  const reading = text === null ? null : readAs(kind === "unknown" ? "json" : kind, text);
  return reading?.kind === "tree" ? reading.tree : null;
}

/** Null: nobody can tell in time what is the same. */
function redactedTogether(old: Tree, fresh: Tree, rules: TreeRules): ReturnType<typeof redactPair> | null {
  try {
    return redactPair(old, fresh, rules);
  } catch (error) {
    if (error instanceof TooMuchWork) return null;
    throw error;
  }
}

/** As JSON, whatever it was. NDJSON stays one value a line, and like JSON is what it says it is. */
function treeSample(value: unknown, kind: Kind, body: OpenBody, isAll: boolean): BodySample {
  const lines = kind === "ndjson" && Array.isArray(value) ? value : [value];
  const text = lines.map((line) => JSON.stringify(line)).join("\n");
  const isWhole = isAll && text.length <= MAX_BODY_CHARS && body.kind === "open" && !body.cut;
  const isOther = kind !== "json" && kind !== "ndjson" && kind !== "unknown";
  return { body: cut(text, MAX_BODY_CHARS), whole: isWhole, ...(isOther ? { tree: true } : {}) };
}
