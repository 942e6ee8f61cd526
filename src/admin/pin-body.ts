/** Reads and checks what pins and unpins carry. */

import { PIN_TIME_HINT, pinTimeMs, whyNoKey } from "../model/pins.ts";
import { type JsonObject, refuseOthers, requiredReason } from "./body.ts";
import type { PinRequest } from "./desk.ts";
import { Problem } from "./problem.ts";

/** `{"key", "side", "reason", "for"?}`. Throws a Problem (400) that names the field and what it should be. */
export function pinRequest(body: JsonObject): PinRequest {
  refuseOthers(body, ["key", "side", "reason", "for"]); // a misspelt `for` would pin for good
  const { side } = body;
  if (side !== "old" && side !== "new") throw new Problem(400, 'side must be "old" or "new"');
  return { key: keyOf(body), side, reason: requiredReason(body), forMs: forOf(body) };
}

/** `{"key", "reason"}`. Throws a Problem (400). */
export function unpinRequest(body: JsonObject): Pick<PinRequest, "key" | "reason"> {
  refuseOthers(body, ["key", "reason"]);
  return { key: keyOf(body), reason: requiredReason(body) };
}

function keyOf({ key }: JsonObject): string {
  if (typeof key !== "string") {
    throw new Problem(400, 'key must be a string, as requests carry it: {"key": "acme", …}');
  }
  const why = whyNoKey(key);
  if (why !== null) throw new Problem(400, why);
  return key;
}

function forOf(body: JsonObject): number | null {
  const written = body.for ?? null;
  if (written === null) return null;
  const forMs = typeof written === "string" ? pinTimeMs(written) : null;
  if (forMs !== null) return forMs;
  throw new Problem(400, `for must be how long, ${PIN_TIME_HINT}; without it the pin has no end`);
}
