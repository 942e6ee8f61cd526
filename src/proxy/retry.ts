/** Whether a request is sent once more to the same side: only where a repeat can do no harm. */

import type { Failure } from "../model/failures.ts";
import { IDEMPOTENT_METHODS } from "../model/methods.ts";
import type { BackendClient } from "./backend-client.ts";
import type { LegOutcome } from "./leg-shapes.ts";

/**
 * `unsent`: nothing of it went out, and another URL may take it. `stale`: the backend closed a kept connection
 * just as the request went out, which is no fault of anybody.
 */
export type Retry = "none" | "unsent" | "stale";

/** A connection that was closed before shows at once; a backend that dies while it thinks is another matter. */
const STALE_WITHIN_MS = 1_000;

const NO_CONNECTION: ReadonlySet<Failure> = new Set([
  "connection_refused",
  "connection_terminated",
  "connection_timeout",
  "destination_unavailable",
]);

export function retryFor(client: BackendClient, method: string, outcome: LegOutcome): Retry {
  if (outcome.status !== null || outcome.failure === null) return "none";
  if (!outcome.isSent) return client.hasOthers && NO_CONNECTION.has(outcome.failure) ? "unsent" : "none";
  const isStale = outcome.failure === "connection_terminated" && outcome.totalMs < STALE_WITHIN_MS;
  return isStale && IDEMPOTENT_METHODS.has(method) ? "stale" : "none";
}
