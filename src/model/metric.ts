/** What new is held to, and counts of it by side: the words that the tests and their reports share. */

import type { Side } from "./ruleset.ts";

export type Metric = "errors" | "client-errors" | "latency" | "mismatches";

export interface Counts {
  readonly answers: Record<Side, number>;
  readonly failed: Record<Side, number>;
}
