/**
 * A copy of a request to the other side. It can only lose the shadow: it is bounded in number, size and time,
 * nobody waits for it, and the client never notices.
 */

import type { Decision } from "../model/decide.ts";
import { findHeader } from "../model/facts.ts";
import { answerHeadersToForward } from "../model/headers.ts";
import type { UncomparedReason } from "../model/pair.ts";
import type { Shadow as ShadowRules, Side } from "../model/ruleset.ts";
import { taken } from "../model/sampling.ts";
import type { BackendClient } from "./backend-client.ts";
import { Capture, type CollectedAnswer } from "./capture.ts";
import { ProxyError } from "./classify.ts";
import type { DataDesk, RouteRoom } from "./desk.ts";
import type { Exchange } from "./exchange.ts";
import { Leg } from "./leg.ts";
import { legRequest } from "./leg-request.ts";
import type { LegOutcome, Sink } from "./leg-shapes.ts";
import { retryFor } from "./retry.ts";

export type ShadowResult =
  | { readonly kind: "answered"; readonly answer: CollectedAnswer }
  | { readonly kind: "lost"; readonly why: UncomparedReason };

export interface Shadow {
  readonly side: Side;
  readonly result: Promise<ShadowResult>;
}

/** A shadow that was drawn for a request, not yet under way. */
export interface ShadowPlan {
  readonly side: Side;
  readonly client: BackendClient;
  readonly maxBodyBytes: number;
  /** How much of the client's answer to keep for comparison; null: it is not compared. */
  readonly captureBytes: number | null;
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
  const client = side === "new" ? room.shadowNew : room.shadowOld;
  if (client === null || (side === "old" && !rules.reverse) || !rules.methods.includes(method)) return null;
  const sharePpm = room.tile.shadowPpm(rules.sharePpm);
  if (sharePpm === 0 || !taken(room.tile.nextShadowSequence(), sharePpm)) return null;
  if (isShed(desk, room, rules, side)) {
    room.recorder.shadow("shed");
    if (compare !== null) room.recorder.comparison("uncompared");
    return null;
  }
  const { maxBodyBytes } = rules;
  return { side, client, maxBodyBytes, captureBytes: compare === null ? null : maxBodyBytes };
}

/** Too many at once, a thread under pressure, too many lost of late, or too many a second. */
function isShed(desk: DataDesk, room: RouteRoom, rules: ShadowRules, side: Side): boolean {
  if (room.shadowsInFlight >= rules.concurrency || desk.pressure !== "none") return true;
  if (!room.shadowRest[side].allows(desk.nowMs())) return true;
  if (rules.ratePerSecond === null) return false;
  return !room.tile.takeRate(rules.ratePerSecond, Math.floor(desk.wallMs() / 1000));
}

/** Sends it on its way; it ends by itself, whatever becomes of the client. */
export function startShadow(exchange: Exchange, room: RouteRoom, plan: ShadowPlan): Shadow {
  const { desk, snapshot } = exchange;
  room.shadowsInFlight++;
  desk.enter(snapshot);
  const result = run(exchange, room, plan)
    .catch(lostByFault)
    .finally(() => {
      room.shadowsInFlight--;
      desk.leave(snapshot);
    });
  return { side: plan.side, result };
}

async function run(exchange: Exchange, room: RouteRoom, { side, client }: ShadowPlan): Promise<ShadowResult> {
  const { desk } = exchange;
  const { shadow: rules } = room.compiled.route;
  const body = exchange.body === null ? null : await exchange.body.copy();
  if (exchange.body !== null && body === null) {
    const whole = await exchange.body.whole;
    room.recorder.shadow(whole ? "too_large" : "failed");
    return { kind: "lost", why: whole ? "too_large" : "aborted" };
  }
  // Kept longer than the shadow may be, for a fallback.
  if (body !== null && body.length > rules.maxBodyBytes) {
    room.recorder.shadow("too_large");
    return { kind: "lost", why: "too_large" };
  }
  const once = async (): Promise<{ collector: Collector; outcome: LegOutcome }> => {
    const collector = new Collector(rules.maxBodyBytes, exchange.facts.method);
    const request = legRequest(exchange, side, body, rules.timeoutMs, true);
    const leg = new Leg(client, request, collector, desk.tools);
    collector.leg = leg;
    const deadline = desk.deadlines.set(rules.timeoutMs, () =>
      leg.abort(new ProxyError("http_response_timeout", "the shadow took too long")),
    );
    const outcome = await leg.outcome;
    deadline.clear();
    return { collector, outcome };
  };
  client.retries.request(exchange.begunMs);
  let { collector, outcome } = await once();
  if (retryFor(client, exchange.facts.method, outcome) !== "none" && client.retries.take(desk.nowMs())) {
    ({ collector, outcome } = await once());
  }
  const result = judge(room, collector, outcome);
  room.shadowRest[side].note(result.kind);
  return result;
}

/** A bug of ours can only lose the shadow too, but must be heard of. */
function lostByFault(error: unknown): ShadowResult {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
  return { kind: "lost", why: "failed" };
}

function judge(room: RouteRoom, collector: Collector, outcome: LegOutcome): ShadowResult {
  if (collector.tooLarge) {
    room.recorder.shadow("too_large");
    return { kind: "lost", why: "too_large" };
  }
  if (outcome.failure !== null || collector.answer === null) {
    const timedOut =
      outcome.failure === "http_response_timeout" || outcome.failure === "connection_read_timeout";
    const shed = outcome.failure === "connection_limit_reached";
    room.recorder.shadow(timedOut ? "timeout" : shed ? "shed" : "failed");
    return { kind: "lost", why: timedOut ? "timeout" : shed ? "shed" : "failed" };
  }
  room.recorder.shadow("sent");
  return { kind: "answered", answer: collector.answer };
}

/** Keeps an answer whole, up to a limit; beyond it the leg is ended. */
class Collector implements Sink {
  readonly #body: Capture;
  readonly #maxBytes: number;
  readonly #method: string;
  leg: Leg | null = null;
  answer: CollectedAnswer | null = null;
  tooLarge = false;

  constructor(maxBytes: number, method: string) {
    this.#body = new Capture(maxBytes);
    this.#maxBytes = maxBytes;
    this.#method = method;
  }

  head(status: number, _reasonPhrase: string, rawHeaders: readonly string[]): boolean {
    this.answer = { status, headers: answerHeadersToForward(rawHeaders), body: this.#body };
    // Known beforehand, it need not be read first. After these no body follows, whatever length is named.
    const isBodiless = this.#method === "HEAD" || status === 204 || status === 304;
    const declaredBytes = Number(findHeader(rawHeaders, "content-length") ?? 0);
    if (!isBodiless && declaredBytes > this.#maxBytes) this.#giveUp();
    return true;
  }

  data(chunk: Buffer): boolean {
    this.#body.push(chunk);
    if (this.#body.overflowed) this.#giveUp();
    return true;
  }

  end(): void {}

  cut(): void {}

  #giveUp(): void {
    this.tooLarge = true;
    this.leg?.abort(
      new ProxyError("http_response_incomplete", "the shadow's answer is too large to compare"),
    );
  }
}
