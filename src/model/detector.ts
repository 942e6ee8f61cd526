/**
 * One route's guard: batches of observations in, evidence and trips out. Plain data that is changed in place;
 * the caller says what time it is. Give it a clock that does not jump (milliseconds from any origin).
 */

import { feed } from "./bets.ts";
import { type Batch, countEvents, KIND_OF, type Trip } from "./observation.ts";
import { createOldRate, type OldRate, recordOld } from "./old-rate.ts";
import { type Guard, type Side, WHOLE_PPM } from "./ruleset.ts";
import {
  type Counts,
  createCounts,
  createTest,
  evidenceOfTest,
  floorTest,
  type Metric,
  type SequentialTest,
  sameMeaning,
  startTestStep,
  type TestSpec,
} from "./sequential-test.ts";
import { statusWords } from "./trip-words.ts";

export type { Batch, FailureEvent, Trip } from "./observation.ts";
export type { Metric } from "./sequential-test.ts";

export interface Detector {
  guard: Guard;
  tests: readonly SequentialTest[];
  readonly old: OldRate;
  /** The second since the origin of time that wealth was last floored in. */
  second: number;
  stepStartedMs: number;
  /** Of this step, every request, repeats of a key too. */
  readonly step: Record<Metric, Counts>;
}

/** Keys of a share that stands still count again after so long. */
const LONGEST_STEP_MS = 24 * 60 * 60 * 1000;
/** By its definition, slower than old's p99, one in a hundred of old's answers is slow. */
const OLD_SLOW_RATE = 0.01;
/** The finest rate that rules can name; a limit of 0% is bet on as this. */
const LEAST_RATE = 1e-6;

/** Begins without evidence. */
export function createDetector(guard: Guard, nowMs: number): Detector {
  return {
    guard,
    tests: testsOf(guard).map((spec) => createTest(spec, nowMs)),
    old: createOldRate(),
    second: Math.floor(nowMs / 1000),
    stepStartedMs: nowMs,
    step: {
      errors: createCounts(),
      "client-errors": createCounts(),
      latency: createCounts(),
      mismatches: createCounts(),
    },
  };
}

function testsOf(guard: Guard): TestSpec[] {
  const specs: TestSpec[] = [];
  const { errors, latency, mismatches } = guard;
  if (errors !== null) {
    specs.push({ metric: "errors", kind: "relative", limit: errors.ratio });
    specs.push({ metric: "errors", kind: "absolute", limit: Math.max(LEAST_RATE, errors.maxRate) });
    specs.push({ metric: "client-errors", kind: "relative", limit: errors.ratio });
  }
  if (latency !== null) {
    specs.push({ metric: "latency", kind: "relative", limit: latency.ratio });
    specs.push({ metric: "latency", kind: "absolute", limit: Math.min(0.5, latency.ratio * OLD_SLOW_RATE) });
  }
  if (mismatches !== null) {
    specs.push({ metric: "mismatches", kind: "absolute", limit: Math.max(LEAST_RATE, mismatches.maxRate) });
  }
  return specs;
}

/** Wealth at which a test trips: the route's tests share one budget of false alarms. */
function lnThreshold(d: Detector): number {
  // Below 2 there would be no scale to measure evidence on.
  return Math.log(Math.max(2, d.guard.falseAlarmSeconds * d.tests.length));
}

/**
 * Takes a batch in and answers whether a limit is crossed. It looks after each failure of new, never waits for
 * samples, and answers null where nothing was observed of new. After a trip the caller latches the route; a
 * detector that goes on being fed may trip again.
 */
export function observe(d: Detector, batch: Batch, nowMs: number): Trip | null {
  if (nowMs - d.stepStartedMs >= LONGEST_STEP_MS) startStep(d, nowMs);
  const second = Math.floor(nowMs / 1000);
  if (second !== d.second) {
    d.second = second;
    for (const test of d.tests) floorTest(test, nowMs);
  }
  // At the whole share what is left to old (never, pins) is another sort of traffic: no measure for new.
  if (batch.sharePpm < WHOLE_PPM) recordOld(d.old, batch.old.answers, batch.old.errors, nowMs);
  countStep(d, batch);
  const now = { old: d.old, lnThreshold: lnThreshold(d), nowMs };
  let first: Trip | null = null;
  // All tests are fed, also after a trip: each keeps its own account.
  for (const test of d.tests) {
    const trip = feed(test, batch, now);
    first ??= trip;
  }
  return first;
}

function countStep(d: Detector, batch: Batch): void {
  const answersOfNew = batch.cleanNew + countEvents(batch, "error", "new");
  for (const metric of ["errors", "client-errors", "latency"] as const) {
    const counts = d.step[metric];
    counts.answers.new += answersOfNew;
    counts.answers.old += batch.old.answers;
    counts.failed.new += countEvents(batch, KIND_OF[metric], "new");
    counts.failed.old += metric === "errors" ? batch.old.errors : countEvents(batch, KIND_OF[metric], "old");
  }
  const { match, mismatchUnits } = batch.comparisons;
  d.step.mismatches.answers.new += match + mismatchUnits.length;
  d.step.mismatches.failed.new += mismatchUnits.length;
}

/** Evidence for each guarded metric, ln E / ln c and never below 0: 1 trips. The greatest of a metric's tests. */
export function evidenceOf(d: Detector): Record<string, number> {
  const threshold = lnThreshold(d);
  const evidence: Record<string, number> = {};
  for (const test of d.tests) {
    const { metric } = test.spec;
    evidence[metric] = Math.max(evidence[metric] ?? 0, evidenceOfTest(test, threshold));
  }
  return evidence;
}

/** Takes new settings over; a test whose meaning (metric and limit) did not change keeps its evidence. */
export function reconfigure(d: Detector, guard: Guard, nowMs: number): void {
  d.guard = guard;
  d.tests = testsOf(guard).map(
    (spec) => d.tests.find((test) => sameMeaning(test.spec, spec)) ?? createTest(spec, nowMs),
  );
}

/** The share has changed: the step's counts begin at 0 and keys may count again; evidence stays. */
export function startStep(d: Detector, nowMs: number): void {
  d.stepStartedMs = nowMs;
  for (const test of d.tests) startTestStep(test);
  for (const { answers, failed } of Object.values(d.step)) {
    answers.old = 0;
    answers.new = 0;
    failed.old = 0;
    failed.new = 0;
  }
}

/** A latch was reset: a new step with no evidence at all. What is known of old's own rate stays. */
export function startAfresh(d: Detector, nowMs: number): void {
  startStep(d, nowMs);
  d.tests = d.tests.map(({ spec }) => createTest(spec, nowMs));
}

/** Answers and errors of this step by side: the samples that a pass needs, and a rollback reports. */
export function countsOf(d: Detector): { samples: Record<Side, number>; errors: Record<Side, number> } {
  const { answers, failed } = d.step.errors;
  return { samples: { ...answers }, errors: { ...failed } };
}

/** Words for status: "errors 3/18,204 new vs 61/345,871 old, evidence 0.02 of 1; …". */
export function explainEvidence(d: Detector): string {
  return statusWords(evidenceOf(d), d.step);
}
