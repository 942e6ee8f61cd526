/** What came in during a step: counts by metric and side, how fast, and which keys new failed most. */

import { type BusyKeys, createBusyKeys, forgetBusyKeys, noteBusyKey } from "./busy-keys.ts";
import type { Counts, Metric } from "./metric.ts";
import { type Batch, countEvents, KIND_OF, METRIC_OF } from "./observation.ts";
import { createPace, notePace, type Pace } from "./pace.ts";
import { createCounts } from "./sequential-test.ts";

export interface StepCounts {
  stepStartedMs: number;
  /** Every request, repeats of a key too. */
  readonly step: Record<Metric, Counts>;
  /** Shadows of new, and those that failed where old answered well. */
  readonly shadows: { answers: number; failed: number };
  /** How fast answers of new and compared pairs come in. */
  answerPace: Pace;
  pairPace: Pace;
  readonly busyKeys: Record<Metric, BusyKeys>;
}

export function createStepCounts(nowMs: number): StepCounts {
  return {
    stepStartedMs: nowMs,
    step: byMetric(createCounts),
    shadows: { answers: 0, failed: 0 },
    answerPace: createPace(nowMs),
    pairPace: createPace(nowMs),
    busyKeys: byMetric(createBusyKeys),
  };
}

function byMetric<T>(create: () => T): Record<Metric, T> {
  return { errors: create(), "client-errors": create(), latency: create(), mismatches: create() };
}

/** A new step: nothing has come in. */
export function clearStepCounts(counts: StepCounts, nowMs: number): void {
  counts.stepStartedMs = nowMs;
  counts.answerPace = createPace(nowMs);
  for (const metric of ["errors", "client-errors", "latency"] as const) clear(counts, metric);
  clearPairs(counts, nowMs);
}

/** No pair was compared in this step. */
export function clearPairs(counts: StepCounts, nowMs: number): void {
  counts.pairPace = createPace(nowMs);
  counts.shadows.answers = 0;
  counts.shadows.failed = 0;
  clear(counts, "mismatches");
}

function clear({ step, busyKeys }: StepCounts, metric: Metric): void {
  const { answers, failed } = step[metric];
  answers.old = 0;
  answers.new = 0;
  failed.old = 0;
  failed.new = 0;
  forgetBusyKeys(busyKeys[metric]);
}

/** Adds a batch. */
export function countStep(counts: StepCounts, batch: Batch, nowMs: number): void {
  const answersOfNew = batch.cleanNew + countEvents(batch, "error", "new");
  notePace(counts.answerPace, answersOfNew, nowMs);
  for (const metric of ["errors", "client-errors", "latency"] as const) {
    const { answers, failed } = counts.step[metric];
    answers.new += answersOfNew;
    answers.old += batch.old.answers;
    failed.new += countEvents(batch, KIND_OF[metric], "new");
    failed.old += metric === "errors" ? batch.old.errors : countEvents(batch, KIND_OF[metric], "old");
  }
  for (const { kind, side, unit } of batch.events)
    if (side === "new") noteUnit(counts, METRIC_OF[kind], unit);
  countPairs(counts, batch, nowMs);
}

function countPairs(counts: StepCounts, { comparisons, shadows }: Batch, nowMs: number): void {
  const { match, mismatchUnits, noise } = comparisons;
  const differing = noise === undefined ? mismatchUnits : [...mismatchUnits, ...noise.freshUnits];
  const { answers, failed } = counts.step.mismatches;
  answers.new += match + differing.length;
  failed.new += differing.length;
  counts.shadows.answers += shadows?.answers ?? match + differing.length;
  counts.shadows.failed += shadows?.failed ?? 0;
  notePace(counts.pairPace, match + differing.length, nowMs);
  for (const unit of differing) noteUnit(counts, "mismatches", unit);
}

function noteUnit({ busyKeys }: StepCounts, metric: Metric, unit: string | null): void {
  if (unit !== null) noteBusyKey(busyKeys[metric], unit);
}
