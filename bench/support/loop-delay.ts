/**
 * Preloaded into every thread of a gateway (`node --import`): writes down how long each event loop stood still,
 * one JSON line a slice of time, into the file that BENCH_LOOP_DELAY names.
 */

import { appendFile } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { threadName } from "node:worker_threads";
import { monotonicMs } from "./stats.ts";

const SLICE_MS = 50;
const RESOLUTION_MS = 1;

const file = process.env.BENCH_LOOP_DELAY;
if (file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  setInterval(() => {
    const line = { thread: threadName || "control", atMs: monotonicMs(), maxMs: delay.max / 1e6 };
    delay.reset();
    // By the thread pool: a disk that is slow at this moment must not be what stands still.
    appendFile(file, `${JSON.stringify(line)}\n`, (error) => {
      if (error !== null) throw error;
    });
  }, SLICE_MS).unref();
}
