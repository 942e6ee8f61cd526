/** What a simulation is asked to do. */

import type { Factor } from "./factor.ts";
import type { Fault } from "./fault.ts";
import type { Assumptions } from "./gates.ts";

export interface SimulationOptions {
  /** Of the one simulation of the log as it was. */
  readonly faults: readonly Fault[];
  readonly factors: readonly Factor[];
  readonly assumed: Assumptions;
  /** Of each bootstrap; 0: none. */
  readonly runs: number;
  readonly seed: number;
}
