/**
 * One bet kept going: its wealth, the keys that have counted, and what was counted while each effect size's
 * present wealth grew (its stretch), which a trip is checked and explained with.
 */

import { type Attribution, floorAttribution, lnAttributed, recountAttributed } from "./attribution.ts";
import { type CountedKeys, createCountedKeys, forgetKeys } from "./counted-keys.ts";
import { absoluteGain, canBetOn, createWealth, EFFECT_SIZES, lnMeanWealth } from "./evidence.ts";
import type { Counts, Metric } from "./metric.ts";
import { greaterOfLimitAndBound } from "./old-rate.ts";
import { createPassAccount, type PassAccount } from "./pass.ts";
import type { Side } from "./ruleset.ts";

export interface TestSpec {
  readonly metric: Metric;
  /**
   * relative: new against old, tolerating `limit` times old's rate. absolute: new alone against rate `limit`. blind:
   * the same where noise should be known and is not.
   */
  readonly kind: "relative" | "absolute" | "blind";
  readonly limit: number;
}

export interface Stretch extends Counts {
  sinceMs: number;
}

export interface SequentialTest {
  readonly spec: TestSpec;
  readonly logWealth: Float64Array;
  /** One for each effect size: what was counted since its wealth was last 1. */
  readonly stretches: readonly Stretch[];
  readonly keys: CountedKeys;
  /** Failures left out in this step because their key had counted. */
  repeats: number;
  /** Failures that are new's alone, where somebody asks old about them; without enough of those it does not trip. */
  attribution: Attribution | null;
  /** What the step has shown for a pass, on one test of each metric; null on the others. */
  pass: PassAccount | null;
}

export function createTest(spec: TestSpec, nowMs: number): SequentialTest {
  return {
    spec,
    logWealth: createWealth(),
    stretches: EFFECT_SIZES.map(() => createStretch(nowMs)),
    keys: createCountedKeys(),
    repeats: 0,
    attribution: null,
    pass: keepsPass(spec) ? createPassAccount() : null,
  };
}

function keepsPass({ metric, kind }: TestSpec): boolean {
  return metric === "mismatches" ? kind === "absolute" : kind === "relative";
}

export function createCounts(): Counts {
  return { answers: { old: 0, new: 0 }, failed: { old: 0, new: 0 } };
}

function createStretch(nowMs: number): Stretch {
  return { sinceMs: nowMs, ...createCounts() };
}

/** True where two tests mean the same, so that evidence for the one is evidence for the other. */
export function sameMeaning(a: TestSpec, b: TestSpec): boolean {
  return a.metric === b.metric && a.kind === b.kind && a.limit === b.limit;
}

/** Lets keys count again. */
export function recountKeys(test: SequentialTest): void {
  forgetKeys(test.keys);
  if (test.attribution !== null) recountAttributed(test.attribution);
  test.repeats = 0;
}

/** A new step: keys count again, and nothing has been shown. Evidence against new stays. */
export function startTestStep(test: SequentialTest): void {
  recountKeys(test);
  if (test.pass !== null) test.pass = createPassAccount();
}

/** Floors the wealth, as is due once a second; an effect size at 1 begins a new stretch. */
export function floorTest(test: SequentialTest, nowMs: number): void {
  if (test.attribution !== null) floorAttribution(test.attribution);
  for (const [i, stretch] of test.stretches.entries()) {
    if ((test.logWealth[i] ?? 0) > 0) continue;
    test.logWealth[i] = 0;
    stretch.sinceMs = nowMs;
    stretch.answers.old = 0;
    stretch.answers.new = 0;
    stretch.failed.old = 0;
    stretch.failed.new = 0;
  }
}

/** Takes all wealth away: what it was won with was no evidence. */
export function ruin(test: SequentialTest, nowMs: number): void {
  test.logWealth.fill(0);
  floorTest(test, nowMs);
}

/** Adds to all stretches. */
export function count(test: SequentialTest, side: Side, answers: number, failed: number): void {
  if (answers === 0 && failed === 0) return;
  for (const stretch of test.stretches) {
    stretch.answers[side] += answers;
    stretch.failed[side] += failed;
  }
}

/** The stretch of the effect size that has gained most: the one that a trip is explained with. */
export function leadingStretch(test: SequentialTest): Stretch {
  let leader = 0;
  for (const [i, value] of test.logWealth.entries()) if (value > (test.logWealth[leader] ?? 0)) leader = i;
  return test.stretches[leader] ?? createStretch(0);
}

/** True when the wealth has reached `lnThreshold`. */
export function hasReached(test: SequentialTest, lnThreshold: number): boolean {
  return lnWealthOf(test) >= lnThreshold;
}

function lnWealthOf({ logWealth, attribution }: SequentialTest): number {
  const ln = lnMeanWealth(logWealth);
  return attribution === null ? ln : Math.min(ln, lnAttributed(attribution));
}

/** ln E / ln c, never below 0: 1 trips. */
export function evidenceOfTest(test: SequentialTest, lnThreshold: number): number {
  return Math.max(0, lnWealthOf(test) / lnThreshold);
}

/**
 * How long a fault that both sides share may show on new alone. After so long without a failure of old the
 * few answers that old gave are no excuse any more.
 */
const SHARED_FAULT_SHOWS_MS = 10_000;
/** Just below the threshold, in ln. */
const HELD_BACK = 1e-6;

/**
 * True when an absolute test that has reached `lnThreshold` still does after each effect size was scored again
 * with what old did in the very same stretch. Old's rate over a whole minute lags behind an outage that has
 * just begun, long enough to blame it on new; this does not. It can only lower wealth, so it costs no false
 * alarm. Where old failed too, what the shared fault has won is taken back; where old has answered too little
 * to tell, the wealth waits just below the threshold. `bounds` remembers rates by old's counts, for one batch.
 */
export function blamesNewAlone(
  test: SequentialTest,
  lnThreshold: number,
  bounds: Map<string, number>,
  nowMs: number,
): boolean {
  const checked = test.logWealth.slice();
  for (const [i, effect] of EFFECT_SIZES.entries()) {
    const stretch = test.stretches[i];
    const wealth = checked[i] ?? 0;
    if (stretch === undefined || wealth <= 0) continue;
    const oldFailed = stretch.failed.old > 0;
    if (!oldFailed && nowMs - stretch.sinceMs >= SHARED_FAULT_SHOWS_MS) continue;
    const rate = boundOf(stretch, test.spec.limit, bounds);
    const rescored = canBetOn(rate) ? absoluteGain(effect, stretch.failed.new, stretch.answers.new, rate) : 0;
    checked[i] = Math.min(wealth, rescored);
    if (oldFailed) test.logWealth[i] = checked[i] ?? 0;
  }
  if (lnMeanWealth(checked) >= lnThreshold) return true;
  const excess = lnMeanWealth(test.logWealth) - lnThreshold;
  if (excess >= 0) for (let i = 0; i < checked.length; i += 1) lower(test.logWealth, i, excess + HELD_BACK);
  return false;
}

function lower(logWealth: Float64Array, i: number, by: number): void {
  logWealth[i] = (logWealth[i] ?? 0) - by;
}

function boundOf(stretch: Stretch, limitRate: number, bounds: Map<string, number>): number {
  const { old: answers } = stretch.answers;
  const { old: failed } = stretch.failed;
  const key = `${failed}/${answers}`;
  let rate = bounds.get(key);
  if (rate === undefined) {
    rate = greaterOfLimitAndBound(limitRate, failed, answers);
    bounds.set(key, rate);
  }
  return rate;
}
