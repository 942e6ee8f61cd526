/** Asks the side that was decided; where new fails and the rules allow it, asks old again. */

import { IDEMPOTENT_METHODS, SAFE_METHODS } from "../model/methods.ts";
import type { Reason } from "../model/reasons.ts";
import type { Fallback, Side } from "../model/ruleset.ts";
import { ClientAnswer } from "./answer.ts";
import type { BackendClient } from "./backend-client.ts";
import { ProxyError } from "./classify.ts";
import type { ClientCopy } from "./client-copy.ts";
import { attributeClientError } from "./client-errors.ts";
import { failed, recordLeg, recordNewFailed } from "./evidence.ts";
import type { Exchange, Served } from "./exchange.ts";
import { Leg } from "./leg.ts";
import { legRequest } from "./leg-request.ts";
import type { LegOutcome, LegRequest } from "./leg-shapes.ts";
import { retryFor } from "./retry.ts";
import type { RouteRoom } from "./rooms.ts";

/** `copy`: takes a copy of the answer for comparison; null: nobody does. */
export async function forward(exchange: Exchange, room: RouteRoom, copy: ClientCopy | null): Promise<Served> {
  const { desk, decision } = exchange;
  if (decision.side === "old" || room.new === null) {
    const served = await ask(exchange, room.old, { side: "old", reason: decision.reason }, copy, null);
    recordLeg(desk, room, decision, "old", served.outcome);
    return served;
  }
  const fallback = fallbackFor(exchange, room);
  const asNew = { side: "new", reason: decision.reason } as const;
  const first = await ask(exchange, room.new, asNew, copy, fallback);
  recordLeg(desk, room, decision, "new", first.outcome);
  attributeClientError(exchange, room, first.outcome, Math.random);
  const isFailed = failed(first.outcome);
  // A full queue before new is no answer of new's to count, but its client must not suffer from it either.
  if (!isFailed && first.outcome.failure !== "connection_limit_reached") return first;
  const body = fallback === null ? undefined : await bodyToSendAgain(exchange);
  if (body === undefined || first.outcome.wanted || exchange.clientGone) {
    if (isFailed) recordNewFailed(desk, room, decision, first.outcome, null);
    return first;
  }
  const asOld = { side: "old", reason: "fallback" } as const;
  const second = await ask(exchange, room.old, asOld, null, null, body);
  // Old's answer to the repeat is no evidence for old: new's bad requests would make old look busy.
  room.recorder.fallback();
  if (isFailed) recordNewFailed(desk, room, decision, first.outcome, answeredWell(second.outcome));
  return { ...second, fellBack: true };
}

/** A request that no route matches goes to the backend for those, or is answered 404. */
export async function forwardUnmatched(exchange: Exchange): Promise<Served> {
  const { backend } = exchange.snapshot.unmatched;
  const as = { side: "old", reason: "unmatched" } as const;
  if (backend !== null) return ask(exchange, backend, as, null, null);
  const outcome: LegOutcome = {
    status: null,
    failure: "destination_not_found",
    headMs: null,
    waitedMs: 0,
    totalMs: 0,
    wanted: false,
    isSent: false,
  };
  return { ...as, outcome, fellBack: false };
}

/** One side's answer, relayed to the client unless `fallback` waits for a 5xx. */
async function ask(
  exchange: Exchange,
  client: BackendClient,
  as: As,
  copy: ClientCopy | null,
  fallback: Fallback | null,
  bodyAgain: Buffer | null = null,
): Promise<Served> {
  let resends = -1;
  const refuse5xx = (): boolean => fallback !== null && exchange.body?.keepsCopy !== false;
  const once = async (body: LegRequest["body"]): Promise<Served> => {
    resends++;
    const answer = new ClientAnswer(exchange, as, { refuse5xx, copy });
    const request = legRequest(exchange, as.side, body, headTimeoutOf(client, fallback));
    const leg = new Leg(client, request, answer, exchange.desk.tools);
    answer.flow = leg;
    exchange.leg = leg;
    if (exchange.clientGone) leg.abort(new ProxyError("client_gone", "the client left"));
    const outcome = await leg.outcome;
    exchange.leg = null;
    const { desk, span } = exchange;
    if (span !== null) {
      const role = as.reason === "fallback" ? "fallback" : "serving";
      const { spanId } = request;
      desk.spans?.leg(exchange, span, { side: as.side, role, spanId, origin: leg.origin, resends, outcome });
    }
    return { ...as, outcome, fellBack: false };
  };
  client.retries.request(exchange.begunMs);
  const first = await once(bodyAgain ?? exchange.body?.stream() ?? null);
  const kind = exchange.clientGone ? "none" : retryFor(client, exchange.facts.method, first.outcome);
  if (kind === "none" || !client.retries.take(exchange.desk.nowMs())) return first;
  if (bodyAgain !== null || exchange.body === null) return once(bodyAgain);
  if (kind === "unsent" && exchange.body.bytes === 0) return once(exchange.body.stream());
  const again = exchange.body.keepsCopy ? await bodyToSendAgain(exchange) : undefined;
  return again === undefined || exchange.clientGone ? first : once(again);
}

interface As {
  readonly side: Side;
  readonly reason: Reason;
}

function headTimeoutOf({ backend }: BackendClient, fallback: Fallback | null): number {
  return Math.min(backend.timeouts.headersMs, fallback?.afterMs ?? Number.POSITIVE_INFINITY);
}

function answeredWell(outcome: LegOutcome): boolean {
  return outcome.failure === null && outcome.status !== null && outcome.status < 500;
}

/** The route's fallback if it is for this request; null: a failure of new is the client's answer. */
function fallbackFor({ facts, body }: Exchange, room: RouteRoom): Fallback | null {
  const { fallback } = room.compiled.route;
  if (fallback === null || (body !== null && !body.keepsCopy)) return null;
  const methods = fallback.when === "safe" ? SAFE_METHODS : IDEMPOTENT_METHODS;
  return methods.has(facts.method) ? fallback : null;
}

/** Null: there is none to send. Undefined: it cannot be sent again. */
async function bodyToSendAgain({ body }: Exchange): Promise<Buffer | null | undefined> {
  if (body === null) return null;
  body.resume(); // a leg that failed at once has not read it
  return (await body.copy()) ?? undefined;
}
