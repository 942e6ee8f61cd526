/** Regressions that a simulation looks for. */

import type { Tape } from "./tape.ts";

/** times: old's rate of errors. rate: a share of what would have been well, 0 to 1. */
export type Factor =
  | { readonly kind: "times"; readonly times: number }
  | { readonly kind: "rate"; readonly rate: number; readonly text: string };

/** What has to fail besides, so that new fails so many times as often as the log does; 0: nothing can. */
export function rateOf(factor: Factor, { errors, requests }: Tape): number {
  if (factor.kind === "rate") return factor.rate;
  const rate = errors / Math.max(1, requests);
  return rate >= 1 ? 0 : Math.min(1, ((factor.times - 1) * rate) / (1 - rate));
}

/** How often new fails then, old's own errors with it. */
export function totalRateOf(factor: Factor, tape: Tape): number {
  const own = tape.errors / Math.max(1, tape.requests);
  return own + (1 - own) * rateOf(factor, tape);
}
