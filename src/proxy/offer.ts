/**
 * Brings the two answers to one request together. Equal status, chosen fields and bytes are a match, found here
 * without parsing; what differs goes to a comparison thread, and is shed when those are behind.
 */

import { unitOf } from "../model/bucket.ts";
import { joinedHeader } from "../model/headers.ts";
import type { Answer, Pair } from "../model/pair.ts";
import type { Compare, Route } from "../model/ruleset.ts";
import type { CollectedAnswer } from "./capture.ts";
import type { DataDesk, RouteRoom } from "./desk.ts";
import type { Exchange, Served } from "./exchange.ts";
import type { Shadow, ShadowResult } from "./shadow.ts";

/** What may wait for the comparison threads, over all data threads. */
const MAX_WAITING_PAIRS = 1024;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const PAIRS = 0;
const BYTES = 1;

export function offerComparison(exchange: Exchange, room: RouteRoom, served: Served, shadow: Shadow): void {
  const { compare } = room.compiled.route;
  if (compare === null) return;
  shadow.result.then((result) => {
    const pair = pairUp(served, shadow, result);
    if (pair === null) room.recorder.comparison("uncompared");
    else if (areEqual(compare, exchange.facts.method, pair)) room.recorder.comparison("match");
    else if (!post(exchange, room.compiled.route, compare, pair)) room.recorder.comparison("uncompared");
  });
}

interface Collected {
  readonly old: CollectedAnswer;
  readonly new: CollectedAnswer;
}

/** Null: one of the two is not whole, so nothing can be said. */
function pairUp(served: Served, shadow: Shadow, result: ShadowResult): Collected | null {
  const { collected, outcome } = served;
  if (result.kind === "lost" || collected === null || outcome.failure !== null || served.fellBack)
    return null;
  if (collected.body.overflowed) return null;
  return shadow.side === "new"
    ? { old: collected, new: result.answer }
    : { old: result.answer, new: collected };
}

function areEqual(compare: Compare, method: string, pair: Collected): boolean {
  if (compare.status && pair.old.status !== pair.new.status) return false;
  for (const name of compare.headers) {
    if (joinedHeader(pair.old.headers, name) !== joinedHeader(pair.new.headers, name)) return false;
  }
  if (compare.body === "off" || method === "HEAD") return true;
  return sameEncoding(pair) && sameBytes(pair.old.body.chunks ?? [], pair.new.body.chunks ?? []);
}

/** Equal bytes under another encoding are another text. */
function sameEncoding(pair: Collected): boolean {
  return (
    joinedHeader(pair.old.headers, "content-encoding") === joinedHeader(pair.new.headers, "content-encoding")
  );
}

/** Without joining them first: chunks seldom end at the same places. */
function sameBytes(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  if (byteLength(a) !== byteLength(b)) return false;
  let inA = 0;
  let inB = 0;
  let atA = 0;
  let atB = 0;
  while (inA < a.length && inB < b.length) {
    const chunkA = a[inA] as Buffer;
    const chunkB = b[inB] as Buffer;
    const length = Math.min(chunkA.length - atA, chunkB.length - atB);
    if (chunkA.compare(chunkB, atB, atB + length, atA, atA + length) !== 0) return false;
    atA += length;
    atB += length;
    if (atA === chunkA.length) {
      inA++;
      atA = 0;
    }
    if (atB === chunkB.length) {
      inB++;
      atB = 0;
    }
  }
  return true;
}

function byteLength(chunks: readonly Buffer[]): number {
  let bytes = 0;
  for (const chunk of chunks) bytes += chunk.length;
  return bytes;
}

/** False: the comparison threads are behind, and this pair is shed. */
function post(exchange: Exchange, route: Route, compare: Compare, pair: Collected): boolean {
  const { desk, snapshot, facts, decision } = exchange;
  const bytes = byteLength(pair.old.body.chunks ?? []) + byteLength(pair.new.body.chunks ?? []);
  if (desk.comparePort === null || desk.pressure === "shed-comparisons" || !reserve(desk, bytes))
    return false;
  const message: Pair = {
    route: route.name,
    rulesVersion: snapshot.compiled.ruleset.version,
    compare,
    requestId: exchange.requestId,
    method: facts.method,
    target: facts.target,
    unit: decision.who === null ? null : unitOf(route.name, decision.who.key),
    old: copied(pair.old),
    new: copied(pair.new),
  };
  const transfer = [message.old.body.buffer as ArrayBuffer, message.new.body.buffer as ArrayBuffer];
  desk.comparePort.postMessage({ kind: "pair", pair: message }, transfer);
  return true;
}

function reserve(desk: DataDesk, bytes: number): boolean {
  const queue = desk.compareQueue;
  if (Atomics.load(queue, PAIRS) >= MAX_WAITING_PAIRS) return false;
  if (Atomics.load(queue, BYTES) + bytes > MAX_WAITING_BYTES) return false;
  Atomics.add(queue, PAIRS, 1);
  Atomics.add(queue, BYTES, bytes);
  return true;
}

/** One copy into memory of its own: chunks are views of memory that the sockets share. */
function copied(answer: CollectedAnswer): Answer {
  const chunks = answer.body.chunks ?? [];
  const body = new Uint8Array(byteLength(chunks));
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return { status: answer.status, headers: answer.headers, body };
}
