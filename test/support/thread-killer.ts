/**
 * Preloaded into a gateway (`NODE_OPTIONS=--import=…`): a SIGUSR2 ends the worker thread whose name stands in
 * the file CUTOVER_TEST_VICTIM, as running out of memory would: without a word, with whatever it held.
 */

import { readFileSync } from "node:fs";
import { isMainThread, type Worker } from "node:worker_threads";

const victimFile = process.env.CUTOVER_TEST_VICTIM;

if (isMainThread && victimFile !== undefined) {
  const alive = new Set<Worker>();
  process.on("worker", (worker: Worker) => {
    alive.add(worker);
    worker.on("exit", () => alive.delete(worker));
  });
  process.on("SIGUSR2", () => {
    const victim = readFileSync(victimFile, "utf8");
    // Threads of a dying generation may still be there: all of that name.
    for (const worker of alive) if (worker.threadName === victim) void worker.terminate();
  });
}
