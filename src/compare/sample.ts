/** What is kept of an answer that differed, for a person to look at. */

import type { Answer, Pair } from "../model/pair.ts";
import type { AnswerSample } from "../model/reports.ts";
import type { Compare } from "../model/ruleset.ts";
import { headerValue, isSecretHeader } from "./headers.ts";
import { type OpenBody, type OpenPair, openPair } from "./open.ts";
import { cut } from "./text.ts";

/** Longest body text of a sample. */
export const MAX_BODY_CHARS = 64 * 1024;
const MAX_HEADER_CHARS = 4096;

/**
 * Samples of both answers: the compared headers and content-type alone, never one that holds credentials;
 * the decoded text, cut; null for bodies that are not text or could not be decoded.
 */
export function samplePair(
  pair: Pair,
  open: OpenPair = openPair(pair),
): { readonly old: AnswerSample; readonly new: AnswerSample } {
  return {
    old: sampleAnswer(pair.old, pair.compare, open.old()),
    new: sampleAnswer(pair.new, pair.compare, open.new()),
  };
}

function sampleAnswer(answer: Answer, compare: Compare, body: OpenBody): AnswerSample {
  const headers: [string, string][] = [];
  for (const given of new Set(["content-type", ...compare.headers])) {
    const name = given.toLowerCase();
    const value = headerValue(answer.headers, name);
    if (value !== null && !isSecretHeader(name)) headers.push([name, cut(value, MAX_HEADER_CHARS)]);
  }
  return {
    status: answer.status,
    headers: Object.fromEntries(headers),
    // With `body: off` a person has decided that bodies are nobody's business here.
    body: compare.body === "off" ? null : shownText(body),
    bodyBytes: body.kind === "open" ? body.bytes.byteLength : answer.body.byteLength,
  };
}

/** Bodies of no declared kind are text when nothing in them says otherwise. */
function shownText(body: OpenBody): string | null {
  if (body.kind === "closed" || body.media === "bytes") return null;
  const text = body.text();
  if (text === null || (body.media === "unknown" && text.includes("\0"))) return null;
  return cut(text, MAX_BODY_CHARS);
}
