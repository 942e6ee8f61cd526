/** What a step has not shown yet, and how much more traffic that takes. */

import { lnPassAlone, passingRate } from "./client-error-limit.ts";
import { lowerBound } from "./confidence.ts";
import { type Detector, evidenceOf } from "./detector.ts";
import { countWords, judgesShadows, type Seen } from "./judge-words.ts";
import type { Metric } from "./metric.ts";
import { baselineOf } from "./old-rate.ts";
import { forecastMs, type Pace } from "./pace.ts";
import {
  answersToPass,
  createPassAccount,
  LN_PASS,
  leansToWorse,
  lnPassAbsolute,
  type PassAccount,
  passEvidence,
} from "./pass.ts";
import { shortDuration } from "./rollout-state.ts";
import { type SharePpm, WHOLE_PPM } from "./ruleset.ts";

/**
 * Evidence against new, on the scale where 1 trips, that holds a step whatever it has shown before: a long healthy
 * bake must be no cushion for a regression of this minute.
 */
const HOLDING_EVIDENCE = 0.25;
/** A rate of certainty cannot be bet against. */
const MOST_RATE = 0.99;

/** Phrases that go behind "needs"; empty: the step has shown all. */
export function needsOf(seen: Seen, nowMs: number): readonly string[] {
  const { detector, facts, metrics } = seen;
  const answers: Lack = { count: 0, isExact: true };
  const pairs: Lack = { count: 0, isExact: true };
  const needs: string[] = [];
  for (const metric of metrics) {
    const need = needOf(seen, metric);
    if (typeof need === "string") needs.push(need);
    else raise(metric === "mismatches" ? pairs : answers, need, false);
  }
  const ofShadows = judgesShadows(seen) ? needOfShadows(detector) : 0;
  if (typeof ofShadows === "string") needs.push(ofShadows);
  else raise(pairs, ofShadows, false);
  const { step } = detector;
  if (facts.canaryPpm > 0) raise(answers, facts.minSamples - step.errors.answers.new, true);
  else if (facts.comparesPairs) raise(pairs, facts.minSamples - step.mismatches.answers.new, true);
  else if (facts.minSamples > 0) needs.push(NOTHING_SHOWN);
  // First what is sure to come with time.
  if (facts.learning !== null && facts.comparesPairs && isPairBound(seen))
    needs.unshift(`noise to be known (${facts.learning.done} of ${facts.learning.of} shadows)`);
  else if (pairs.count > 0) needs.unshift(moreWords(pairs, "pairs", detector.pairPace, nowMs));
  if (answers.count > 0) needs.unshift(moreWords(answers, "answers", detector.answerPace, nowMs));
  return [...needs, ...rising(seen)];
}

const NOTHING_SHOWN = "something to judge (this step shows new nothing that is compared: give it a share)";

function isPairBound({ facts, metrics }: Seen): boolean {
  return metrics.includes("mismatches") || (facts.canaryPpm === 0 && facts.minSamples > 0);
}

/** So many more are needed, by a count that is asked for, or by a forecast. */
interface Lack {
  count: number;
  isExact: boolean;
}

function raise(lack: Lack, count: number, isExact: boolean): void {
  if (count <= lack.count) return;
  lack.count = count;
  lack.isExact = isExact;
}

/** How many more clean answers this metric takes, or what else it waits for; 0: nothing. */
function needOf({ detector, facts }: Seen, metric: Metric): number | string {
  const account = accountOf(detector, metric);
  if (account === null) return 0;
  if (metric === "client-errors") {
    if (facts.canaryPpm >= WHOLE_PPM) return needOfClientErrors(detector, account);
    const isShown = !leansToWorse(account) || account.lnRelative >= LN_PASS;
    return isShown ? 0 : leaningWords(metric);
  }
  if (metric === "latency" && account.answers === 0) return "old's p99 to be known (a minute of its answers)";
  const limit = passRate(detector, metric, facts.canaryPpm);
  if (passEvidence(account, limit) >= 1) return 0;
  if (metric !== "mismatches" && leansToWorse(account)) return leaningWords(metric);
  return forecast(account, limit) ?? tooManyWords(FAILURES[metric], limit);
}

/** Of 4xx at the whole share, where they cannot lean to worse than old's: new alone. */
function needOfClientErrors({ oldClientErrors, guard }: Detector, account: PassAccount): number | string {
  const ratio = guard.errors?.ratio ?? 1;
  const limit = passingRate(oldClientErrors, ratio);
  // Old answered 4xx to all but everything: nothing is worse than that.
  if (limit >= MOST_RATE) return 0;
  const ln = lnPassAlone(account, oldClientErrors, ratio);
  if (ln >= LN_PASS) return 0;
  const more = ln > 0 ? Math.ceil((account.answers * (LN_PASS - ln)) / ln) : forecast(account, limit);
  return more ?? tooManyWords(FAILURES["client-errors"], limit);
}

/** As `needOf`, of shadows: there is no comparison, for only what failed where old answered well is counted. */
function needOfShadows(detector: Detector): number | string {
  // Nobody is served by new yet: without a failure the samples that were asked for will do.
  if (detector.shadows.failed === 0) return 0;
  const account = { ...createPassAccount(), ...detector.shadows };
  const limit = Math.min(MOST_RATE, absoluteLimit(detector, "errors"));
  if (passEvidence(account, limit) >= 1) return 0;
  return forecast(account, limit) ?? tooManyWords("failing shadows", limit);
}

function tooManyWords(what: string, limit: number): string {
  return `fewer ${what} (they are too many to show less than ${percentWords(limit)} of new's answers)`;
}

function leaningWords(metric: Metric): string {
  return `its ${FAILURES[metric]} to lean less towards worse than old's`;
}

const FAILURES: Record<Metric, string> = {
  errors: "errors",
  "client-errors": "4xx",
  latency: "slow answers",
  mismatches: "mismatches",
};

/** The account of what a metric has shown; null: it is not guarded. */
function accountOf(detector: Detector, metric: Metric): PassAccount | null {
  for (const { spec, pass } of detector.tests) if (spec.metric === metric && pass !== null) return pass;
  return null;
}

/**
 * The rate that new must be shown to stay below: the limit or, if greater, what old's own rate is at least. A trip is
 * held to what old's rate is at most; here that would let a new pass that is bad where old was hardly seen.
 */
function passRate(detector: Detector, metric: Metric, canaryPpm: SharePpm): number {
  let limit = absoluteLimit(detector, metric);
  if (metric === "errors") {
    const { answers, failed } = detector.step.errors;
    const old =
      canaryPpm >= WHOLE_PPM ? baselineOf(detector.old) : { answers: answers.old, failed: failed.old };
    // Only where it can be greater: the bound costs a search.
    if (old.failed > limit * old.answers) limit = Math.max(limit, lowerBound(old.failed, old.answers));
  }
  return Math.min(MOST_RATE, limit);
}

function absoluteLimit({ tests }: Detector, metric: Metric): number {
  let limit = 1;
  for (const { spec } of tests) if (spec.metric === metric && spec.kind === "absolute") limit = spec.limit;
  return limit;
}

/** About how many more answers, if it goes on as it went in this step; null: it would never pass. */
function forecast(account: PassAccount, limit: number): number | null {
  const { answers, failed, lnRelative } = account;
  const ways: number[] = [];
  // So few failures that the next answers may well be all clean.
  if (failed <= (answers * limit) / 4 || failed <= 1) ways.push(answersToPass(account, limit));
  const lnAbsolute = answers === 0 ? 0 : lnPassAbsolute(failed, answers, limit);
  for (const ln of [lnAbsolute, lnRelative])
    if (ln > 0 && answers > 0) ways.push((answers * (LN_PASS - ln)) / ln);
  return ways.length === 0 ? null : Math.max(1, Math.ceil(Math.min(...ways)));
}

/** Metrics whose absolute test bets at the whole share alone. */
const ALONE_AT_THE_WHOLE: ReadonlySet<Metric> = new Set(["client-errors", "latency"]);

function rising({ detector, metrics, facts }: Seen): string[] {
  const isWhole = facts.canaryPpm >= WHOLE_PPM;
  // What nothing moves at this share would hold the step for ever: relative tests without an old arm, and with one
  // those that bet only where there is none.
  const evidence = evidenceOf(detector, ({ metric, kind }) =>
    isWhole ? kind !== "relative" : kind !== "absolute" || !ALONE_AT_THE_WHOLE.has(metric),
  );
  return metrics
    .filter((metric) => (evidence[metric] ?? 0) >= HOLDING_EVIDENCE)
    .map((metric) => `evidence against its ${FAILURES[metric]} below ${HOLDING_EVIDENCE}`);
}

/** "about 1,840 more answers, 26 min at this rate" */
function moreWords({ count, isExact }: Lack, what: string, pace: Pace, nowMs: number): string {
  const rounded = isExact ? count : Number(count.toPrecision(3));
  const words = `${isExact ? "" : "about "}${countWords(rounded)} more ${what}`;
  const ms = forecastMs(pace, count, nowMs);
  return ms === null ? `${words}, and none come at present` : `${words}, ${shortDuration(ms)} at this rate`;
}

function percentWords(rate: number): string {
  return `${Number((rate * 100).toPrecision(3))}%`;
}
