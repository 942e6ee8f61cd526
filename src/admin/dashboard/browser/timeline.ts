/** What the charts of one route are drawn from: the gateway's history, and behind it what this page has seen since. */

import {
  gapPoint,
  type HistoryMarker,
  type HistoryPoint,
  type HistoryReport,
} from "../../../model/history-report.ts";
import type { AuditEntry } from "../../../model/reports.ts";
import type { Side } from "../../../model/ruleset.ts";
import { comparedPairs, type Seen, stretchBetween } from "../../../model/seen.ts";

export type Values = readonly (number | null)[];

export interface Timeline {
  /** Seconds since 1970, rising: when each stretch ends. */
  readonly times: readonly number[];
  readonly perSecond: Readonly<Record<Side, Values>>;
  readonly errorsPerSecond: Readonly<Record<Side, Values>>;
  readonly p50Ms: Readonly<Record<Side, Values>>;
  readonly p99Ms: Readonly<Record<Side, Values>>;
  /** Of the compared pairs, 0 to 1. */
  readonly mismatches: Values;
  readonly noise: Values;
  /** Ratios from 0 to 1. */
  readonly canary: Values;
  readonly shadow: Values;
  /** By metric. */
  readonly evidence: Readonly<Record<string, Values>>;
}

/** So many stretches that this page has seen are kept: half an hour at one poll in two seconds. */
const MAX_LIVE = 900;

/** Adds what happened between two reports; null after a restart, when the counters begin anew. */
export function livePoint(before: Seen, now: Seen): HistoryPoint | null {
  const stretch = stretchBetween(before, now);
  return stretch === null ? null : { at: new Date(before.atMs).toISOString(), ...stretch };
}

export function withLive(points: readonly HistoryPoint[], next: HistoryPoint): readonly HistoryPoint[] {
  return [...points, next].slice(-MAX_LIVE);
}

/** One after the other, no stretch twice: the gateway's own points first. */
export function joined(report: HistoryReport | null, live: readonly HistoryPoint[]): readonly HistoryPoint[] {
  const known = report?.points ?? [];
  const last = known.at(-1);
  const untilMs = last === undefined ? 0 : endMs(last);
  return [...known, ...live.filter((point) => Date.parse(point.at) >= untilMs - 500)];
}

/** Columns for the charts, from `fromMs` on. Where nothing is known there is a null, so that no line is drawn. */
export function timelineOf(points: readonly HistoryPoint[], fromMs: number): Timeline {
  const shown = withGaps(points.filter((point) => endMs(point) >= fromMs));
  const side = (value: (point: HistoryPoint, side: Side) => number | null): Record<Side, Values> => ({
    old: shown.map((point) => value(point, "old")),
    new: shown.map((point) => value(point, "new")),
  });
  const metrics = [...new Set(shown.flatMap(({ evidence }) => Object.keys(evidence ?? {})))].slice(0, 8);
  return {
    times: shown.map((point) => endMs(point) / 1000),
    perSecond: side(({ requests, seconds }, which) => (requests === null ? null : requests[which] / seconds)),
    errorsPerSecond: side(({ errors, seconds }, which) => (errors === null ? null : errors[which] / seconds)),
    p50Ms: side(({ p50Ms }, which) => p50Ms?.[which] ?? null),
    p99Ms: side(({ p99Ms }, which) => p99Ms?.[which] ?? null),
    mismatches: shown.map((point) => ofCompared(point, "mismatch")),
    noise: shown.map((point) => ofCompared(point, "noise")),
    canary: shown.map(({ canary }) => canary),
    shadow: shown.map(({ shadow }) => shadow),
    evidence: Object.fromEntries(
      metrics.map((metric) => [metric, shown.map(({ evidence }) => evidence?.[metric] ?? null)]),
    ),
  };
}

function ofCompared({ comparisons }: HistoryPoint, kind: "mismatch" | "noise"): number | null {
  if (comparisons === null) return null;
  const compared = comparedPairs(comparisons);
  return compared === 0 ? null : comparisons[kind] / compared;
}

function endMs({ at, seconds }: HistoryPoint): number {
  return Date.parse(at) + seconds * 1000;
}

/** The page may have been hidden, or the gateway down. */
function withGaps(points: readonly HistoryPoint[]): readonly HistoryPoint[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    if (before === undefined) return [point];
    const missingMs = Date.parse(point.at) - endMs(before);
    return missingMs > 2_000 * Math.max(point.seconds, before.seconds)
      ? [gapAfter(before, missingMs), point]
      : [point];
  });
}

function gapAfter(before: HistoryPoint, missingMs: number): HistoryPoint {
  return gapPoint(new Date(endMs(before)).toISOString(), missingMs / 2_000);
}

/** What an action is marked with in the charts. */
const KEYS: Readonly<Record<string, string>> = {
  rollback: "R",
  promote: "P",
  completed: "C",
  reset: "S",
  pause: "Z",
  resume: "G",
  reload: "L",
};

export interface Marker {
  /** Seconds since 1970. */
  readonly time: number;
  /** One letter. */
  readonly key: string;
  readonly isRollback: boolean;
}

export function markerKey(action: string): string {
  return KEYS[action] ?? "•";
}

/** Each action once, those of the history and those that came since. */
export function markersOf(
  report: HistoryReport | null,
  audit: readonly AuditEntry[],
  route: string,
): readonly Marker[] {
  const own = audit.filter(
    (entry) => (entry.route === route || entry.route === null) && KEYS[entry.action] !== undefined,
  );
  const all = new Map<string, Pick<HistoryMarker, "at" | "action">>();
  for (const { at, action } of [...(report?.markers ?? []), ...own])
    all.set(`${at} ${action}`, { at, action });
  return [...all.values()].map(({ at, action }) => ({
    time: Date.parse(at) / 1000,
    key: markerKey(action),
    isRollback: action === "rollback",
  }));
}

/** Where a value has none beside it: no line reaches it. Null: nowhere. */
export function lonely(values: ArrayLike<number | null | undefined>): number[] | null {
  const isKnown = (index: number): boolean => (values[index] ?? null) !== null;
  const found: number[] = [];
  for (let index = 0; index < values.length; index += 1)
    if (isKnown(index) && !isKnown(index - 1) && !isKnown(index + 1)) found.push(index);
  return found.length === 0 ? null : found;
}
