/** Reads and checks what a promotion carries. */

import { type JsonObject, refuseOthers, requiredReason } from "./body.ts";
import type { PromoteRequest } from "./desk.ts";
import { Problem } from "./problem.ts";

const PPM_PER_PERCENT = 10_000;
const MOST_STEPS = 1_000_000;

/** Throws a Problem (400) that names the field and what it should be. */
export function promoteRequest(body: JsonObject): PromoteRequest {
  refuseOthers(body, ["reason", "to", "step"]);
  const { to = null, step = null } = body;
  if (step !== null && !isStep(step)) {
    throw new Problem(400, "step must be the number of the step that you saw in status, e.g. 0");
  }
  return { reason: requiredReason(body), toPpm: to === null ? null : sharePpm(to), fromStep: step };
}

/** "25%" in millionths; a share as the rules write it. */
function sharePpm(to: unknown): number {
  const parts = typeof to === "string" ? /^(\d{1,3})(?:\.(\d{1,4}))?%$/.exec(to.trim()) : null;
  const ppm = parts === null ? Number.NaN : partsPpm(parts[1] as string, parts[2] ?? "");
  if (ppm > 0 && ppm <= 100 * PPM_PER_PERCENT) return ppm;
  throw new Problem(400, 'to must be a share of more than 0% and at most 100%, e.g. "25%" or "0.5%"');
}

/** Without floating point, which would make 0.07% a little less. */
function partsPpm(whole: string, fraction: string): number {
  return Number(whole) * PPM_PER_PERCENT + Number(fraction.padEnd(4, "0"));
}

function isStep(step: unknown): step is number {
  return typeof step === "number" && Number.isInteger(step) && step >= 0 && step < MOST_STEPS;
}
