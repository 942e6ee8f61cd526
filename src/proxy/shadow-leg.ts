/** One side asked with a copy of a request: bounded in size and time, its answer kept for comparison. */

import { findHeader } from "../model/facts.ts";
import type { Failure } from "../model/failures.ts";
import { answerHeadersToForward } from "../model/headers.ts";
import type { Side } from "../model/ruleset.ts";
import type { LegRole } from "../model/span.ts";
import { AnswerCopy, type CollectedAnswer } from "./answer-copy.ts";
import type { BackendClient } from "./backend-client.ts";
import { ProxyError } from "./classify.ts";
import { lostFor } from "./client-copy.ts";
import type { DataDesk } from "./desk.ts";
import { Leg } from "./leg.ts";
import { legRequest } from "./leg-request.ts";
import type { LegOutcome, Sink } from "./leg-shapes.ts";
import type { Question } from "./question.ts";
import { retryFor } from "./retry.ts";
import type { RouteRoom } from "./rooms.ts";
import type { Lease } from "./shelf.ts";

export type ShadowAnswer =
  | { readonly kind: "answered"; readonly answer: CollectedAnswer }
  | {
      readonly kind: "lost";
      readonly why: "shed" | "too_large" | "timeout" | "failed";
      /** Of the leg; absent: it did not fail by itself. */
      readonly failure?: Failure;
    };

/** Asks once, or twice where a kept connection proved stale. A stream of events is ended when enough was heard. */
export async function askAsShadow(
  desk: DataDesk,
  room: RouteRoom,
  question: Question,
  to: Target,
  lease: Lease,
): Promise<ShadowAnswer> {
  const { client } = to;
  client.retries.request(desk.nowMs());
  const first = await askOnce(desk, room, question, to, lease, 0);
  const again = retryFor(client, question.facts.method, first.outcome);
  if (again === "none" || !client.retries.take(desk.nowMs())) return judge(desk, first);
  return judge(desk, await askOnce(desk, room, question, to, lease, 1));
}

interface Target {
  readonly side: Side;
  readonly client: BackendClient;
  readonly body: Buffer | null;
  readonly role: LegRole;
}

interface Asked {
  readonly collector: Collector;
  readonly outcome: LegOutcome;
}

async function askOnce(
  desk: DataDesk,
  room: RouteRoom,
  question: Question,
  { side, client, body, role }: Target,
  lease: Lease,
  resends: number,
): Promise<Asked> {
  const { timeoutMs, maxBodyBytes } = room.compiled.route.shadow;
  const collector = new Collector(new AnswerCopy(maxBodyBytes, lease), question.facts.method);
  const request = legRequest(question, side, body, timeoutMs, true);
  const leg = new Leg(client, request, collector, desk.tools);
  collector.leg = leg;
  const deadline = desk.deadlines.set(timeoutMs, () => {
    if (collector.copy.isStream) collector.cutShort();
    else leg.abort(new ProxyError("http_response_timeout", "the shadow took too long"));
  });
  const outcome = await leg.outcome;
  deadline.clear();
  const { span } = question;
  if (span !== null) {
    const { status, totalMs } = outcome;
    // What was ended here, because enough was heard, is no failure of the backend's.
    const failure = collector.isGivenUp ? null : outcome.failure;
    const ended = { status, failure, totalMs };
    const { spanId } = request;
    desk.spans?.leg(question, span, { side, role, spanId, origin: leg.origin, resends, outcome: ended });
  }
  return { collector, outcome };
}

function judge(desk: DataDesk, { collector: { copy, isCutShort }, outcome }: Asked): ShadowAnswer {
  if (copy.lost !== null) return { kind: "lost", why: copy.lost };
  const { failure } = outcome;
  if (failure !== null && !isCutShort) {
    const { why } = lostFor(failure);
    return { kind: "lost", why: why === "timeout" || why === "shed" ? why : "failed", failure };
  }
  const answer = copy.collected(isCutShort, desk.nowMs());
  return answer === null ? { kind: "lost", why: "failed" } : { kind: "answered", answer };
}

/** Takes a shadow's answer; ends the leg when no more of it is wanted. */
class Collector implements Sink {
  readonly copy: AnswerCopy;
  readonly #method: string;
  leg: Leg | null = null;
  /** A stream of events that was ended here: the backend did nothing wrong. */
  isCutShort = false;

  constructor(copy: AnswerCopy, method: string) {
    this.copy = copy;
    this.#method = method;
  }

  /** The leg was ended here. */
  get isGivenUp(): boolean {
    return this.isCutShort || this.copy.lost !== null;
  }

  head(status: number, _reasonPhrase: string, rawHeaders: readonly string[]): boolean {
    // After these no body follows, whatever length is named.
    const isBodiless = this.#method === "HEAD" || status === 204 || status === 304;
    const declared = isBodiless ? undefined : findHeader(rawHeaders, "content-length");
    this.copy.head(status, answerHeadersToForward(rawHeaders), Number(declared ?? -1));
    if (this.copy.lost !== null) this.#giveUp();
    return true;
  }

  data(chunk: Buffer): boolean {
    if (this.copy.data(chunk)) return true;
    if (this.copy.lost === null) this.cutShort();
    else this.#giveUp();
    return true;
  }

  end(): void {}

  cut(): void {}

  cutShort(): void {
    this.isCutShort = true;
    this.leg?.abort(new ProxyError("http_response_incomplete", "enough was heard of a stream of events"));
  }

  #giveUp(): void {
    this.leg?.abort(
      new ProxyError("http_response_incomplete", "the shadow's answer is too large to compare"),
    );
  }
}
