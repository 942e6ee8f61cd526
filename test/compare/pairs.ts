/** Pairs for tests, spelled as briefly as they read. */

import assert from "node:assert/strict";

import { comparePair, compileCompare } from "../../src/compare/compare.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import type { Answer, Comparison, Pair } from "../../src/model/pair.ts";
import type { Difference } from "../../src/model/reports.ts";
import type { Compare } from "../../src/model/ruleset.ts";

export interface AnswerOptions {
  readonly status?: number;
  /** Flat. */
  readonly headers?: readonly string[];
  readonly type?: string | null;
  readonly encoding?: string;
  readonly cut?: boolean;
}

export function answer(body: string | Uint8Array, options: AnswerOptions = {}): Answer {
  const type = options.type === undefined ? "application/json" : options.type;
  return {
    status: options.status ?? 200,
    headers: [
      ...(type === null ? [] : ["Content-Type", type]),
      ...(options.encoding === undefined ? [] : ["Content-Encoding", options.encoding]),
      ...(options.headers ?? []),
    ],
    // A buffer of its own, as it arrives from a data-plane thread.
    body: new Uint8Array(typeof body === "string" ? Buffer.from(body) : body),
    cut: options.cut ?? false,
  };
}

export function pairOf(
  oldAnswer: Answer,
  newAnswer: Answer,
  compare: Partial<Compare> = {},
  rest: Partial<Pair> = {},
): Pair {
  return {
    route: "profiles",
    rulesVersion: "0123456789ab",
    compare: { ...DEFAULT_COMPARE, ...compare },
    requestId: "r-1",
    method: "GET",
    target: "/profiles/1",
    requestHeaders: [],
    unit: null,
    again: null,
    ticket: null,
    confirms: null,
    ...rest,
    old: oldAnswer,
    new: newAnswer,
  };
}

export function compared(pair: Pair): Comparison {
  return comparePair(pair, compileCompare(pair.compare));
}

/** Compares two bodies of one type. */
export function comparedBodies(
  oldBody: string | Uint8Array,
  newBody: string | Uint8Array,
  options: AnswerOptions & { readonly compare?: Partial<Compare> } = {},
): Comparison {
  return compared(pairOf(answer(oldBody, options), answer(newBody, options), options.compare));
}

/** "place kind" of each difference; the kind of comparison when there are none to list. */
export function placesOf(comparison: Comparison): string[] | string {
  if (comparison.kind !== "mismatch") return comparison.kind;
  return comparison.differences.map(({ place, kind }) => `${place} ${kind}`);
}

export interface Fact {
  readonly place: string;
  readonly kind: Difference["kind"];
  readonly old: string | null;
  readonly new: string | null;
}

/** The differences without templates and relations, which have tests of their own. */
export function factsOf(comparison: Comparison): readonly Fact[] {
  assert.equal(comparison.kind, "mismatch");
  if (comparison.kind !== "mismatch") return [];
  return comparison.differences.map((difference) => ({
    place: difference.place,
    kind: difference.kind,
    old: difference.old,
    new: difference.new,
  }));
}
