/** Everything that is done with one pair: new against old, old against itself, and what may be shown of it. */

import type { Compared, Comparison, Pair, Place } from "../model/pair.ts";
import type { Difference } from "../model/reports.ts";
import { type CompiledCompare, comparePair } from "./compare.ts";
import { openOnce } from "./open.ts";
import { redactTarget } from "./query.ts";
import { publicRequestHeaders, samplePair } from "./sample.ts";
import { placesOf } from "./tree.ts";

/** What is said of a pair before anything is known. */
function beginning({ pair, compiled }: { readonly pair: Pair; readonly compiled: CompiledCompare | null }) {
  const { route, rulesVersion, requestId, method, unit, ticket, confirms, isReverse = false } = pair;
  // Without rules that can be understood nothing can be redacted.
  const target = compiled === null ? "" : redactTarget(pair.target, compiled.compare.redact.query);
  return {
    kind: "compared",
    route,
    rulesVersion,
    requestId,
    method,
    target,
    unit,
    ticket,
    confirms,
    isReverse,
  } as const;
}

/** A pair of which nothing could be found out. */
export function unexamined(pair: Pair): Compared {
  const comparison: Comparison = { kind: "uncompared", why: "decode_failed" };
  const rest = { requestHeaders: [], noise: null, old: null, new: null };
  return { ...beginning({ pair, compiled: null }), comparison, ...rest };
}

/**
 * Compares new with old, and old's second answer with its first by the same rules. `mayShow` is asked, of a
 * mismatch alone, whether there is room for samples of the answers.
 */
export function examinePair(
  pair: Pair,
  compiled: CompiledCompare,
  mayShow: (differences: readonly Difference[]) => boolean,
): Compared {
  const old = openOnce(pair.old);
  const open = { old, new: openOnce(pair.new) };
  const comparison = comparePair(pair, compiled, open);
  const noise = noiseOf(pair, compiled, old);
  const found = { ...beginning({ pair, compiled }), noise };
  const nothing = { requestHeaders: [], old: null, new: null };
  if (comparison.kind !== "mismatch") return { ...found, comparison, ...nothing };
  if (!compiled.compare.samples) return { ...found, comparison: withoutTexts(comparison), ...nothing };
  const requestHeaders = publicRequestHeaders(pair.requestHeaders, compiled.compare.redact);
  if (!mayShow(comparison.differences)) return { ...found, comparison, ...nothing, requestHeaders };
  return { ...found, comparison, requestHeaders, ...samplePair(pair, compiled, open) };
}

/** Where old differs from itself; null: it was not asked twice, or its answers cannot be compared. */
function noiseOf(
  pair: Pair,
  compiled: CompiledCompare,
  old: ReturnType<typeof openOnce>,
): readonly Place[] | null {
  if (pair.again === null) return null;
  const repeat = { ...pair, new: pair.again };
  const comparison = comparePair(repeat, compiled, { old, new: openOnce(pair.again) });
  if (comparison.kind === "uncompared") return null;
  return comparison.kind === "match" ? [] : placesOf(comparison.differences);
}

type Mismatch = Extract<Comparison, { readonly kind: "mismatch" }>;

/** Nothing of the answers is left but where they differ; a relation's name may quote them too. */
function withoutTexts({ differences }: Mismatch): Mismatch {
  const bare = ({ relation, ...difference }: Difference): Difference => ({
    ...difference,
    old: null,
    new: null,
    relation: relation?.split('"')[0]?.trim() || null,
  });
  return { kind: "mismatch", differences: differences.map(bare) };
}
