/** A share taken by counting, not by chance: of 100 requests at 10%, exactly 10. */

import { type SharePpm, WHOLE_PPM } from "./ruleset.ts";

/** Whether the request with this running number (from 0) is among the share. */
export function taken(sequence: number, sharePpm: SharePpm): boolean {
  // The running total passes a whole number: exact in doubles up to 2^32 requests at a time.
  return ((sequence * sharePpm) % WHOLE_PPM) + sharePpm >= WHOLE_PPM;
}
