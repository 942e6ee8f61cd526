/** The audit trail as a stream of server-sent events. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { AuditEntry } from "../model/reports.ts";
import type { Desk } from "./desk.ts";
import { Problem } from "./problem.ts";

export interface EventLimits {
  /** Streams at one time; one more is answered 503. */
  readonly maxListeners: number;
  /** A comment is sent so often, so that proxies keep the stream and a dead reader is noticed. */
  readonly heartbeatMs: number;
  /** A reader that lags behind by more is dropped; it resumes with Last-Event-ID. */
  readonly maxUnreadBytes: number;
  /** Longest wait for a reader while it catches up. */
  readonly catchUpStallMs: number;
}

export const EVENT_LIMITS: EventLimits = {
  maxListeners: 64,
  heartbeatMs: 15_000,
  maxUnreadBytes: 256 * 1024,
  catchUpStallMs: 10_000,
};

/** New entries that may wait while a reader still catches up from the store. */
const MAX_HELD_BACK = 1_000;

export interface EventStreams {
  /** Answers with a stream that lasts until the reader goes or is dropped. Throws a Problem (400, 503). */
  open(request: IncomingMessage, response: ServerResponse): void;
  /** Ends every stream. */
  close(): void;
}

/** Makes the event streams of one desk; `onError` hears of a stream that failed after its answer began. */
export function eventStreams(
  desk: Desk,
  limits: EventLimits,
  onError: (error: unknown) => void,
): EventStreams {
  const open = new Set<ServerResponse>();
  return {
    open(request, response) {
      const after = lastEventId(request);
      if (open.size >= limits.maxListeners) {
        const headers = { "retry-after": "10" };
        throw new Problem(503, `${limits.maxListeners} event streams are open already: close one`, {
          headers,
        });
      }
      open.add(response);
      response.once("close", () => open.delete(response));
      stream(desk, response, after, limits).catch(onError);
    },
    close() {
      for (const response of open) response.end();
    },
  };
}

async function stream(
  desk: Desk,
  response: ServerResponse,
  after: number | undefined,
  limits: EventLimits,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" });
  const send = (text: string): void => {
    if (response.destroyed || response.writableEnded) return;
    response.write(text);
    if (response.writableLength > limits.maxUnreadBytes) response.destroy();
  };
  send(": cutover audit trail\n\n");
  // Subscribed before the store is read, so that nothing falls between the two.
  let heldBack: AuditEntry[] | undefined = [];
  const stop = desk.onAudit((entry) => {
    if (heldBack === undefined) send(eventText(entry));
    else if (heldBack.push(entry) > MAX_HELD_BACK) response.destroy();
  });
  const heartbeat = setInterval(() => send(": still here\n\n"), limits.heartbeatMs);
  response.once("close", () => {
    clearInterval(heartbeat);
    stop();
  });
  try {
    const sentUpTo = after === undefined ? 0 : await catchUp(desk, response, after, limits);
    for (const entry of heldBack) if (entry.id > sentUpTo) send(eventText(entry));
    heldBack = undefined;
  } catch (error) {
    response.destroy(); // the answer has begun: a reader that is cut off resumes by itself
    throw error;
  }
}

/** Sends what the store has after an id, page by page; returns the last id sent, 0 for none. */
async function catchUp(
  desk: Desk,
  response: ServerResponse,
  after: number,
  limits: EventLimits,
): Promise<number> {
  let sentUpTo = 0;
  let from = after;
  while (!response.destroyed && !response.writableEnded) {
    const page = await desk.auditAfter(from);
    const last = page.at(-1);
    if (last === undefined || last.id <= from) return sentUpTo;
    for (const entry of page) {
      if (!response.write(eventText(entry))) await drained(response, limits.catchUpStallMs);
      if (response.destroyed || response.writableEnded) return sentUpTo;
    }
    from = last.id;
    sentUpTo = last.id;
  }
  return sentUpTo;
}

/** Resolves when the reader has read on, or is gone: too slow a reader is dropped. */
function drained(response: ServerResponse, stallMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), stallMs);
    const done = (): void => {
      clearTimeout(timer);
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
    if (response.destroyed) done(); // "close" was before
  });
}

/** JSON has no raw line breaks, so one data line holds any entry. */
function eventText(entry: AuditEntry): string {
  return `id: ${entry.id}\nevent: action\ndata: ${JSON.stringify(entry)}\n\n`;
}

function lastEventId(request: IncomingMessage): number | undefined {
  const sent = request.headers["last-event-id"];
  if (sent === undefined || sent === "") return undefined;
  if (typeof sent === "string" && /^\d{1,15}$/.test(sent)) return Number(sent);
  throw new Problem(400, "Last-Event-ID must be the id of an event, a whole number");
}
