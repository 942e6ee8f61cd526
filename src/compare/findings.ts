/**
 * The differences of one pair, bounded in number so that none hides another: a list of three hundred items that all
 * differ in one member must leave room for the one difference that comes after them, or noise would hide it.
 */

import type { Difference } from "../model/reports.ts";

/** A hundred places say what a thousand would. */
export const MAX_DIFFERENCES = 100;

export interface Findings {
  readonly differences: Difference[];
  /** By kind and template. */
  readonly counts: Map<string, number>;
  /** Differences beyond the first of their kind and template: those that can make room. */
  repeats: number;
}

export function createFindings(): Findings {
  return { differences: [], counts: new Map(), repeats: 0 };
}

/** Nothing further can be taken in, wherever it is. */
export function areFull({ differences, repeats }: Findings): boolean {
  return differences.length >= MAX_DIFFERENCES && repeats === 0;
}

/** Whether a further difference of that sort is taken in. */
export function hasRoomFor(findings: Findings, kind: Difference["kind"], template: string): boolean {
  if (findings.differences.length < MAX_DIFFERENCES) return true;
  return findings.repeats > 0 && !findings.counts.has(keyOf(kind, template));
}

/** Takes in a difference that there is room for; the last repetition goes where there is none left. */
export function addFinding(findings: Findings, difference: Difference): void {
  const { differences, counts } = findings;
  if (differences.length >= MAX_DIFFERENCES) dropRepeat(findings);
  const key = keyOf(difference.kind, difference.template);
  const count = counts.get(key) ?? 0;
  counts.set(key, count + 1);
  if (count > 0) findings.repeats++;
  differences.push(difference);
}

/** At most MAX_DIFFERENCES of them, in their order; repetitions are left out first. */
export function mostTelling(differences: readonly Difference[]): readonly Difference[] {
  if (differences.length <= MAX_DIFFERENCES) return differences;
  const findings = createFindings();
  for (const difference of differences) {
    if (hasRoomFor(findings, difference.kind, difference.template)) addFinding(findings, difference);
  }
  return findings.differences;
}

function dropRepeat(findings: Findings): void {
  const { differences, counts } = findings;
  const at = differences.findLastIndex(({ kind, template }) => (counts.get(keyOf(kind, template)) ?? 0) > 1);
  const [dropped] = at < 0 ? [] : differences.splice(at, 1);
  if (dropped === undefined) return;
  const key = keyOf(dropped.kind, dropped.template);
  counts.set(key, (counts.get(key) ?? 0) - 1);
  findings.repeats--;
}

function keyOf(kind: Difference["kind"], template: string): string {
  return `${kind} ${template}`;
}
