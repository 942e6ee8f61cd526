/** A request whose answers differed, asked again of both sides: as shadows, but in no count and evidence for nobody. */

import type { Ticket } from "../model/pair.ts";
import type { Side } from "../model/ruleset.ts";
import type { DataDesk, Repeatable } from "./desk.ts";
import type { UnconfirmedReason } from "./messages.ts";
import { postPair } from "./post-pair.ts";
import type { RouteRoom } from "./rooms.ts";
import { shadowClient } from "./rooms.ts";
import { askAsShadow, type ShadowAnswer } from "./shadow-leg.ts";
import { isShed } from "./shadow-plan.ts";
import type { Lease } from "./shelf.ts";

/** Posts the second pair, also where it is equal now; resolves to why it could not; null: it did. */
export async function askAgain(
  desk: DataDesk,
  ticket: Ticket,
  repeatable: Repeatable,
): Promise<UnconfirmedReason | null> {
  const { room } = repeatable;
  // One leg goes to each side; the rate is there to spare new.
  if (isShed(desk, room, "new", 2)) return "shed";
  const lease = desk.shelf.lease();
  room.shadowsInFlight += 2;
  try {
    return await askBoth(desk, room, ticket, repeatable, lease);
  } finally {
    room.shadowsInFlight -= 2;
    lease.release();
  }
}

async function askBoth(
  desk: DataDesk,
  room: RouteRoom,
  ticket: Ticket,
  { question, compare, body, answeredMs }: Repeatable,
  lease: Lease,
): Promise<UnconfirmedReason | null> {
  const ask = async (side: Side): Promise<ShadowAnswer> => {
    const client = shadowClient(room, side);
    if (client === null) return { kind: "lost", why: "failed" };
    return askAsShadow(desk, room, question, { side, client, body, role: "confirmation" }, lease);
  };
  const afterMs = desk.nowMs() - answeredMs;
  const [old, fresh] = await Promise.all([ask("old"), ask("new")]);
  if (old.kind === "lost" || fresh.kind === "lost") return "lost";
  const posted = await postPair(desk, question, {
    room,
    compare,
    answers: { old: old.answer, new: fresh.answer, again: null },
    isReverse: false, // both are asked now
    ticket: () => null,
    confirms: { ticket, afterMs },
  });
  return posted ? null : "shed";
}
