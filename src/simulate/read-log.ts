/** An access log as a stream of requests, oldest first, in bounded memory. */

import { type LoggedRequest, readLine } from "./log-line.ts";

/** A longer line is no line of an access log. */
const MAX_LINE_CHARS = 64 * 1024;
const MAX_EXAMPLES = 3;

export interface LogSummary {
  readonly requests: number;
  readonly unreadable: number;
  /** The first few that could not be read: where, and why. */
  readonly examples: readonly string[];
  /** Lines earlier than one before them, by more than logs usually are. */
  readonly outOfOrder: number;
}

/** A log is written when requests end, so a little disorder is no mistake. */
const ORDER_SLACK_MS = 60_000;

/**
 * Hands every request to `take`, with times that never go back (a late line gets the time of the one before).
 * `text` comes in pieces of any length.
 */
export async function readLog(
  text: AsyncIterable<string>,
  take: (request: LoggedRequest) => void,
): Promise<LogSummary> {
  let requests = 0;
  let unreadable = 0;
  let outOfOrder = 0;
  let number = 0;
  let latestMs = Number.NEGATIVE_INFINITY;
  const examples: string[] = [];
  for await (const line of linesOf(text)) {
    number++;
    const read = line === null ? ({ kind: "unreadable", why: "too long" } as const) : readLine(line);
    if (read.kind === "other") continue;
    if (read.kind === "unreadable") {
      unreadable++;
      if (examples.length < MAX_EXAMPLES) examples.push(`line ${number}: ${read.why}`);
      continue;
    }
    const { request } = read;
    if (request.atMs < latestMs - ORDER_SLACK_MS) outOfOrder++;
    latestMs = Math.max(latestMs, request.atMs);
    requests++;
    take(request.atMs === latestMs ? request : { ...request, atMs: latestMs });
  }
  return { requests, unreadable, examples, outOfOrder };
}

/** Null: a line that is too long, the rest of which was skipped. */
async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string | null> {
  let rest = "";
  let skipping = false;
  for await (const piece of text) {
    let from = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", from)) {
      const line = rest + piece.slice(from, end);
      rest = "";
      from = end + 1;
      if (skipping || line.length > MAX_LINE_CHARS) yield null;
      else yield line.endsWith("\r") ? line.slice(0, -1) : line;
      skipping = false;
    }
    rest += piece.slice(from);
    if (rest.length > MAX_LINE_CHARS) {
      skipping = true;
      rest = "";
    }
  }
  if (skipping) yield null;
  else if (rest !== "") yield rest;
}
