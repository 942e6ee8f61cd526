/**
 * One route's guard: batches of observations in, evidence and trips out. Plain data that is changed in place;
 * the caller says what time it is. Give it a clock that does not jump (milliseconds from any origin).
 */

import { feed } from "./bets.ts";
import { CLIENT_ERRORS_MAX_RATE } from "./client-error-limit.ts";
import { type Batch, clientErrorsOf, type Trip } from "./observation.ts";
import { createOldRate, type OldRate, recordOld } from "./old-rate.ts";
import {
  createPairedTest,
  feedPaired,
  floorPaired,
  type PairedTest,
  pairedEvidence,
  startPairedStep,
} from "./paired-test.ts";
import { type Guard, type Side, WHOLE_PPM } from "./ruleset.ts";
import {
  createTest,
  evidenceOfTest,
  floorTest,
  recountKeys,
  type SequentialTest,
  sameMeaning,
  startTestStep,
  type TestSpec,
} from "./sequential-test.ts";
import { clearPairs, clearStepCounts, countStep, createStepCounts, type StepCounts } from "./step-counts.ts";
import { statusWords } from "./trip-words.ts";

export type { Batch, FailureEvent, Trip } from "./observation.ts";

export interface Detector extends StepCounts {
  guard: Guard;
  tests: readonly SequentialTest[];
  /** Mismatches by triples; null: they are not guarded, or noise is not measured. */
  paired: PairedTest | null;
  readonly old: OldRate;
  /** The same of its 4xx. */
  readonly oldClientErrors: OldRate;
  /** The second since the origin of time that wealth was last floored in. */
  second: number;
  /** When keys were last let count again. */
  keysSinceMs: number;
}

/** Keys of a share that stands still count again after so long. */
const LONGEST_STEP_MS = 24 * 60 * 60 * 1000;
/** By its definition, slower than old's p99, one in a hundred of old's answers is slow. */
const OLD_SLOW_RATE = 0.01;
/** The finest rate that rules can name; a limit of 0% is bet on as this. */
const LEAST_RATE = 1e-6;

/** What pairs are held to while noise should be known and is not: only a new that is mostly wrong differs so often. */
const BLIND_LIMIT = 0.5;

/** Begins without evidence. `measuresNoise`: some shadows ask old twice. */
export function createDetector(guard: Guard, nowMs: number, measuresNoise = false): Detector {
  return {
    guard,
    tests: testsOf(guard, measuresNoise).map((spec) => createTest(spec, nowMs)),
    paired: pairedOf(guard, measuresNoise),
    old: createOldRate(),
    oldClientErrors: createOldRate(),
    second: Math.floor(nowMs / 1000),
    keysSinceMs: nowMs,
    ...createStepCounts(nowMs),
  };
}

function pairedOf({ mismatches }: Guard, measuresNoise: boolean): PairedTest | null {
  return measuresNoise && mismatches !== null ? createPairedTest(mismatchLimit(mismatches)) : null;
}

function mismatchLimit({ maxRate }: { readonly maxRate: number }): number {
  return Math.max(LEAST_RATE, maxRate);
}

function testsOf(guard: Guard, measuresNoise: boolean): TestSpec[] {
  const specs: TestSpec[] = [];
  const { errors, clientErrors, latency, mismatches } = guard;
  if (errors !== null) {
    specs.push({ metric: "errors", kind: "relative", limit: errors.ratio });
    specs.push({ metric: "errors", kind: "absolute", limit: Math.max(LEAST_RATE, errors.maxRate) });
  }
  if (errors !== null && clientErrors !== "off") {
    specs.push({ metric: "client-errors", kind: "relative", limit: errors.ratio });
    specs.push({ metric: "client-errors", kind: "absolute", limit: CLIENT_ERRORS_MAX_RATE });
  }
  if (latency !== null) {
    specs.push({ metric: "latency", kind: "relative", limit: latency.ratio });
    specs.push({ metric: "latency", kind: "absolute", limit: Math.min(0.5, latency.ratio * OLD_SLOW_RATE) });
  }
  if (mismatches !== null) {
    const limit = mismatchLimit(mismatches);
    specs.push({ metric: "mismatches", kind: "absolute", limit });
    if (measuresNoise)
      specs.push({ metric: "mismatches", kind: "blind", limit: Math.max(BLIND_LIMIT, limit) });
  }
  return specs;
}

/**
 * Parts that the budget is in: one for each test, and two for triples (noisy places, and all others). The blind test
 * takes none: it bets only while no triples come, out of their part. Nor does the absolute one of 4xx: it bets only
 * at the whole share, where the relative one does not, out of that one's part.
 */
function shares({ tests, paired }: Detector): number {
  const parts = tests.filter(({ spec }) => spec.metric !== "client-errors" || spec.kind === "relative");
  return parts.length + (paired === null ? 0 : 1);
}

/** Wealth at which a test trips: the route's tests share one budget of false alarms. */
function lnThreshold(d: Detector): number {
  // Below 2 there would be no scale to measure evidence on.
  return Math.log(Math.max(2, d.guard.falseAlarmSeconds * shares(d)));
}

/**
 * Takes a batch in and answers whether a limit is crossed. It looks after each failure of new, never waits for
 * samples, and answers null where nothing was observed of new. After a trip the caller latches the route; a
 * detector that goes on being fed may trip again.
 */
export function observe(d: Detector, batch: Batch, nowMs: number): Trip | null {
  if (nowMs - d.keysSinceMs >= LONGEST_STEP_MS) letKeysCountAgain(d, nowMs);
  const second = Math.floor(nowMs / 1000);
  if (second !== d.second) {
    d.second = second;
    for (const test of d.tests) floorTest(test, nowMs);
    if (d.paired !== null) floorPaired(d.paired);
  }
  // At the whole share what is left to old (never, pins) is another sort of traffic: no measure for new.
  if (batch.sharePpm < WHOLE_PPM) {
    recordOld(d.old, batch.old.answers, batch.old.errors, nowMs);
    recordOld(d.oldClientErrors, batch.old.answers, clientErrorsOf(batch, "old"), nowMs);
  }
  countStep(d, batch, nowMs);
  const { old, oldClientErrors } = d;
  const tolerance = d.guard.errors?.ratio ?? 1;
  const now = { old, oldClientErrors, tolerance, lnThreshold: lnThreshold(d), nowMs };
  let first: Trip | null = null;
  // All tests are fed, also after a trip: each keeps its own account.
  for (const test of d.tests) {
    const trip = feed(test, batch, now);
    first ??= trip;
  }
  const { noise } = batch.comparisons;
  if (d.paired !== null && noise !== undefined) {
    const trip = feedPaired(d.paired, noise, now.lnThreshold, nowMs);
    first ??= trip;
  }
  return first;
}

/**
 * Evidence for each guarded metric, ln E / ln c and never below 0: 1 trips. The greatest of a metric's tests, those
 * that are `wanted`.
 */
export function evidenceOf(
  d: Detector,
  wanted: (spec: TestSpec) => boolean = () => true,
): Record<string, number> {
  const threshold = lnThreshold(d);
  const evidence: Record<string, number> = {};
  for (const test of d.tests) {
    if (!wanted(test.spec)) continue;
    const { metric } = test.spec;
    evidence[metric] = Math.max(evidence[metric] ?? 0, evidenceOfTest(test, threshold));
  }
  if (d.paired !== null)
    evidence.mismatches = Math.max(evidence.mismatches ?? 0, pairedEvidence(d.paired, threshold));
  return evidence;
}

/** Takes new settings over; a test whose meaning (metric and limit) did not change keeps its evidence. */
export function reconfigure(d: Detector, guard: Guard, nowMs: number, measuresNoise = false): void {
  const paired = pairedOf(guard, measuresNoise);
  if (paired === null || paired.limit !== d.paired?.limit) d.paired = paired;
  d.guard = guard;
  d.tests = testsOf(guard, measuresNoise).map(
    (spec) => d.tests.find((test) => sameMeaning(test.spec, spec)) ?? createTest(spec, nowMs),
  );
}

/** A step that lasts for days: what it has shown stays. */
function letKeysCountAgain(d: Detector, nowMs: number): void {
  d.keysSinceMs = nowMs;
  for (const test of d.tests) recountKeys(test);
  if (d.paired !== null) startPairedStep(d.paired);
}

/**
 * The share has changed: the step's counts begin at 0, nothing has been shown for a pass, and keys may count again;
 * evidence against new stays.
 */
export function startStep(d: Detector, nowMs: number): void {
  letKeysCountAgain(d, nowMs);
  for (const test of d.tests) startTestStep(test);
  clearStepCounts(d, nowMs);
}

/** A latch was reset: a new step with no evidence at all. What is known of old's own rate stays. */
export function startAfresh(d: Detector, nowMs: number): void {
  startStep(d, nowMs);
  d.tests = d.tests.map(({ spec }) => createTest(spec, nowMs));
  if (d.paired !== null) d.paired = createPairedTest(d.paired.limit);
}

/** Pairs are compared in another way from now on: what they said is no evidence any more. */
export function forgetMismatches(d: Detector, nowMs: number): void {
  d.tests = d.tests.map((test) => (test.spec.metric === "mismatches" ? createTest(test.spec, nowMs) : test));
  if (d.paired !== null) d.paired = createPairedTest(d.paired.limit);
  clearPairs(d, nowMs);
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
