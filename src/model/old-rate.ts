/**
 * Old's own failure rate over the last minute, in six windows of ten seconds. Windows without traffic are not
 * kept, so when old falls silent (all traffic on new) its last minute with traffic stays as a frozen baseline.
 */

import { upperBound, upperBoundIsAtMost } from "./confidence.ts";

const WINDOW_MS = 10_000;
const WINDOWS = 6;

interface Window {
  /** Counted in windows since time 0. */
  readonly index: number;
  answers: number;
  failed: number;
}

export interface RateCounts {
  readonly answers: number;
  readonly failed: number;
}

export interface OldRate {
  /** Oldest first, at most six, each with traffic. */
  readonly windows: Window[];
}

export function createOldRate(): OldRate {
  return { windows: [] };
}

/** Adds answers of old. */
export function recordOld(old: OldRate, answers: number, failed: number, nowMs: number): void {
  if (answers <= 0) return;
  const index = Math.floor(nowMs / WINDOW_MS);
  const last = old.windows.at(-1);
  // A clock that went back adds to the window that it left.
  if (last !== undefined && last.index >= index) {
    last.answers += answers;
    last.failed += failed;
    return;
  }
  old.windows.push({ index, answers, failed });
  if (old.windows.length > WINDOWS) old.windows.shift();
}

/**
 * The rate that new is held to: `limitRate` or, if greater, what old's own rate may be (99.99%) over the last
 * minute; or over its last minute with traffic, where the last minute had none or `frozen` asks for it.
 */
export function heldToRate(old: OldRate, limitRate: number, frozen: boolean, nowMs: number): number {
  const oldest = Math.floor(nowMs / WINDOW_MS) - WINDOWS;
  const recent = frozen ? [] : old.windows.filter((window) => window.index > oldest);
  const counted = recent.length > 0 ? recent : old.windows;
  if (counted.length === 0) return limitRate;
  const { answers, failed } = sumOf(counted);
  return greaterOfLimitAndBound(limitRate, failed, answers);
}

/** What old's frozen baseline rests on. */
export function baselineOf(old: OldRate): RateCounts {
  return sumOf(old.windows);
}

/** Puts a baseline from before a restart in: it holds until old has traffic again. */
export function restoreBaseline(old: OldRate, { answers, failed }: RateCounts): void {
  if (old.windows.length > 0 || answers <= 0) return;
  old.windows.push({ index: Number.NEGATIVE_INFINITY, answers, failed });
}

function sumOf(windows: readonly Window[]): RateCounts {
  let answers = 0;
  let failed = 0;
  for (const window of windows) {
    answers += window.answers;
    failed += window.failed;
  }
  return { answers, failed };
}

/** The limit or, if greater, the upper bound of a counted rate. */
export function greaterOfLimitAndBound(limitRate: number, failed: number, answers: number): number {
  if (limitRate >= 1) return limitRate;
  return upperBoundIsAtMost(failed, answers, limitRate) ? limitRate : upperBound(failed, answers);
}
