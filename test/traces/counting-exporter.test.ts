import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { CountingExporter, type ExportResult } from "../../src/traces/counting-exporter.ts";
import { until } from "../support/until.ts";

const SPANS = [{}, {}, {}] as ReadableSpan[];

/** An exporter that answers when it is told to. */
function open(limitMs?: number) {
  const answers: ((result: ExportResult) => void)[] = [];
  const inner: SpanExporter = { export: (_spans, done) => answers.push(done), shutdown: async () => {} };
  const ended: [number, string | null][] = [];
  const results: ExportResult[] = [];
  const exporter = new CountingExporter(inner, (spans, { why }) => ended.push([spans, why]), limitMs);
  return { exporter, answers, ended, results, send: () => exporter.export(SPANS, (r) => results.push(r)) };
}

test("spans are counted once, when the collector has taken them or not", () => {
  const { send, answers, ended, results } = open();
  for (let i = 0; i < 3; i++) send();
  answers[0]?.({ code: 0 });
  answers[0]?.({ code: 0 });
  answers[1]?.({ code: 1, error: Object.assign(new Error("<b>secret</b>"), { code: 503 }) });
  const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:4318"), { code: "ECONNREFUSED" });
  answers[2]?.({ code: 1, error: refused });
  assert.deepEqual(ended, [
    [3, null],
    [3, "it answered 503"],
    [3, "ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:4318"],
  ]);
  assert.deepEqual(
    results.map(({ code }) => code),
    [0, 1, 1],
  );
});

test("an export that never ends fails at the limit, and what comes later counts for nothing", async () => {
  const { exporter, send, answers, ended } = open(20);
  send();
  await exporter.idle();
  assert.deepEqual(ended, [[3, "no whole answer within 0.02 s"]]);
  answers[0]?.({ code: 0 });
  assert.equal(ended.length, 1);
});

test("it is idle when the last export has ended", async () => {
  const { exporter, send, answers } = open();
  await exporter.idle();
  send();
  send();
  let isIdle = false;
  const idle = exporter.idle().then(() => {
    isIdle = true;
  });
  answers[0]?.({ code: 0 });
  await until("a turn has passed", () => true);
  assert.equal(isIdle, false);
  answers[1]?.({ code: 1 });
  await idle;
});
