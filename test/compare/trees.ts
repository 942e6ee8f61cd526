/** Trees for tests, spelled as briefly as they read. */

import assert from "node:assert/strict";

import { parseJson } from "../../src/compare/json.ts";
import { diffTrees, redactTree } from "../../src/compare/tree.ts";
import { compileTreeRules, type Tree } from "../../src/compare/tree-rules.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import type { Difference } from "../../src/model/reports.ts";
import type { Compare } from "../../src/model/ruleset.ts";

/** JSON texts are taken as they are, everything else is made one. */
export function treeOf(json: unknown): Tree {
  const parsed = parseJson(typeof json === "string" ? json : JSON.stringify(json));
  assert.ok(parsed.kind === "json");
  return parsed;
}

/** A tree that is no JSON, as XML is read. */
export function otherTree(value: unknown): Tree {
  return { value, text: null, longNumbers: [] };
}

export const plainRules = compileTreeRules(DEFAULT_COMPARE);

export function diff(old: unknown, fresh: unknown, compare: Partial<Compare> = {}): readonly Difference[] {
  return diffTrees(treeOf(old), treeOf(fresh), compileTreeRules({ ...DEFAULT_COMPARE, ...compare }));
}

/** "place kind" of each difference. */
export function places(old: unknown, fresh: unknown, compare: Partial<Compare> = {}): string[] {
  return diff(old, fresh, compare).map(({ place, kind }) => `${place} ${kind}`);
}

export function redacting(...paths: string[]): Partial<Compare> {
  return { redact: { paths, headers: [], query: [] } };
}

export function redacted(json: unknown, compare: Partial<Compare>): string {
  return JSON.stringify(redactTree(treeOf(json), compileTreeRules({ ...DEFAULT_COMPARE, ...compare })));
}
