/** What an AnswerReader makes of an answer, however it is cut into pieces. */

import assert from "node:assert/strict";
import { type AnswerEvents, AnswerReader } from "../../../src/proxy/backend/answer-reader.ts";

export interface Read {
  /** Of interim answers and of the answer itself, flat. */
  readonly heads: readonly (readonly [number, string, readonly string[]])[];
  readonly body: string;
  /** "more": the answer has not ended. */
  readonly end: "whole" | "more" | "switch" | string;
  readonly keeps: boolean;
  readonly rawTrailers: readonly string[];
}

interface Options {
  readonly method?: string;
  readonly maySwitch?: boolean;
  /** The backend ends the connection behind it. */
  readonly closed?: boolean;
  /** Where the bytes are cut. */
  readonly cuts?: readonly number[];
}

/** What comes of an answer. */
export function read(
  text: string,
  { method = "GET", maySwitch = false, closed = false, cuts = [] }: Options = {},
): Read {
  const heads: [number, string, readonly string[]][] = [];
  let body = "";
  let end = "more";
  let keeps = false;
  let rawTrailers: readonly string[] = [];
  const isOver = (): void => assert.equal(end, "more", "nothing follows the end");
  const reader: AnswerReader = new AnswerReader({
    onInterim: ({ status, reason, rawHeaders }) => {
      isOver();
      heads.push([status, reason, rawHeaders]);
    },
    onHead: ({ status, reason, rawHeaders }) => {
      isOver();
      heads.push([status, reason, rawHeaders]);
    },
    onData: (chunk) => {
      isOver();
      assert.notEqual(chunk.length, 0);
      body += chunk.toString("latin1");
    },
    onEnd: (trailers, keepsConnection) => {
      isOver();
      end = "whole";
      keeps = keepsConnection;
      rawTrailers = trailers;
    },
    onSwitch: ({ status, reason, rawHeaders }, rest) => {
      isOver();
      heads.push([status, reason, rawHeaders]);
      body = rest.toString("latin1");
      end = "switch";
    },
    onFault: (why) => {
      isOver();
      end = why;
    },
  } satisfies AnswerEvents);
  reader.expect(method, maySwitch);
  const bytes = Buffer.from(text, "latin1");
  const borders = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (let i = 1; i < borders.length; i++) {
    const piece = bytes.subarray(borders[i - 1], borders[i]);
    // As a connection does: what was passed on is the receiver's, and nothing is read after a fault.
    if (piece.length > 0 && end === "more") reader.take(piece);
  }
  if (closed && end === "more" && !reader.takeEnd()) end = "the end within the answer";
  return { heads, body, end, keeps, rawTrailers };
}

/** Each byte by itself. */
export function everywhere(text: string): number[] {
  return Array.from({ length: text.length }, (_, at) => at);
}
