import assert from "node:assert/strict";

const MOST_SECONDS = 20;

/**
 * What `work` returns, which must not take 20 s of this thread's processor time: quadratic time would take minutes.
 * Time on the clock says nothing where other work has the processor.
 */
export function atBoundedCost<T>(work: () => T): T {
  const before = process.threadCpuUsage();
  const result = work();
  const { user, system } = process.threadCpuUsage(before);
  const seconds = (user + system) / 1_000_000;
  assert.ok(seconds < MOST_SECONDS, `${seconds} s of processor time`);
  return result;
}
