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
import { type Retry, retryFor } from "./retry.ts";
import type { RouteRoom } from "./rooms.ts";

/** `copy`: takes a copy of the answer for comparison; null: nobody does. */
export function forward(exchange: Exchange, room: RouteRoom, copy: ClientCopy | null): Promise<Served> {
  const { decision } = exchange;
  if (decision.side === "new" && room.new !== null) return forwardToNew(exchange, room, room.new, copy);
  const asOld = { side: "old", reason: decision.reason } as const;
  return ask(exchange, room.old, asOld, { copy, fallback: null, evidenceFor: room });
}

async function forwardToNew(
  exchange: Exchange,
  room: RouteRoom,
  client: BackendClient,
  copy: ClientCopy | null,
): Promise<Served> {
  const { desk, decision } = exchange;
  const fallback = fallbackFor(exchange, room);
  const asNew = { side: "new", reason: decision.reason } as const;
  const first = await ask(exchange, client, asNew, { copy, fallback, evidenceFor: room });
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
  // Old's answer to the repeat is no evidence for old: new's bad requests would make old look busy.
  const second = await ask(exchange, room.old, asOld, RELAYED, body);
  room.recorder.fallback();
  if (isFailed) recordNewFailed(desk, room, decision, first.outcome, answeredWell(second.outcome));
  return { ...second, fellBack: true };
}

/** A request that no route matches goes to the backend for those, or is answered 404. */
export async function forwardUnmatched(exchange: Exchange): Promise<Served> {
  const { backend } = exchange.snapshot.unmatched;
  const as = { side: "old", reason: "unmatched" } as const;
  if (backend !== null) return ask(exchange, backend, as, RELAYED);
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

interface Manner {
  /** Takes a copy of the answer for comparison; null: nobody does. */
  readonly copy: ClientCopy | null;
  /** Waits for a 5xx, which is then not passed on; null: whatever comes is the client's answer. */
  readonly fallback: Fallback | null;
  /** Where the answer is recorded as evidence about its side; null: it is none. */
  readonly evidenceFor: RouteRoom | null;
}

const RELAYED: Manner = { copy: null, fallback: null, evidenceFor: null };

/** One side's answer, relayed to the client; where the first try is worth a second, that of the second. */
async function ask(
  exchange: Exchange,
  client: BackendClient,
  as: As,
  manner: Manner,
  bodyAgain: Buffer | null = null,
): Promise<Served> {
  client.retries.request(exchange.begunMs);
  const first = send(exchange, client, as, manner, bodyAgain ?? exchange.body);
  let outcome = await first.leg.outcome;
  ended(exchange, as, first, 0, outcome);
  const kind = exchange.clientGone ? "none" : retryFor(client, exchange.facts.method, outcome);
  if (kind !== "none" && client.retries.take(exchange.desk.nowMs())) {
    const body = await bodyForRetry(exchange, kind, bodyAgain);
    if (body !== undefined && !exchange.clientGone) {
      const second = send(exchange, client, as, manner, body);
      outcome = await second.leg.outcome;
      ended(exchange, as, second, 1, outcome);
    }
  }
  const { evidenceFor } = manner;
  if (evidenceFor !== null) recordLeg(exchange.desk, evidenceFor, exchange.decision, as.side, outcome);
  return { side: as.side, reason: as.reason, outcome, fellBack: false };
}

interface Try {
  readonly leg: Leg;
  readonly spanId: string;
}

function send(
  exchange: Exchange,
  client: BackendClient,
  as: As,
  { copy, fallback }: Manner,
  body: LegRequest["body"],
): Try {
  const answer = new ClientAnswer(exchange, as, { refuses5xx: fallback !== null, copy });
  const request = legRequest(exchange, as.side, body, headTimeoutOf(client, fallback));
  const leg = new Leg(client, request, answer, exchange.desk.tools);
  answer.flow = leg;
  exchange.leg = leg;
  if (exchange.clientGone) leg.abort(new ProxyError("client_gone", "the client left"));
  return { leg, spanId: request.spanId };
}

function ended(exchange: Exchange, as: As, { leg, spanId }: Try, resends: number, outcome: LegOutcome): void {
  exchange.leg = null;
  const { desk, span } = exchange;
  if (span === null) return;
  const role = as.reason === "fallback" ? "fallback" : "serving";
  desk.spans?.leg(exchange, span, { side: as.side, role, spanId, origin: leg.origin, resends, outcome });
}

/** Undefined: it cannot be sent again. */
async function bodyForRetry(
  exchange: Exchange,
  kind: Retry,
  bodyAgain: Buffer | null,
): Promise<LegRequest["body"] | undefined> {
  const { body } = exchange;
  if (bodyAgain !== null || body === null) return bodyAgain;
  if (kind === "unsent" && body.bytes === 0) return body;
  return body.keepsCopy ? bodyToSendAgain(exchange) : undefined;
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
