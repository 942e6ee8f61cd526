/**
 * A copy of a request to the other side. It can only lose the shadow: it is bounded in number, size and time,
 * nobody waits for it, and the client never notices.
 */

import type { Side } from "../model/ruleset.ts";
import type { UncomparedReason } from "../model/uncompared.ts";
import type { CollectedAnswer } from "./answer-copy.ts";
import type { Exchange } from "./exchange.ts";
import type { RouteRoom } from "./rooms.ts";
import { askAsShadow, type ShadowAnswer } from "./shadow-leg.ts";
import { drawsNoise, hasRoomForNoise, type ShadowPlan } from "./shadow-plan.ts";

export type ShadowResult =
  | {
      readonly kind: "answered";
      readonly answer: CollectedAnswer;
      /** Old's second answer, asked for beside new's; null: it was not asked for, or is lost. */
      readonly again: CollectedAnswer | null;
      /** The request's body as it was sent. */
      readonly body: Buffer | null;
    }
  | { readonly kind: "lost"; readonly why: UncomparedReason };

export interface Shadow {
  readonly side: Side;
  readonly result: Promise<ShadowResult>;
  /**
   * Asks old the second time where new served: to be called once both first answers are there. Null: this request is
   * not in the noise sample, or old's second answer comes with the result.
   */
  readonly askOldAgain: ((body: Buffer | null) => Promise<CollectedAnswer | null>) | null;
}

/** The request's body for all that want to send it; null: it has none. */
type BodyCopy =
  | { readonly kind: "whole"; readonly body: Buffer | null }
  | { readonly kind: "lost"; readonly why: "too_large" | "aborted" };

/** Sends it on its way; it ends by itself, whatever becomes of the client. `draw`: chance, from 0 up to 1. */
export function startShadow(
  exchange: Exchange,
  room: RouteRoom,
  plan: ShadowPlan,
  draw: () => number,
): Shadow {
  const asksAgain = drawsNoise(room, plan, exchange.facts.method, draw);
  const copy = bodyToSend(exchange, plan);
  if (plan.side === "old") return reverseShadow(exchange, room, plan, copy, asksAgain);
  // Both legs set off in the turn in which the body is there, in the order in which they wait for it. By chance:
  // whoever always came second would meet warmer caches.
  const againFirst = asksAgain && draw() < 1 / 2 ? askOldAgain(exchange, room, plan, copy) : null;
  const shadow = ask(exchange, room, plan, copy);
  const again = againFirst ?? (asksAgain ? askOldAgain(exchange, room, plan, copy) : null);
  const result = again === null ? shadow : withSecond(shadow, again);
  return { side: plan.side, result, askOldAgain: null };
}

/**
 * New was asked before old here. Were old asked twice at one moment, what changes between new's answer and old's would
 * never show between old's own two, and a healthy new would be blamed for it. So the second question follows when both
 * first answers are there: at least as much time lies between old's answers as between new's and old's.
 */
function reverseShadow(
  exchange: Exchange,
  room: RouteRoom,
  plan: ShadowPlan,
  copy: Promise<BodyCopy>,
  asksAgain: boolean,
): Shadow {
  const askLater = async (body: Buffer | null): Promise<CollectedAnswer | null> => {
    if (exchange.desk.pressure !== "none" || !hasRoomForNoise(room, 1)) return null;
    return askOldAgain(exchange, room, plan, Promise.resolve({ kind: "whole", body }));
  };
  return {
    side: plan.side,
    result: ask(exchange, room, plan, copy),
    askOldAgain: asksAgain ? askLater : null,
  };
}

async function withSecond(
  shadow: Promise<ShadowResult>,
  again: Promise<CollectedAnswer | null>,
): Promise<ShadowResult> {
  const result = await shadow;
  return result.kind === "lost" ? result : { ...result, again: await again };
}

async function ask(
  exchange: Exchange,
  room: RouteRoom,
  plan: ShadowPlan,
  copy: Promise<BodyCopy>,
): Promise<ShadowResult> {
  const { desk, snapshot } = exchange;
  room.shadowsInFlight++;
  desk.enter(snapshot);
  try {
    const sent = await copy;
    if (sent.kind === "lost") {
      room.recorder.shadow(sent.why === "too_large" ? "too_large" : "failed");
      return sent;
    }
    const { body } = sent;
    const got = await askAsShadow(desk, room, exchange, { ...plan, body, role: "shadow" }, plan.lease);
    room.shadowRest[plan.side].note(got.kind);
    room.recorder.shadow(got.kind === "lost" ? got.why : "sent");
    if (got.kind === "lost" && got.why === "failed" && got.failure !== undefined)
      room.tile.noteShadowFailure(plan.side, got.failure);
    return got.kind === "lost" ? got : { kind: "answered", answer: got.answer, again: null, body };
  } catch (error) {
    return lostByFault(error);
  } finally {
    room.shadowsInFlight--;
    desk.leave(snapshot);
  }
}

/** The noise sample: never evidence, and in no count of shadows but that of the room they take. */
async function askOldAgain(
  exchange: Exchange,
  room: RouteRoom,
  { lease }: ShadowPlan,
  copy: Promise<BodyCopy>,
): Promise<CollectedAnswer | null> {
  const { desk, snapshot } = exchange;
  room.shadowsInFlight++;
  room.noiseInFlight++;
  desk.enter(snapshot);
  try {
    const sent = await copy;
    if (sent.kind === "lost") return null;
    const to = { side: "old", client: room.shadowOld, body: sent.body, role: "second" } as const;
    const got = await askAsShadow(desk, room, exchange, to, lease);
    return got.kind === "lost" ? null : got.answer;
  } catch (error) {
    lostByFault(error);
    return null;
  } finally {
    room.shadowsInFlight--;
    room.noiseInFlight--;
    desk.leave(snapshot);
  }
}

async function bodyToSend({ body }: Exchange, { maxBodyBytes }: ShadowPlan): Promise<BodyCopy> {
  if (body === null) return { kind: "whole", body: null };
  const copy = await body.copy();
  if (copy === null) return { kind: "lost", why: (await body.whole) ? "too_large" : "aborted" };
  // Kept longer than the shadow may be, for a fallback.
  if (copy.length > maxBodyBytes) return { kind: "lost", why: "too_large" };
  return { kind: "whole", body: copy };
}

/** A bug of ours can only lose the shadow too, but must be heard of. */
function lostByFault(error: unknown): Extract<ShadowAnswer, { kind: "lost" }> {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
  return { kind: "lost", why: "failed" };
}
