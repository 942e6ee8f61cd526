/** Stored pairs judged again, on a thread of its own: what they hold is hostile, and control has clients to guard. */

import { Worker } from "node:worker_threads";
import type { MismatchSample, RetroReport } from "../model/reports.ts";
import type { Compare } from "../model/ruleset.ts";
import { entryUrl } from "./entry.ts";

/** What compare/retro-thread.ts is started with. */
export interface RetroQuestion {
  readonly samples: readonly MismatchSample[];
  /** By route; a route that is not there has no rules any more. */
  readonly compares: Readonly<Record<string, Compare>>;
  /** A path to be ignored besides; null: none. */
  readonly ignoring: { readonly route: string; readonly path: string } | null;
  readonly rulesVersion: string;
}

export interface RetroLimits {
  readonly timeoutMs: number;
  readonly maxHeapMb: number;
  /** The thread's entry. */
  readonly entry: URL;
}

const LIMITS: RetroLimits = {
  timeoutMs: 60_000,
  maxHeapMb: 1024,
  entry: entryUrl("compare/retro-thread"),
};

/** Beyond these whoever asks is refused: each holds its samples while it waits. */
const MAX_WAITING = 4;

let waiting = 0;
/** Ends when the last one that was asked for has. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Judges one after another, each in a thread of its own that ends with it. Rejects with a sentence for people
 * where the thread fails, takes longer than a minute, or too many wait already.
 */
export function judgeAgainInThread(
  question: RetroQuestion,
  limits: Partial<RetroLimits> = {},
): Promise<RetroReport> {
  if (waiting >= MAX_WAITING) {
    return Promise.reject(new Error(`${MAX_WAITING} others are being judged again already: try again later`));
  }
  waiting++;
  const report = last.then(() => judge(question, { ...LIMITS, ...limits })).finally(() => waiting--);
  last = report.catch(() => {}); // whoever asked hears of it
  return report;
}

async function judge(
  question: RetroQuestion,
  { timeoutMs, maxHeapMb, entry }: RetroLimits,
): Promise<RetroReport> {
  const { promise, resolve, reject } = Promise.withResolvers<RetroReport>();
  const worker = new Worker(entry, {
    name: "retro",
    workerData: question,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
  });
  const timer = setTimeout(
    () =>
      reject(new Error(`judging ${question.samples.length} stored pairs again took over ${timeoutMs} ms`)),
    timeoutMs,
  );
  worker.on("message", resolve);
  worker.on("error", (error: Error) =>
    reject(new Error(`judging stored pairs again failed: ${error.message}`)),
  );
  worker.on("exit", () => reject(new Error("judging stored pairs again ended without a report")));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
