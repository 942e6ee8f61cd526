/** Spans written as a data thread does, without one. */

import assert from "node:assert/strict";
import type { Question } from "../../src/proxy/question.ts";
import { Spans } from "../../src/proxy/spans.ts";
import { factsOf } from "../model/rules.ts";

export const TRACE = { traceId: "0af7651916cd43dd8448eb211c80319c", parentId: null, flags: "01" };

const QUESTION = {
  room: null,
  snapshot: { compiled: { ruleset: { version: "0123456789ab" } } },
  facts: factsOf("/x?y=z"),
  trace: TRACE,
} as unknown as Question;

const LEG = {
  side: "old",
  role: "serving",
  spanId: "00f067aa0ba902b7",
  origin: "http://127.0.0.1:9001",
  resends: 0,
  outcome: { status: 200, failure: null, totalMs: 5 },
} as const;

/** Hands so many spans of legs to the writer. */
export function writeLegs(spans: Spans, count: number): void {
  const open = spans.open(TRACE, "/x", null, null) ?? assert.fail("it is sampled");
  for (let i = 0; i < count; i++) spans.leg(QUESTION, open, LEG);
}

/** A writer with the clocks of the machine. */
export function createSpans(counts: SharedArrayBuffer): Spans {
  return new Spans(
    { sharePpm: 10_000, counts },
    { nowMs: () => performance.now(), wallMs: () => Date.now() },
  );
}
