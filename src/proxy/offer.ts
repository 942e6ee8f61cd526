/**
 * Brings the answers to one request together. Equal status, chosen fields and bytes are a match, found here
 * without parsing; what differs goes to a comparison thread, and is shed when those are behind.
 */

import { joinedHeader } from "../model/headers.ts";
import type { Compare } from "../model/ruleset.ts";
import type { UncomparedReason } from "../model/uncompared.ts";
import type { CollectedAnswer } from "./answer-copy.ts";
import type { ClientCopy } from "./client-copy.ts";
import type { DataDesk } from "./desk.ts";
import type { Exchange } from "./exchange.ts";
import { type Answers, postPair } from "./post-pair.ts";
import type { Question } from "./question.ts";
import type { RouteRoom } from "./rooms.ts";
import { ByteComparison, STEP_BYTES } from "./same-bytes.ts";
import type { Shadow } from "./shadow.ts";
import { isRepeatable, type ShadowPlan } from "./shadow-plan.ts";

/** The shadow's answer is kept for the client's: a client that reads for hours would fill the shelf. */
const MAX_WAIT_FOR_CLIENT_MS = 120_000;
/**
 * How much later than its first answer old is asked again where new served. A client that reads slowly could else make
 * it minutes, and pass off as noise whatever changes in minutes.
 */
const MAX_AGAIN_AFTER_MS = 2_000;

/** Never awaited: what becomes of the pair is counted. `copy`: of the client's answer; null: nothing is compared. */
export function offerComparison(
  exchange: Exchange,
  room: RouteRoom,
  plan: ShadowPlan,
  shadow: Shadow,
  copy: ClientCopy | null,
): void {
  const { desk, snapshot } = exchange;
  desk.enter(snapshot); // a ticket may still want its backends
  bringTogether(exchange, room, plan.compare, shadow, copy)
    .catch((error: unknown): UncomparedReason => {
      process.emitWarning(error instanceof Error ? error : new Error(String(error)));
      return "failed";
    })
    .then((lost) => {
      if (lost !== null) room.recorder.uncompared(lost);
      plan.lease.release();
      desk.leave(snapshot);
    });
}

/** Resolves to why nothing can be said of the pair; null: something is, or nothing was to be. */
async function bringTogether(
  exchange: Exchange,
  room: RouteRoom,
  compare: Compare | null,
  shadow: Shadow,
  copy: ClientCopy | null,
): Promise<UncomparedReason | null> {
  const theirs = await shadow.result;
  const { desk } = exchange;
  const theirsMs = desk.nowMs();
  if (compare === null || copy === null) return null;
  const { recorder } = room;
  if (theirs.kind === "lost" && !isFaultOfNew(shadow, theirs.why)) return theirs.why;
  copy.waitAtMost(MAX_WAIT_FOR_CLIENT_MS);
  const ours = await copy.takeResult();
  if (ours.kind === "answered" && shadow.side === "new") {
    const isFailed = theirs.kind === "lost" || theirs.answer.status >= 500;
    recorder.shadowAnswer(isFailed && ours.answer.status < 500);
  }
  if (theirs.kind === "lost") return theirs.why;
  if (ours.kind === "lost") return ours.why;
  const isReverse = shadow.side === "old";
  const [old, fresh] = isReverse ? [theirs.answer, ours.answer] : [ours.answer, theirs.answer];
  if (isSilent(old) || isSilent(fresh)) return "streaming";
  const { body } = theirs;
  const isInTime = desk.nowMs() - theirsMs <= MAX_AGAIN_AFTER_MS;
  const later = isInTime ? shadow.askOldAgain : null;
  // Whatever the first two said: a sample that had looked at them would say nothing of them.
  const again = later === null ? theirs.again : await later(body);
  const answers: Answers = { old, new: fresh, again };
  const { method } = exchange.facts;
  const match = await areEqual(desk, compare, method, answers.old, answers.new);
  if (match && again === null) {
    recorder.comparison("match");
    return null;
  }
  if (match && again !== null && (await areEqual(desk, compare, method, answers.old, again))) {
    recorder.triple(isReverse);
    return null;
  }
  const ticket = () => {
    // What differs between old and old alone, or in how much was heard of a stream, is not asked again.
    const { confirmAfterMs } = compare;
    if (match || confirmAfterMs === null || !isRepeatable(method)) return null;
    if (answers.old.cut || answers.new.cut) return null;
    return desk.tickets.issue({
      question: questionOf(exchange),
      room,
      compare,
      body,
      answeredMs: answers.old.atMs,
      confirmAfterMs,
    });
  };
  const posted = await postPair(desk, exchange, {
    room,
    compare,
    answers,
    isReverse,
    ticket,
    confirms: null,
  });
  return posted ? null : "shed";
}

/** Whether new was asked and gave no answer; else the shadow is lost to the client, the gateway or a limit of the rules. */
function isFaultOfNew({ side }: Shadow, why: UncomparedReason): boolean {
  return side === "new" && (why === "timeout" || why === "failed");
}

/** A stream of events of which nothing was heard in its time. */
function isSilent({ cut, bytes }: CollectedAnswer): boolean {
  return cut && bytes === 0;
}

function areEqual(
  desk: DataDesk,
  compare: Compare,
  method: string,
  a: CollectedAnswer,
  b: CollectedAnswer,
): boolean | Promise<boolean> {
  if (compare.status !== null && a.status !== b.status) return false;
  if (!compare.headers.every((name) => joinedHeader(a.headers, name) === joinedHeader(b.headers, name))) {
    return false;
  }
  if (compare.body === "off" || method === "HEAD") return true;
  // Equal bytes under another encoding are another text.
  if (joinedHeader(a.headers, "content-encoding") !== joinedHeader(b.headers, "content-encoding"))
    return false;
  if (a.cut !== b.cut) return false;
  const comparison = new ByteComparison(a, b);
  return comparison.step(STEP_BYTES) ?? desk.chores.run(() => comparison.step(STEP_BYTES));
}

/** What is left of an exchange when it is over, without its connection. */
function questionOf(exchange: Exchange): Question {
  const { room, snapshot, facts, decision, origin, requestId, trace, span } = exchange;
  const req = { httpVersion: exchange.req.httpVersion };
  return { room, snapshot, facts, decision, origin, requestId, trace, span, req, upgrade: null };
}
