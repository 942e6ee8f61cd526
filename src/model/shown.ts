/**
 * What a step has shown so far as plain JSON, so that a restart goes on with it instead of beginning the step again.
 *
 * Evidence against new is not kept: it grows again within seconds where there is something to see. Nor are the keys
 * that have counted. A key of new that fails may so count once more after each restart, which can only hold the step
 * back; of old's as many as had counted are left out (pass.ts). So restarts never add up to a pass.
 */

import type { Detector } from "./detector.ts";
import type { Counts, Metric } from "./metric.ts";
import { baselineOf, type RateCounts, restoreBaseline } from "./old-rate.ts";
import { createPassAccount, type PassAccount } from "./pass.ts";
import { type SequentialTest, sameMeaning } from "./sequential-test.ts";

const VERSION = 1;
/** Wealth beyond this is no wealth that was ever won. */
const MOST_LN = 1e9;

/** Small (some hundred bytes) and of fixed size. */
export function shownOf(d: Detector, nowMs: number): unknown {
  return {
    version: VERSION,
    elapsedMs: Math.max(0, Math.round(nowMs - d.stepStartedMs)),
    old: baselineOf(d.old),
    oldClientErrors: baselineOf(d.oldClientErrors),
    step: structuredClone(d.step),
    shadows: { ...d.shadows },
    passes: d.tests.flatMap(({ spec, pass }) =>
      pass === null ? [] : [{ spec, pass: { ...pass, logWorse: Array.from(pass.logWorse) } }],
    ),
  };
}

/**
 * Takes over what `shownOf` said before a restart, where limits have not changed since; `mismatches` false: pairs are
 * compared in another way now. What it does not understand it leaves out, which can only make the step take longer.
 */
export function restoreShown(d: Detector, shown: unknown, nowMs: number, mismatches = true): void {
  if (!isRecord(shown) || shown.version !== VERSION) return;
  const elapsedMs = countOf(shown.elapsedMs);
  if (elapsedMs !== null) d.stepStartedMs = nowMs - elapsedMs;
  const old = rateOf(shown.old);
  if (old !== null) restoreBaseline(d.old, old);
  const oldClientErrors = rateOf(shown.oldClientErrors);
  if (oldClientErrors !== null) restoreBaseline(d.oldClientErrors, oldClientErrors);
  const shadows = mismatches ? rateOf(shown.shadows) : null;
  if (shadows !== null) Object.assign(d.shadows, shadows);
  const passes = Array.isArray(shown.passes) ? shown.passes : [];
  for (const test of d.tests) {
    if (test.pass === null || (test.spec.metric === "mismatches" && !mismatches)) continue;
    const pass = passOf(test, passes);
    const counts = isRecord(shown.step) ? countsOf(shown.step[test.spec.metric]) : null;
    // Both or nothing: counts without what they have shown would say too much to minSamples.
    if (pass === null || counts === null) continue;
    test.pass = pass;
    setCounts(d.step, test.spec.metric, counts);
  }
}

function setCounts(step: Record<Metric, Counts>, metric: Metric, { answers, failed }: Counts): void {
  Object.assign(step[metric].answers, answers);
  Object.assign(step[metric].failed, failed);
}

function passOf({ spec }: SequentialTest, passes: readonly unknown[]): PassAccount | null {
  for (const entry of passes) {
    if (!isRecord(entry) || !isRecord(entry.spec) || !isRecord(entry.pass)) continue;
    if (sameMeaning(spec, { ...spec, ...entry.spec })) return accountOf(entry.pass);
  }
  return null;
}

function accountOf({ lnRelative, logWorse, failed, answers, keyedOld }: JsonRecord): PassAccount | null {
  const rate = rateOf({ answers, failed });
  const account = createPassAccount();
  const keyed = countOf(keyedOld);
  if (rate === null || keyed === null || !isLn(lnRelative)) return null;
  if (!Array.isArray(logWorse) || logWorse.length !== account.logWorse.length) return null;
  if (!logWorse.every(isLn)) return null;
  account.logWorse.set(logWorse);
  return { ...account, ...rate, lnRelative, keyedOld: keyed, skippedOld: keyed };
}

function countsOf(value: unknown): Counts | null {
  if (!isRecord(value) || !isRecord(value.answers) || !isRecord(value.failed)) return null;
  const answers = { old: countOf(value.answers.old), new: countOf(value.answers.new) };
  const failed = { old: countOf(value.failed.old), new: countOf(value.failed.new) };
  if (answers.old === null || answers.new === null || failed.old === null || failed.new === null) return null;
  return { answers: { old: answers.old, new: answers.new }, failed: { old: failed.old, new: failed.new } };
}

function rateOf(value: unknown): RateCounts | null {
  if (!isRecord(value)) return null;
  const answers = countOf(value.answers);
  const failed = countOf(value.failed);
  return answers === null || failed === null || failed > answers ? null : { answers, failed };
}

type JsonRecord = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null;
}

function isLn(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= MOST_LN;
}

function countOf(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
}
