/**
 * Whose fault a 4xx of new is. Old is asked the same, after the client has its answer: a 4xx that both answer is the
 * client's fault and counts for nothing, whoever chose that new should get the request. As a shadow it is bounded, in
 * no count, and can only lose itself.
 *
 * Of more than can be asked, chance says new's as often as was found among those that were: a flood of what does not
 * exist anywhere is held against nobody, and a new that lost its pages is found all the same.
 */

import { SAFE_METHODS } from "../model/methods.ts";
import type { BackendClient } from "./backend-client.ts";
import { ProxyError } from "./classify.ts";
import { isClientError, recordClientErrorAlone } from "./evidence.ts";
import type { Exchange } from "./exchange.ts";
import { Leg } from "./leg.ts";
import { legRequest } from "./leg-request.ts";
import type { LegOutcome, Sink } from "./leg-shapes.ts";
import type { Question } from "./question.ts";
import { retryFor } from "./retry.ts";
import type { RouteRoom } from "./rooms.ts";

/** Only the status is wanted: a longer answer is not read to its end, which costs its connection. */
const MAX_READ_BYTES = 64 * 1024;
/** To be called once new's answer is over, and never awaited. `draw`: chance, from 0 up to 1. */
export function attributeClientError(
  exchange: Exchange,
  room: RouteRoom,
  outcome: LegOutcome,
  draw: () => number,
): void {
  const { desk, decision, snapshot } = exchange;
  const { guard, fallback } = room.compiled.route;
  if (guard === null || guard.errors === null || guard.clientErrors === "off") return;
  if (!isClientError(outcome)) return;
  const isChecked = guard.clientErrors === "checked";
  // Rules without a fallback may have it that old is asked nothing twice; "checked" says that it is.
  const isAskable = exchange.upgrade === null && SAFE_METHODS.has(exchange.facts.method);
  if (!isAskable || (fallback === null && !isChecked)) {
    if (!isChecked) recordClientErrorAlone(desk, room, decision);
    return;
  }
  const checks = room.clientErrorChecks;
  if (!checks.begin(Math.floor(desk.nowMs() / 1000))) {
    if (checks.guess(draw())) recordClientErrorAlone(desk, room, decision);
    return;
  }
  desk.enter(snapshot);
  statusOfOld(exchange, room)
    .then((status) => {
      // Without an answer, or with a failure of old's own, it says nothing of new.
      if (status === null || status >= 500) return;
      const isAlone = status < 400;
      checks.found(isAlone);
      if (isAlone) recordClientErrorAlone(desk, room, decision);
    })
    .catch((error: unknown) => {
      process.emitWarning(error instanceof Error ? error : new Error(String(error)));
    })
    .finally(() => {
      checks.ended();
      desk.leave(snapshot);
    });
}

/** Null: it gave none in time, or the request cannot be sent again. */
async function statusOfOld(exchange: Exchange, room: RouteRoom): Promise<number | null> {
  const { desk, body, facts } = exchange;
  const sent = body === null ? null : await body.copy();
  if (body !== null && sent === null) return null;
  const client = room.shadowOld;
  client.retries.request(desk.nowMs());
  const first = await askForStatus(exchange, room, client, sent);
  if (first.status !== null) return first.status;
  const again = retryFor(client, facts.method, first.outcome);
  if (again === "none" || !client.retries.take(desk.nowMs())) return null;
  return (await askForStatus(exchange, room, client, sent)).status;
}

async function askForStatus(
  exchange: Exchange,
  room: RouteRoom,
  client: BackendClient,
  body: Buffer | null,
): Promise<{ readonly status: number | null; readonly outcome: LegOutcome }> {
  const { desk } = exchange;
  const { timeoutMs } = room.compiled.route.shadow;
  const question: Question = { ...exchange, upgrade: null };
  const sink = new StatusSink();
  const leg = new Leg(client, legRequest(question, "old", body, timeoutMs, true), sink, desk.tools);
  sink.stop = () =>
    leg.abort(new ProxyError("http_response_incomplete", "its status was all that was wanted"));
  const deadline = desk.deadlines.set(timeoutMs, () =>
    leg.abort(new ProxyError("http_response_timeout", "old took too long")),
  );
  const outcome = await leg.outcome;
  deadline.clear();
  return { status: sink.status, outcome };
}

/** Reads a short answer to its end, so that its connection can be kept, and nothing of a long one. */
class StatusSink implements Sink {
  status: number | null = null;
  stop: () => void = () => {};
  #bytes = 0;

  head(status: number): boolean {
    this.status = status;
    return true;
  }

  data(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_READ_BYTES) this.stop();
    return true;
  }

  end(): void {}

  cut(): void {}
}
