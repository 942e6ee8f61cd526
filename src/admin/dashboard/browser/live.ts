/** What the page knows of the gateway at this moment: polled while it is seen, and at once when something happens. */

import type { AuditEntry, RouteStatus, StatusReport } from "../../../model/reports.ts";
import type { Side } from "../../../model/ruleset.ts";
import { type Cell, cell } from "./cell.ts";
import { type Client, Refused, wordsOf } from "./client.ts";
import { followAudit } from "./stream.ts";

const POLL_MS = 2_000;
/** The second report comes soon: without it there are no rates. */
const FIRST_POLL_MS = 700;
/** With more routes the report is long, and is asked for less often. */
const ROUTES_A_POLL = 100;
/** Rates are taken over this long, so that they do not flicker. */
const RATE_WINDOW_MS = 8_000;
const MAX_AUDIT = 200;
/** A report that is due for so long makes what is shown old. */
const LATE_MS = 4_000;

export interface Snapshot {
  readonly report: StatusReport | null;
  /** Requests a second of each route by the side that answers; absent until two reports are there. */
  readonly rates: ReadonlyMap<string, Readonly<Record<Side, number>>>;
  /** Newest first; null: not known yet. */
  readonly audit: readonly AuditEntry[] | null;
  /** When the report arrived. */
  readonly atMs: number;
  /** Why there is no newer one; null: there is. */
  readonly trouble: string | null;
}

export interface Live {
  readonly snapshot: Cell<Snapshot>;
  /** Asks now; resolves when the answer is there, or is none. */
  refresh(): Promise<void>;
  stop(): void;
}

interface Sample {
  readonly atMs: number;
  readonly uptimeSeconds: number;
  readonly requests: ReadonlyMap<string, Readonly<Record<Side, number>>>;
}

/** Begins at once; costs nothing while the page is hidden. */
export function startLive(client: Client): Live {
  const snapshot = cell<Snapshot>({ report: null, rates: new Map(), audit: null, atMs: 0, trouble: null });
  let samples: readonly Sample[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stream: AbortController | null = null;
  let asking: Promise<void> | null = null;
  let signature = "";
  let stopped = false;

  const change = (part: Partial<Snapshot>): void => {
    if (!stopped) snapshot.set({ ...snapshot.get(), ...part });
  };
  const closeStream = (): void => {
    stream?.abort();
    stream = null;
  };
  const loadAudit = async (): Promise<void> => {
    const entries = await client.get<AuditEntry[]>(`api/v1/audit?limit=${MAX_AUDIT}`);
    change({ audit: merged(entries, snapshot.get().audit ?? []) });
  };
  const ask = async (): Promise<void> => {
    try {
      const report = await client.get<StatusReport>("api/v1/status");
      const atMs = client.nowMs();
      const isBack = snapshot.get().trouble !== null;
      samples = withSample(samples, sampleOf(report, atMs));
      change({ report, atMs, rates: ratesOf(samples), trouble: null });
      // A proxy may hold the stream back: what the report shows to have happened is looked up besides.
      const next = signatureOf(report, atMs);
      if (next !== signature) {
        await loadAudit();
        signature = next;
      }
      // The stream waits longer after each vain try: it need not any more.
      if (isBack && stream !== null) openStream();
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return;
      change({ trouble: wordsOf(error) });
    }
  };
  const refresh = (): Promise<void> => {
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };
  const loop = async (): Promise<void> => {
    await refresh();
    clearTimeout(timer); // another turn may have begun meanwhile: there is one
    if (!stopped && !document.hidden)
      timer = setTimeout(loop, samples.length < 2 ? FIRST_POLL_MS : pollMs(snapshot.get()));
  };
  const openStream = (): void => {
    closeStream();
    const own = new AbortController();
    stream = own;
    const from = snapshot.get().audit?.[0]?.id ?? null;
    const onEntry = (entry: AuditEntry): void => {
      change({ audit: merged([entry], snapshot.get().audit ?? []) });
      void refresh();
    };
    void followAudit(client, from, onEntry, own.signal);
  };
  // Browsers allow six connections to one host: a hidden page holds none.
  const wake = async (): Promise<void> => {
    closeStream();
    clearTimeout(timer);
    await loop();
    if (!stopped && !document.hidden && stream === null) openStream();
  };
  document.addEventListener("visibilitychange", wake);
  void wake();
  return {
    snapshot,
    refresh,
    stop() {
      stopped = true;
      closeStream();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
    },
  };
}

function pollMs({ report }: Snapshot): number {
  return POLL_MS * Math.max(1, (report?.routes.length ?? 0) / ROUTES_A_POLL);
}

/** Whether the next report should have been there: a gateway that hangs refuses nothing for a long time. */
export function isLate(snapshot: Snapshot, nowMs: number): boolean {
  return snapshot.atMs !== 0 && nowMs - snapshot.atMs > pollMs(snapshot) + LATE_MS;
}

function sampleOf({ routes, uptimeSeconds }: StatusReport, atMs: number): Sample {
  return { atMs, uptimeSeconds, requests: new Map(routes.map(({ name, requests }) => [name, requests])) };
}

/** After a restart the counters begin anew. */
function withSample(samples: readonly Sample[], next: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last !== undefined && next.uptimeSeconds < last.uptimeSeconds) return [next];
  // One sample older than the window stays, so that the window is full.
  const kept = samples.filter(({ atMs }, index) => {
    const following = samples[index + 1];
    return (
      next.atMs - atMs <= RATE_WINDOW_MS ||
      (following !== undefined && next.atMs - following.atMs < RATE_WINDOW_MS)
    );
  });
  return [...kept.filter(({ atMs }) => next.atMs - atMs <= 3 * RATE_WINDOW_MS), next];
}

function ratesOf(samples: readonly Sample[]): Snapshot["rates"] {
  const [first, last] = [samples[0], samples.at(-1)];
  const rates = new Map<string, Record<Side, number>>();
  if (first === undefined || last === undefined || last.atMs - first.atMs < 500) return rates;
  const seconds = (last.atMs - first.atMs) / 1000;
  for (const [name, now] of last.requests) {
    const then = first.requests.get(name) ?? { old: now.old, new: now.new };
    const of = (side: Side): number => Math.max(0, now[side] - then[side]) / seconds;
    rates.set(name, { old: of("old"), new: of("new") });
  }
  return rates;
}

/** Changes whenever something has happened that the audit trail tells of. */
function signatureOf({ rules, routes, uptimeSeconds }: StatusReport, atMs: number): string {
  const since = Math.round((atMs / 1000 - uptimeSeconds) / 10);
  const each = ({ name, state, canary, shadow, step, latched, pins }: RouteStatus): string =>
    [name, state, canary, shadow, step, latched, pins].join(" ");
  return [since, rules.version, rules.loadedAt, ...routes.map(each)].join("\n");
}

/** Newest first, each once, so many and no more. */
function merged(fresh: readonly AuditEntry[], known: readonly AuditEntry[]): readonly AuditEntry[] {
  const byId = new Map([...known, ...fresh].map((entry) => [entry.id, entry]));
  return [...byId.values()].sort((a, b) => b.id - a.id).slice(0, MAX_AUDIT);
}
