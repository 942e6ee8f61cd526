/** One pair: status, chosen headers, body. Pure but for zlib; everything in it comes from strangers. */

import type { Comparison, Pair } from "../model/pair.ts";
import type { Difference } from "../model/reports.ts";
import type { Compare } from "../model/ruleset.ts";
import { compareBodies } from "./bodies.ts";
import { mostTelling } from "./findings.ts";
import { headerDifferences } from "./headers.ts";
import { type OpenPair, openPair } from "./open.ts";
import { statusDifference } from "./status.ts";
import { compileTreeRules, type TreeRules } from "./tree-rules.ts";

/** A route's `compare`, made ready once for a version of the rules. */
export interface CompiledCompare {
  readonly compare: Compare;
  readonly rules: TreeRules;
}

/** Throws an Error that names the JSONPath that is not one. */
export function compileCompare(compare: Compare): CompiledCompare {
  return { compare, rules: compileTreeRules(compare) };
}

/**
 * Compares two answers to one request. A body that cannot be compared within bounds makes the pair
 * `uncompared`, never a match; unless status or headers differ already. `compiled` decides, not `pair.compare`.
 */
export function comparePair(
  pair: Pair,
  compiled: CompiledCompare,
  open: OpenPair = openPair(pair),
): Comparison {
  const { compare, rules } = compiled;
  const differences: Difference[] = [];
  const status = statusDifference(pair.old.status, pair.new.status, compare.status);
  if (status !== null) differences.push(status);
  differences.push(...headerDifferences(pair.old.headers, pair.new.headers, compare));
  const body = compareBodies(pair, compare, rules, open);
  if (body.kind === "compared") differences.push(...body.differences);
  if (differences.length > 0) return { kind: "mismatch", differences: mostTelling(differences) };
  return body.kind === "undecided" ? { kind: "uncompared", why: body.why } : { kind: "match" };
}
