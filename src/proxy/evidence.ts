/** What one leg tells about its side, written to the board: counters always, events where something failed. */

import type { EventKind } from "../board/event-ring.ts";
import { unitOf } from "../model/bucket.ts";
import type { Decision } from "../model/decide.ts";
import { isBackendsFault } from "../model/failures.ts";
import type { Side } from "../model/ruleset.ts";
import type { DataDesk } from "./desk.ts";
import type { LegOutcome } from "./leg-shapes.ts";
import type { RouteRoom } from "./rooms.ts";

/** A failed answer: no answer through the backend's fault, or a 5xx. 4xx is no error. */
export function failed(outcome: LegOutcome): boolean {
  if (outcome.failure !== null) return isBackendsFault(outcome.failure);
  return outcome.status !== null && outcome.status >= 500;
}

/** A 4xx, also where the client did not stay to read it. */
export function isClientError(outcome: LegOutcome): boolean {
  return !failed(outcome) && outcome.status !== null && outcome.status >= 400;
}

/** A 4xx of new was its alone: old answered the same well, or could not be asked. */
export function recordClientErrorAlone(desk: DataDesk, room: RouteRoom, decision: Decision): void {
  pushEvent(desk, room, decision, "new", "client-error-alone");
}

/** Records one leg of a request. Nothing of a client's fault is held against a side. */
export function recordLeg(
  desk: DataDesk,
  room: RouteRoom,
  decision: Decision,
  side: Side,
  outcome: LegOutcome,
): void {
  const slow = isSlow(room.tile.slowUs, outcome);
  const latencyUs = outcome.headMs === null ? null : outcome.headMs * 1000;
  if (failed(outcome)) {
    room.recorder.leg(side, "error", slow, latencyUs);
    pushEvent(desk, room, decision, side, "error");
  } else if (isClientError(outcome)) {
    room.recorder.leg(side, "client-error", slow, latencyUs);
    pushEvent(desk, room, decision, side, "client-error");
  } else if (outcome.status !== null) {
    room.recorder.leg(side, "well", slow, latencyUs);
  } else if (!slow) {
    return; // the client left before anything could be said
  }
  // After the error: a client that gave up on a slow side is a slow event, with no answer to count.
  if (slow) pushEvent(desk, room, decision, side, "slow");
  if (side === "new" && outcome.status !== null && !failed(outcome)) room.tile.breakKillStreak(desk.wallMs);
}

/**
 * New failed. `oldAnsweredWell`: old was asked the same and answered well; null: old was not asked. A failure
 * that both sides share counts for nothing; a transport failure counts where old was not asked.
 */
export function recordNewFailed(
  desk: DataDesk,
  room: RouteRoom,
  decision: Decision,
  newOutcome: LegOutcome,
  oldAnsweredWell: boolean | null,
): void {
  if (room.compiled.route.guard === null) return;
  if (oldAnsweredWell !== false) pushEvent(desk, room, decision, "new", "error-alone");
  const counts = oldAnsweredWell ?? newOutcome.failure !== null;
  if (counts) room.tile.addToKillStreak(desk.wallMs());
  else if (oldAnsweredWell === false) room.tile.noteSharedFailure();
  desk.bell.ring();
}

function isSlow(slowUs: number, outcome: LegOutcome): boolean {
  if (slowUs === 0) return false;
  return (outcome.headMs ?? outcome.waitedMs) * 1000 > slowUs;
}

function pushEvent(desk: DataDesk, room: RouteRoom, decision: Decision, side: Side, kind: EventKind): void {
  const { route } = room.compiled;
  if (route.guard === null) return;
  const unit = decision.who === null ? null : unitOf(route.name, decision.who.key);
  desk.events.push({ slot: room.slot, kind, side, rhoPpm: decision.rhoPpm, unit });
}
