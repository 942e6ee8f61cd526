/**
 * Looks at the books every five seconds and remembers what each route did, for the charts; stores each minute, so
 * that a restart goes on with them. Nothing waits for the store, and a store that fails costs the charts alone.
 */

import {
  closeAll,
  createHistory,
  finishRestore,
  forgetGone,
  type History,
  nextLook,
  RESOLUTIONS,
  type Row,
  record,
  restore,
} from "../model/history.ts";
import { COLUMN, METRICS, type Moment } from "../model/history-moment.ts";
import { gapPoint, type HistoryPoint, type HistoryReport } from "../model/history-report.ts";
import { type SeriesPoint, seriesOf } from "../model/history-series.ts";
import type { Book, Books } from "./books.ts";
import { MomentReader } from "./history-moments.ts";
import { recordOf, rowOf } from "./history-rows.ts";
import type { HistoryRecord, Store } from "./store-types.ts";

const LOOK_EVERY_MS = RESOLUTIONS[0] * 1000;
const HOUR_MS = 3_600_000;
/** Records that wait for a store that is slow or fails: a quarter of an hour of them. Beyond it the oldest are lost. */
const MAX_WAITING = 18;

export interface HistoryTools {
  readonly store: Pick<Store, "health" | "addHistory" | "history" | "markers">;
  readonly books: Books;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  readonly say: (text: string) => void;
  readonly storeFailed: (error: unknown) => void;
}

export class HistoryKeeper {
  readonly #tools: HistoryTools;
  readonly #moments: MomentReader;
  #history: History = createHistory([]);
  #nextLook = 0;
  #lookedMs: number;
  #timer: NodeJS.Timeout | undefined;
  #restored: Promise<void> | null = null;
  #isStopped = false;
  #hasFailed = false;
  #waiting: HistoryRecord[] = [];
  #writing: Promise<void> | null = null;

  constructor(tools: HistoryTools) {
    this.#tools = tools;
    this.#moments = new MomentReader(tools.books);
    this.#lookedMs = tools.nowMs();
  }

  /** Reads what was stored, and then looks every five seconds until `stop`. Safe to repeat. */
  start(): Promise<void> {
    this.#restored ??= this.#restore();
    return this.#restored;
  }

  /** One look at every route, of the time since the last one. */
  look(): void {
    const { nowMs, wallMs, books } = this.#tools;
    const now = nowMs();
    const seconds = Math.round(now - this.#lookedMs) / 1000;
    if (seconds <= 0) return;
    this.#lookedMs = now;
    const from = this.#nextLook++;
    const stretch = { from, to: from + 1, atMs: wallMs() - seconds * 1000, seconds };
    const rows = record(this.#history, stretch, this.#moments.read(now));
    if (rows.length === 0) return;
    forgetGone(this.#history, (route) => books.named(route) !== undefined);
    this.#keep(rows);
  }

  /** Of the last `hours`; undefined: there is no such route, now or in this time. */
  async report(route: string, hours: number): Promise<HistoryReport | undefined> {
    await this.#restored;
    const { books, store, wallMs } = this.#tools;
    const now = wallMs();
    const sinceMs = now - hours * HOUR_MS;
    const points = seriesOf(this.#history, route, sinceMs, now).map(pointOf);
    const book = books.named(route);
    if (book === undefined && points.length === 0) return undefined;
    const entries = await store.markers(route, sinceMs);
    const markers = entries.map(({ at, action, by, reason }) => ({ at, action, by, reason }));
    return { route, points, limits: limitsOf(book), markers };
  }

  /** A last look; what is not complete is handed to the store, whose close waits for it. Safe to repeat. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (this.#timer === undefined) return; // not even restored
    clearInterval(this.#timer);
    const { books, nowMs } = this.#tools;
    for (const book of books.all) book.account.read(nowMs()); // nobody else looks any more
    this.look();
    this.#keep(closeAll(this.#history));
  }

  /** A bug here must not take the gateway with it. */
  #lookOrSay(): void {
    try {
      this.look();
    } catch (error) {
      if (!this.#hasFailed)
        this.#tools.say(`the charts have gaps: ${error instanceof Error ? error.stack : error}`);
      this.#hasFailed = true;
    }
  }

  async #restore(): Promise<void> {
    const { books, store, wallMs, storeFailed } = this.#tools;
    this.#history = createHistory(
      [...books.all].flatMap(({ route }) => (route === null ? [] : [route.name])),
    );
    try {
      if (!("why" in store.health)) this.#keep(await this.#readStored());
    } catch (error) {
      storeFailed(error); // the charts begin anew
    }
    // Looks are five seconds apart: even where nothing could be read, these come after those that are stored.
    this.#nextLook = Math.max(nextLook(this.#history), Math.floor(wallMs() / 1000));
    if (this.#isStopped) return;
    this.#timer = setInterval(() => this.#lookOrSay(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Answers what of it is to be stored in another resolution. */
  async #readStored(): Promise<Row[]> {
    const { store, say } = this.#tools;
    const [, minute, coarsest] = RESOLUTIONS;
    let unreadable = 0;
    /** Minutes that no longer stretch has yet. */
    let minutes: Row[] = [];
    for (let page = await store.history(0); page.length > 0; ) {
      for (const { record: stored } of page) {
        const row = stored === null ? undefined : rowOf(stored);
        if (row === undefined) unreadable++;
        else restore(this.#history, row);
        if (row?.resolution === minute) minutes.push(row);
        else if (row?.resolution === coarsest) minutes = [];
      }
      page = await store.history(page.at(-1)?.id ?? 0);
    }
    if (unreadable > 0)
      say(`the charts have gaps: ${unreadable} stored stretches of their history cannot be read`);
    return finishRestore(this.#history, minutes);
  }

  #keep(rows: readonly Row[]): void {
    if ("why" in this.#tools.store.health) return; // said at the start
    this.#waiting.push(...rows.map(recordOf));
    this.#waiting.splice(0, this.#waiting.length - MAX_WAITING);
    // At the end all at once, whatever is under way: a later call would find the store closed.
    if (this.#isStopped) void this.#write();
    else if (this.#waiting.length > 0) this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const records = this.#waiting;
        this.#waiting = [];
        await this.#tools.store.addHistory(records);
      }
    } catch (error) {
      this.#tools.storeFailed(error);
    } finally {
      this.#writing = null;
    }
  }
}

function limitsOf(book: Book | undefined): HistoryReport["limits"] {
  const guard = book?.route?.guard;
  return { mismatches: guard?.mismatches?.maxRate ?? null, errors: guard?.errors?.maxRate ?? null };
}

function pointOf({ atMs, seconds, moment }: SeriesPoint): HistoryPoint {
  const at = new Date(atMs).toISOString();
  const length = Math.round(seconds * 1000) / 1000;
  return moment === null ? gapPoint(at, length) : { at, seconds: length, ...measured(moment) };
}

function measured(moment: Moment): Omit<HistoryPoint, "at" | "seconds"> {
  const of = (column: keyof typeof COLUMN): number => moment[COLUMN[column]] as number;
  const latency = (old: number, fresh: number): HistoryPoint["p50Ms"] =>
    Number.isNaN(old) && Number.isNaN(fresh) ? null : { old: orNull(old), new: orNull(fresh) };
  return {
    requests: { old: of("requestsOld"), new: of("requestsNew") },
    errors: { old: of("errorsOld"), new: of("errorsNew") },
    p50Ms: latency(of("p50Old"), of("p50New")),
    p99Ms: latency(of("p99Old"), of("p99New")),
    comparisons: {
      match: of("match"),
      mismatch: of("mismatch"),
      noise: of("noise"),
      transient: of("transient"),
      uncompared: of("uncompared"),
    },
    canary: of("canary"),
    shadow: of("shadow"),
    evidence: Object.fromEntries(
      METRICS.map((metric) => [metric, of(metric)] as const).filter(([, value]) => !Number.isNaN(value)),
    ),
    latched: of("latched") > 0,
  };
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
