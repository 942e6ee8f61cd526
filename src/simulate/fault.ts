/** What is made to go wrong in a simulation, and when. */

import type { Side } from "../model/ruleset.ts";

/** client-errors: answers become 4xx. slow: answers take longer than old's p99. mismatches: shadows differ. */
export type FaultMetric = "errors" | "client-errors" | "slow" | "mismatches";

export interface Fault {
  /** both: a request that fails here would have failed on the other side too. */
  readonly side: Side | "both";
  readonly metric: FaultMetric;
  /** Of what would have been well, 0 to 1. */
  readonly rate: number;
  /** Milliseconds since the simulation's start. */
  readonly fromMs: number;
  /** Not any more from then on. */
  readonly untilMs: number;
}

/** The chance that one of several independent faults of a side hits something well; 0: none acts. */
export function faultRate(
  faults: readonly Fault[],
  side: Fault["side"],
  metric: FaultMetric,
  atMs: number,
): number {
  let well = 1;
  for (const fault of faults) {
    if (fault.side !== side || fault.metric !== metric || atMs < fault.fromMs || atMs >= fault.untilMs)
      continue;
    well *= 1 - fault.rate;
  }
  return 1 - well;
}
