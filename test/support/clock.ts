/**
 * Preloaded into a gateway (`NODE_OPTIONS=--import=…`): a SIGUSR2 moves the control thread's clock on by a
 * minute, so that tests need not wait for "the last complete minute". The data threads keep the real time.
 */

import { isMainThread } from "node:worker_threads";

const STEP_MS = 61_000;

if (isMainThread) {
  const now = performance.now.bind(performance);
  let aheadMs = 0;
  performance.now = () => now() + aheadMs;
  process.on("SIGUSR2", () => {
    aheadMs += STEP_MS;
  });
}
