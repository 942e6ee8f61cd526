/** One pair: status, chosen headers, body. Pure but for zlib; everything in it comes from strangers. */

import type { Comparison, Pair } from "../model/pair.ts";
import type { Difference } from "../model/reports.ts";
import type { Compare } from "../model/ruleset.ts";
import { codingsOf, sameBytes } from "./decode.ts";
import { diffJson, MAX_DIFFERENCES } from "./diff.ts";
import { headerDifferences, headerValue } from "./headers.ts";
import { type CompiledIgnore, compileIgnore, type OriginalIndexes, removeIgnored } from "./ignore.ts";
import { doublesSuffice, type ExactNumbers, type ParsedJson, parseExact, parseJson } from "./json.ts";
import { type BodyKind, type OpenBody, type OpenPair, openPair } from "./open.ts";
import { byteExcerptsAt, excerptsAt, MAX_TEXT_CHARS, shortJson, visible } from "./text.ts";

/** A route's `compare`, made ready once for a version of the rules. */
export interface CompiledCompare {
  readonly compare: Compare;
  readonly ignore: CompiledIgnore;
}

/** Throws an Error that names the JSONPath that is not one. */
export function compileCompare(compare: Compare): CompiledCompare {
  return { compare, ignore: compileIgnore(compare.ignore) };
}

/** The body's part of the verdict: no differences is a match. */
type BodyFindings =
  | { readonly kind: "compared"; readonly differences: readonly Difference[] }
  | { readonly kind: "undecided" };

const SAME: BodyFindings = { kind: "compared", differences: [] };
const UNDECIDED: BodyFindings = { kind: "undecided" };

/**
 * Compares two answers to one request. A body that cannot be compared within bounds makes the pair
 * `uncompared`, never a match; unless status or headers differ already. A body that cannot be decoded at all
 * beside one that can is a mismatch: clients can read the one and not the other.
 */
export function comparePair(
  pair: Pair,
  compiled: CompiledCompare,
  open: OpenPair = openPair(pair),
): Comparison {
  const { compare } = compiled;
  const differences: Difference[] = [];
  if (compare.status && pair.old.status !== pair.new.status) {
    differences.push({
      place: "status",
      kind: "status",
      old: String(pair.old.status),
      new: String(pair.new.status),
    });
  }
  differences.push(...headerDifferences(pair.old.headers, pair.new.headers, compare.headers));
  const body = compareBodies(pair, compiled, open);
  if (body.kind === "compared") differences.push(...body.differences);
  if (differences.length > 0) return { kind: "mismatch", differences: differences.slice(0, MAX_DIFFERENCES) };
  return body.kind === "undecided" ? { kind: "uncompared", why: "decode_failed" } : { kind: "match" };
}

function compareBodies(pair: Pair, compiled: CompiledCompare, open: OpenPair): BodyFindings {
  const wanted = compiled.compare.body;
  // The answer to HEAD has no body, whatever its headers say.
  if (wanted === "off" || pair.method === "HEAD" || compiled.ignore.whole) return SAME;
  if (sameCodings(pair) && sameBytes(pair.old.body, pair.new.body)) return SAME;

  const oldBody = open.old();
  const newBody = open.new();
  if (oldBody.kind === "closed" || newBody.kind === "closed") return compareClosed(oldBody, newBody);
  if (sameBytes(oldBody.bytes, newBody.bytes)) return SAME;
  const kind = wanted === "auto" ? commonKind(oldBody.media, newBody.media) : wanted;
  const oldText = kind === "bytes" ? null : oldBody.text();
  const newText = kind === "bytes" ? null : newBody.text();
  if (oldText === null || newText === null) {
    return different("body", "body", byteExcerptsAt(oldBody.bytes, newBody.bytes));
  }
  if (oldText === newText) return SAME;
  if (kind === "text") return different("body", "body", excerptsAt(oldText, newText));

  const oldJson = parseJson(oldText);
  const newJson = parseJson(newText);
  if (oldJson.kind === "too-deep" || newJson.kind === "too-deep") return UNDECIDED;
  if (oldJson.kind === "json" && newJson.kind === "json") {
    return { kind: "compared", differences: compareJson(oldJson, newJson, compiled.ignore) };
  }
  if (oldJson.kind === newJson.kind || kind === "unknown") {
    const excerpts =
      kind === "unknown" ? byteExcerptsAt(oldBody.bytes, newBody.bytes) : excerptsAt(oldText, newText);
    return different("body", "body", excerpts);
  }
  return different("$", "type", { old: shownJson(oldJson, oldText), new: shownJson(newJson, newText) });
}

function sameCodings(pair: Pair): boolean {
  const oldCodings = codingsOf(headerValue(pair.old.headers, "content-encoding"));
  const newCodings = codingsOf(headerValue(pair.new.headers, "content-encoding"));
  return oldCodings.join() === newCodings.join();
}

/** One or both could not be decoded. Only a broken coding beside a sound body says something about new. */
function compareClosed(oldBody: OpenBody, newBody: OpenBody): BodyFindings {
  const oneIsCorrupt =
    (oldBody.kind === "closed" && oldBody.corrupt && newBody.kind === "open") ||
    (newBody.kind === "closed" && newBody.corrupt && oldBody.kind === "open");
  if (!oneIsCorrupt) return UNDECIDED;
  const shown = (body: OpenBody): string =>
    body.kind === "closed" ? visible(body.why, MAX_TEXT_CHARS) : `${body.bytes.byteLength} bytes, decoded`;
  return different("body", "body", { old: shown(oldBody), new: shown(newBody) });
}

/**
 * How to compare bodies whose types are these. Where one says nothing the other counts; JSON beside text may
 * be JSON with a careless type, which parsing finds out; text has nothing in common with bytes but its bytes.
 */
function commonKind(oldKind: BodyKind, newKind: BodyKind): BodyKind {
  if (oldKind === newKind || newKind === "unknown") return oldKind;
  if (oldKind === "unknown") return newKind;
  return oldKind === "bytes" || newKind === "bytes" ? "bytes" : "json";
}

type Json = Extract<ParsedJson, { readonly kind: "json" }>;

function compareJson(oldJson: Json, newJson: Json, ignore: CompiledIgnore): readonly Difference[] {
  const longNumbers = oldJson.longNumbers.length + newJson.longNumbers.length;
  if (longNumbers === 0 || doublesSuffice([...oldJson.longNumbers, ...newJson.longNumbers])) {
    const indexes: OriginalIndexes = new Map();
    for (const json of [oldJson, newJson]) removeIgnored(ignore, json.value, json.value, indexes);
    const differences = diffJson(oldJson.value, newJson.value, indexes);
    // Found with doubles, but shown with all their digits.
    if (longNumbers === 0 || differences.length === 0) return differences;
  }
  const exactNumbers: ExactNumbers = new Map();
  const indexes: OriginalIndexes = new Map();
  const [oldTree, newTree] = [oldJson, newJson].map(({ text }) => {
    const tree = parseExact(text, exactNumbers);
    if (ignore.paths.length > 0) removeIgnored(ignore, tree, JSON.parse(text), indexes);
    return tree;
  });
  return diffJson(oldTree, newTree, indexes);
}

function shownJson(json: ParsedJson, text: string): string {
  if (json.kind === "json") return shortJson(json.value);
  return text === "" ? "(empty)" : `not JSON: ${visible(text, MAX_TEXT_CHARS - "not JSON: ".length)}`;
}

function different(
  place: string,
  kind: Difference["kind"],
  texts: { readonly old: string; readonly new: string },
): BodyFindings {
  return { kind: "compared", differences: [{ place, kind, ...texts }] };
}
