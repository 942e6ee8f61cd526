/** Which requests are shadowed, and which of those are also asked of old a second time. */

import type { Decision } from "../model/decide.ts";
import type { Compare, Shadow as ShadowRules, Side } from "../model/ruleset.ts";
import { WHOLE_PPM } from "../model/ruleset.ts";
import { taken } from "../model/sampling.ts";
import type { BackendClient } from "./backend-client.ts";
import type { DataDesk } from "./desk.ts";
import { type RouteRoom, shadowClient } from "./rooms.ts";
import type { Lease } from "./shelf.ts";

/** A shadow that was drawn for a request, not yet under way. */
export interface ShadowPlan {
  readonly side: Side;
  readonly client: BackendClient;
  readonly maxBodyBytes: number;
  /** Null: the two answers are not compared. */
  readonly compare: Compare | null;
  /** Holds what is kept of the answers. */
  readonly lease: Lease;
}

/** Only these are asked again for the sake of a comparison: a repeat does nothing. */
const REPEATABLE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
/** Old's second answers may be as slow as they like: so much of the room is left to shadows of new. */
const NOISE_SHARE_OF_CONCURRENCY = 1 / 2;

export function isRepeatable(method: string): boolean {
  return REPEATABLE_METHODS.has(method);
}

/** Whether this request is shadowed: by side, method and share, and while there is room. Null: it is not. */
export function planShadow(
  desk: DataDesk,
  room: RouteRoom,
  decision: Decision,
  method: string,
): ShadowPlan | null {
  const { shadow: rules, compare } = room.compiled.route;
  const side: Side = decision.side === "old" ? "new" : "old";
  const sharePpm = room.tile.shadowPpm(rules.sharePpm);
  if (sharePpm === 0) return null;
  const client = shadowClient(room, side);
  if (client === null || (side === "old" && !rules.reverse) || !rules.methods.includes(method)) return null;
  if (!taken(room.tile.nextShadowSequence(), sharePpm)) return null;
  if (isShed(desk, room, side, 1)) {
    room.recorder.shadow("shed");
    if (compare !== null) room.recorder.uncompared("shed");
    return null;
  }
  return { side, client, maxBodyBytes: rules.maxBodyBytes, compare, lease: desk.shelf.lease() };
}

/** Whether there is no room for so many legs more: too many at once, a thread under pressure, too many lost of late, or too many a second. */
export function isShed(desk: DataDesk, room: RouteRoom, side: Side, legs: number): boolean {
  const rules: ShadowRules = room.compiled.route.shadow;
  if (room.shadowsInFlight + legs > rules.concurrency || desk.pressure !== "none") return true;
  if (!room.shadowRest[side].allows(desk.nowMs())) return true;
  if (rules.ratePerSecond === null) return false;
  return !room.tile.takeRate(rules.ratePerSecond, Math.floor(desk.wallMs() / 1000));
}

/**
 * Whether old is asked a second time: always while its noise is being learned, then by chance; where there is no
 * room the sample loses this one. To be called once for a shadow, before it is sent off: a draw that had seen
 * answers would say nothing of them. `draw` gives numbers from 0 up to 1.
 */
export function drawsNoise(room: RouteRoom, plan: ShadowPlan, method: string, draw: () => number): boolean {
  const noisePpm = plan.compare?.noisePpm ?? 0;
  if (noisePpm === 0 || !isRepeatable(method) || !hasRoomForNoise(room, 2)) return false;
  return room.tile.takeNoiseLesson() || draw() * WHOLE_PPM < noisePpm;
}

/** Whether a second question to old fits in, as one of so many legs that are about to begin. */
export function hasRoomForNoise(room: RouteRoom, legs: number): boolean {
  const { concurrency } = room.compiled.route.shadow;
  return (
    room.shadowsInFlight + legs <= concurrency &&
    room.noiseInFlight < concurrency * NOISE_SHARE_OF_CONCURRENCY
  );
}
