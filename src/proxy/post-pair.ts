/** Sends pairs to a comparison thread; sheds them when those are behind. */

import { unitOf } from "../model/bucket.ts";
import type { Answer, Confirms, Pair, Ticket } from "../model/pair.ts";
import type { Compare } from "../model/ruleset.ts";
import type { CollectedAnswer } from "./answer-copy.ts";
import type { DataDesk } from "./desk.ts";
import type { Question } from "./question.ts";
import { requestFields } from "./request-fields.ts";
import type { RouteRoom } from "./rooms.ts";
import { Joining, STEP_BYTES } from "./same-bytes.ts";

/** What may wait for the comparison threads, over all data threads. */
const MAX_WAITING_PAIRS = 1024;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const PAIRS = 0;
const BYTES = 1;

export interface Answers {
  readonly old: CollectedAnswer;
  readonly new: CollectedAnswer;
  readonly again: CollectedAnswer | null;
}

export interface Posting {
  readonly room: RouteRoom;
  readonly compare: Compare;
  readonly answers: Answers;
  /** New served the client. */
  readonly isReverse: boolean;
  /** Asked for only when the pair goes out. */
  readonly ticket: () => Ticket | null;
  readonly confirms: Confirms | null;
}

/** False: the comparison threads are behind, or this thread has too much to do, and the pair is shed. */
export async function postPair(desk: DataDesk, question: Question, posting: Posting): Promise<boolean> {
  const { answers, room, compare, isReverse, confirms } = posting;
  const bytes = answers.old.bytes + answers.new.bytes + (answers.again?.bytes ?? 0);
  // Looked at first, so that nothing is copied in vain; taken when it goes out.
  if (desk.pressure === "shed-comparisons" || !hasRoom(desk, bytes)) return false;
  const joinings = [answers.old, answers.new, ...(answers.again === null ? [] : [answers.again])].map(
    (answer) => new Joining(answer),
  );
  for (const joining of joinings) {
    if (!joining.step(STEP_BYTES)) await desk.chores.run(() => joining.step(STEP_BYTES) || null);
  }
  const port = desk.comparePort;
  if (port === null || !hasRoom(desk, bytes)) return false;
  const ahead = Atomics.add(desk.compareQueue, PAIRS, 1);
  Atomics.add(desk.compareQueue, BYTES, bytes);
  // The thread that compares starts with the first pair.
  if (ahead === 0) Atomics.notify(desk.compareQueue, PAIRS);
  // What becomes of a confirmation is known by its first pair.
  if (confirms === null) room.tile.sendPair();
  const { facts, decision, requestId, snapshot } = question;
  const { name } = room.compiled.route;
  const [old, fresh, again] = joinings.map((joining) => joining.bytes);
  const pair: Pair = {
    route: name,
    rulesVersion: snapshot.compiled.ruleset.version,
    compare,
    requestId,
    method: facts.method,
    target: facts.target,
    requestHeaders: requestFields(room.fieldsToKeep, facts.authority, facts.rawHeaders),
    unit: decision.who === null ? null : unitOf(name, decision.who.key),
    old: answerOf(answers.old, old),
    new: answerOf(answers.new, fresh),
    again: answers.again === null ? null : answerOf(answers.again, again),
    isReverse,
    ticket: posting.ticket(),
    confirms,
  };
  port.postMessage(
    { kind: "pair", pair },
    joinings.map((joining) => joining.bytes.buffer),
  );
  return true;
}

function hasRoom({ compareQueue, comparePort }: DataDesk, bytes: number): boolean {
  if (comparePort === null || Atomics.load(compareQueue, PAIRS) >= MAX_WAITING_PAIRS) return false;
  return Atomics.load(compareQueue, BYTES) + bytes <= MAX_WAITING_BYTES;
}

function answerOf({ status, headers, cut }: CollectedAnswer, body = new Uint8Array(0)): Answer {
  return { status, headers, body, cut };
}
