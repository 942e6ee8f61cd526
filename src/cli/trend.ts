/**
 * What a route did in the last minutes, from the gateway's own history and from looks at its status. Pure: what it is
 * told makes a new trend, and a trend and a time make the values of a chart.
 */

import type { HistoryPoint, HistoryReport } from "../model/history-report.ts";
import { instantMs } from "../model/report-words.ts";
import type { Side } from "../model/ruleset.ts";
import { comparedPairs, type Seen, stretchBetween } from "../model/seen.ts";
import type { Values } from "./spark.ts";

/** So far back it goes: as far as a gateway of very many routes has stretches of five seconds. */
export const SPAN_MS = 5 * 60_000;
/** Looks are put together to stretches so long: finer than the history's finest, and few for a thousand routes. */
const STRETCH_MS = 2_000;
/** A chart's first cell begins a little before its span, when its cells are long. */
const SLACK_MS = 5_000;
/** Looks that are nearer say nothing of a rate. */
const LEAST_STRETCH_MS = 500;
/** What "now" is the mean of. */
const NOW_MS = 10_000;
/** The gateway's clock is taken for ours unless it goes before it by more. */
const CLOCK_SLACK_MS = 1_000;

interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly requests: Readonly<Record<Side, number>>;
  readonly errors: Readonly<Record<Side, number>>;
  readonly p99Ms: Readonly<Record<Side, number | null>>;
  readonly compared: number;
  readonly mismatches: number;
}

export interface Trend {
  /** Oldest first, none over another. */
  readonly stretches: readonly Stretch[];
  /** The look that the newest stretch begins with, and what has been seen since. */
  readonly base: Seen | null;
  readonly open: Stretch | null;
  /** What the guard allows, 0 to 1; null: no limit, or not known. */
  readonly mismatchLimit: number | null;
}

export const NO_TREND: Trend = { stretches: [], base: null, open: null, mismatchLimit: null };

/** The trend after one more look. A gateway that began anew, or was away for long, leaves a gap. */
export function withLook(trend: Trend, look: Seen): Trend {
  const { base } = trend;
  if (base === null) return { ...trend, base: look };
  const sinceMs = look.atMs - base.atMs;
  const stretch = stretchBetween(base, look);
  if (stretch === null) {
    return sinceMs >= 0 && sinceMs < LEAST_STRETCH_MS
      ? trend
      : { ...trend, stretches: closed(trend, look.atMs), base: look, open: null };
  }
  const next = stretchOf(stretch, base.atMs);
  if (next === null) return trend;
  if (sinceMs < STRETCH_MS) return { ...trend, open: next };
  return { ...trend, stretches: closed({ ...trend, open: next }, look.atMs), base: look, open: null };
}

function closed({ stretches, open }: Trend, nowMs: number): readonly Stretch[] {
  const all = open === null ? stretches : [...stretches, open];
  return all.filter(({ toMs }) => toMs > nowMs - SPAN_MS - SLACK_MS);
}

/** The trend with what the gateway has recorded; of what was seen here stays what came after. */
export function withHistory(trend: Trend, report: HistoryReport, nowMs: number): Trend {
  const known = report.points
    .map((point) => stretchOf(point, instantMs(point.at)))
    .filter((stretch) => stretch !== null);
  const newestMs = known.at(-1)?.toMs ?? 0;
  const aheadMs = newestMs > nowMs + CLOCK_SLACK_MS ? newestMs - nowMs : 0;
  const recorded = known
    .map((stretch) => ({ ...stretch, fromMs: stretch.fromMs - aheadMs, toMs: stretch.toMs - aheadMs }))
    .filter(({ toMs }) => toMs > nowMs - SPAN_MS - SLACK_MS);
  const untilMs = recorded.at(-1)?.toMs ?? 0;
  const since = trend.stretches.filter(({ toMs }) => toMs > untilMs);
  const { mismatches } = report.limits;
  return { ...trend, stretches: [...recorded, ...since.map(from(untilMs))], mismatchLimit: mismatches };
}

/** Only what comes after a time, as if it had been even. */
function from(startMs: number): (stretch: Stretch) => Stretch {
  return (stretch) => {
    if (stretch.fromMs >= startMs) return stretch;
    const part = (stretch.toMs - startMs) / (stretch.toMs - stretch.fromMs);
    const some = (counts: Stretch["requests"]) => ({ old: counts.old * part, new: counts.new * part });
    return {
      ...stretch,
      fromMs: startMs,
      requests: some(stretch.requests),
      errors: some(stretch.errors),
      compared: stretch.compared * part,
      mismatches: stretch.mismatches * part,
    };
  };
}

/** Null: a gap, or no numbers at all. */
function stretchOf(
  { seconds, requests, errors, p99Ms, comparisons }: Omit<HistoryPoint, "at">,
  fromMs: number | null,
): Stretch | null {
  if (fromMs === null || !requests || !errors || !comparisons || !(seconds > 0)) return null;
  const compared = comparedPairs(comparisons);
  const { mismatch: mismatches } = comparisons;
  const counts = [requests.old, requests.new, errors.old, errors.new, compared, mismatches];
  if (!counts.every(Number.isFinite)) return null;
  const p99 = { old: finite(p99Ms?.old), new: finite(p99Ms?.new) };
  return { fromMs, toMs: fromMs + seconds * 1000, requests, errors, p99Ms: p99, compared, mismatches };
}

function finite(value: number | null | undefined): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** What a chart may show. Rates are a second; "mismatches" are a share of the pairs compared. */
export type Measure = "requests" | `${"requests" | "errors" | "p99"}-${Side}` | "mismatches";

type Ratio = (stretch: Stretch) => readonly [part: number, whole: number];

const RATIOS: Readonly<Record<Exclude<Measure, `p99-${Side}`>, Ratio>> = {
  requests: (stretch) => [stretch.requests.old + stretch.requests.new, secondsOf(stretch)],
  "requests-old": (stretch) => [stretch.requests.old, secondsOf(stretch)],
  "requests-new": (stretch) => [stretch.requests.new, secondsOf(stretch)],
  "errors-old": (stretch) => [stretch.errors.old, secondsOf(stretch)],
  "errors-new": (stretch) => [stretch.errors.new, secondsOf(stretch)],
  mismatches: (stretch) => [stretch.mismatches, stretch.compared],
};

function secondsOf({ fromMs, toMs }: Stretch): number {
  return (toMs - fromMs) / 1000;
}

export interface Line {
  /** As many as cells were asked for, oldest first. */
  readonly values: Values;
  /** Of the last ten seconds; null: nothing is known. */
  readonly now: number | null;
  /** Of the values; null: there is none. */
  readonly least: number | null;
  readonly most: number | null;
}

/** A measure over the last `spanMs` (at most SPAN_MS) in so many cells, each of the same time. */
export function lineOf(
  trend: Trend,
  measure: Measure,
  { nowMs, spanMs }: { readonly nowMs: number; readonly spanMs: number },
  cells: number,
): Line {
  const cellMs = spanMs / cells;
  // Cells begin at the same times whenever it is drawn: a line that only moved would seem to change.
  const startMs = Math.ceil(nowMs / cellMs) * cellMs - spanMs;
  const stretches = trend.open === null ? trend.stretches : [...trend.stretches, trend.open];
  const values = Array.from({ length: cells }, (_, cell) => {
    const fromMs = startMs + cell * cellMs;
    return valueIn(stretches, measure, fromMs, fromMs + cellMs);
  });
  const known = values.filter((value) => value !== null);
  const isKnown = known.length > 0;
  return {
    values,
    now: valueIn(stretches, measure, nowMs - NOW_MS, nowMs),
    least: isKnown ? Math.min(...known) : null,
    most: isKnown ? Math.max(...known) : null,
  };
}

function valueIn(
  stretches: readonly Stretch[],
  measure: Measure,
  fromMs: number,
  toMs: number,
): number | null {
  let [part, whole] = [0, 0];
  let slowest: number | null = null;
  for (const stretch of stretches) {
    const overlapMs = Math.min(stretch.toMs, toMs) - Math.max(stretch.fromMs, fromMs);
    if (overlapMs <= 0) continue;
    if (measure === "p99-old" || measure === "p99-new") {
      const p99Ms = stretch.p99Ms[measure === "p99-old" ? "old" : "new"];
      if (p99Ms !== null) slowest = Math.max(slowest ?? 0, p99Ms);
      continue;
    }
    const [itsPart, itsWhole] = RATIOS[measure](stretch);
    const share = overlapMs / (stretch.toMs - stretch.fromMs);
    part += itsPart * share;
    whole += itsWhole * share;
  }
  if (measure === "p99-old" || measure === "p99-new") return slowest;
  return whole > 0 ? part / whole : null;
}

/** Whether a share of mismatches is more than the guard allows. */
export function isOverLimit(value: number | null, { mismatchLimit }: Trend): boolean {
  return value !== null && mismatchLimit !== null && value > mismatchLimit;
}
