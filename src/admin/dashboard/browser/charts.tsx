/** The charts of one route, all over the same time. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatMeasured, formatPerSecond, formatShare } from "../../../model/figures.ts";
import type { HistoryPoint, HistoryReport } from "../../../model/history-report.ts";
import type { RouteStatus } from "../../../model/reports.ts";
import type { Seen } from "../../../model/seen.ts";
import { useCell } from "./cell.ts";
import { Chart } from "./chart.tsx";
import { wordsOf } from "./client.ts";
import { useRoom } from "./room.ts";
import { joined, livePoint, markersOf, timelineOf, withLive } from "./timeline.ts";
import { ms, visible } from "./words.ts";

const RANGES = [
  { label: "15 min", hours: 0.25 },
  { label: "1 h", hours: 1 },
  { label: "6 h", hours: 6 },
  { label: "24 h", hours: 24 },
] as const;
const HISTORY_EVERY_MS = 60_000;
const LEAST_SHOWN_SECONDS = 120;
/** Between the lines of evidence, which are told apart by their pattern. */
const EVIDENCE_DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

export function Charts({ route }: { readonly route: RouteStatus }) {
  const { live } = useRoom();
  const { audit, atMs } = useCell(live.snapshot);
  const [hours, setHours] = useState<number>(RANGES[0].hours);
  const [report, trouble] = useHistory(route.name, hours);
  const seen = useLivePoints(route, atMs);
  const to = atMs / 1000;
  const points = useMemo(() => joined(report, seen), [report, seen]);
  const from = beginOf(points, to - hours * 3_600, to);
  const timeline = useMemo(() => timelineOf(points, from * 1000), [points, from]);
  const markers = useMemo(() => markersOf(report, audit ?? [], route.name), [report, audit, route.name]);
  const common = { times: timeline.times, from, to, markers };
  const { perSecond, errorsPerSecond, p50Ms, p99Ms, mismatches, noise, evidence, canary, shadow } = timeline;
  const limit = report?.limits.mismatches ?? null;
  return (
    <section aria-label="Over time">
      <div class="range">
        <h2>Over time</h2>
        {RANGES.map(({ label, hours: each }) => (
          <button key={label} type="button" aria-pressed={each === hours} onClick={() => setHours(each)}>
            {label}
          </button>
        ))}
        <span class="quiet">
          marked: R rollback, P promote, C completed, S reset, Z pause, G resume, L rules reloaded
        </span>
      </div>
      {trouble !== null && (
        <p class="quiet">The history cannot be had ({visible(trouble)}): shown is what this page has seen.</p>
      )}
      <div class="charts">
        <Chart
          {...common}
          title="Errors a second"
          format={formatPerSecond}
          lines={[
            { label: "old", kind: "old", values: errorsPerSecond.old },
            { label: "new", kind: "new", values: errorsPerSecond.new },
          ]}
        />
        <Chart
          {...common}
          title="Time to the answer"
          format={ms}
          lines={[
            { label: "old p99", kind: "old", values: p99Ms.old },
            { label: "new p99", kind: "new", values: p99Ms.new },
            { label: "old p50", kind: "old", isThin: true, values: p50Ms.old },
            { label: "new p50", kind: "new", isThin: true, values: p50Ms.new },
          ]}
        />
        <Chart
          {...common}
          title="Mismatches, of the compared pairs"
          format={formatMeasured}
          limit={limit === null ? null : { value: limit, label: `limit ${formatMeasured(limit)}` }}
          lines={[
            { label: "mismatches", kind: "bad", values: mismatches },
            { label: "noise (old differs from itself)", kind: "noise", isThin: true, values: noise },
          ]}
        />
        <Chart
          {...common}
          title="Evidence against new"
          format={(value) => value.toFixed(2)}
          limit={{ value: 1, label: "1 rolls back" }}
          lines={Object.entries(evidence).map(([metric, values], index) => ({
            label: metric,
            kind: "bad" as const,
            isThin: index > 0,
            dash: EVIDENCE_DASHES[index % EVIDENCE_DASHES.length] ?? [],
            values,
          }))}
        />
        <Chart
          {...common}
          title="Requests a second"
          format={formatPerSecond}
          lines={[
            { label: "old", kind: "old", values: perSecond.old },
            { label: "new", kind: "new", values: perSecond.new },
          ]}
        />
        <Chart
          {...common}
          title="Shares of new"
          format={formatShare}
          lines={[
            { label: "serves (canary)", kind: "new", dash: [], values: canary },
            { label: "sees (shadow)", kind: "noise", isThin: true, values: shadow },
          ]}
        />
      </div>
    </section>
  );
}

/** Where little is known yet, the little that is known fills the charts. Seconds since 1970. */
function beginOf(points: readonly HistoryPoint[], wanted: number, to: number): number {
  const [first] = points;
  const known = first === undefined ? to : Date.parse(first.at) / 1000;
  return Math.min(Math.max(wanted, known), to - LEAST_SHOWN_SECONDS);
}

/** Asked again now and then: what the gateway has counted is better than what a page saw between two polls. */
function useHistory(route: string, hours: number): readonly [HistoryReport | null, string | null] {
  const { client } = useRoom();
  const [report, setReport] = useState<HistoryReport | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    let isOver = false;
    const load = async (): Promise<void> => {
      if (document.hidden) return;
      try {
        const query = `route=${encodeURIComponent(route)}&hours=${Math.max(1, hours)}`;
        const next = await client.get<HistoryReport>(`api/v1/history?${query}`);
        if (isOver) return;
        setReport(next);
        setTrouble(null);
      } catch (error) {
        if (!isOver) setTrouble(wordsOf(error));
      }
    };
    void load();
    const timer = setInterval(load, HISTORY_EVERY_MS);
    document.addEventListener("visibilitychange", load);
    return () => {
      isOver = true;
      clearInterval(timer);
      document.removeEventListener("visibilitychange", load);
    };
  }, [client, route, hours]);
  return [report, trouble];
}

function useLivePoints(route: RouteStatus, atMs: number): readonly HistoryPoint[] {
  const before = useRef<Seen | null>(null);
  const [points, setPoints] = useState<readonly HistoryPoint[]>([]);
  useEffect(() => {
    const now = { atMs, route };
    const point = before.current === null ? null : livePoint(before.current, now);
    if (point !== null) setPoints((known) => withLive(known, point));
    // Two reports within half a second make no stretch: the earlier one stays the beginning.
    if (point !== null || before.current === null || atMs - before.current.atMs > 500) before.current = now;
  }, [atMs]);
  return points;
}
