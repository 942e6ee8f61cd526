import assert from "node:assert/strict";
import { test } from "node:test";
import type { Spans } from "../../src/proxy/spans.ts";
import { TraceThread } from "../../src/workers/trace-thread.ts";
import { createSpans, writeLegs } from "../proxy/span-writer.ts";
import { stall } from "../support/backend.ts";
import { type Collector, startCollector } from "../support/collector.ts";
import { until } from "../support/until.ts";

const MAX_WAITING = 4_096;

/** The real thread, and a writer in the place of a data thread. */
async function open(collector: Collector, env: Readonly<Record<string, string>> = {}) {
  const troubles: string[] = [];
  const thread = await TraceThread.start({
    url: `${collector.url}/v1/traces`,
    env,
    onReplaced: () => assert.fail("it must live"),
    onTrouble: (why) => troubles.push(why),
  });
  const spans: Spans = createSpans(thread.counts);
  const { port, waiting } = thread.connect();
  spans.connect(port, waiting);
  return { thread, spans, troubles, results: () => Object.fromEntries(thread.results()), port };
}

test("a collector that never answers costs room for so many spans, and the end waits for it no longer than it may", async () => {
  await using collector = await startCollector();
  collector.answer(stall);
  const { thread, spans, results, port } = await open(collector);
  writeLegs(spans, 3 * MAX_WAITING);
  assert.equal(results().dropped, 2 * MAX_WAITING);
  await until("the first batch is on its way", () => collector.seen.length > 0);
  writeLegs(spans, 64);
  assert.equal(results().dropped, 2 * MAX_WAITING + 64);
  const sinceMs = performance.now();
  assert.equal(await thread.stop(300), MAX_WAITING, "all of them are still there");
  assert.ok(performance.now() - sinceMs < 10_000);
  port.close();
});

test("at the end all that was posted is exported first, also what the thread has not yet looked at", async () => {
  await using collector = await startCollector();
  const { thread, spans, results, port } = await open(collector);
  writeLegs(spans, MAX_WAITING);
  assert.equal(await thread.stop(10_000), 0);
  assert.equal(collector.spans.length, MAX_WAITING);
  assert.deepEqual(results(), { exported: MAX_WAITING, dropped: 0, failed: 0 });
  port.close();
});

test("a certificate that cannot be read is said", async () => {
  await using collector = await startCollector();
  const { thread, troubles, port } = await open(collector, {
    OTEL_EXPORTER_OTLP_CERTIFICATE: "/nowhere/ca.pem",
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=secret\u0001value",
  });
  await until("it is said", () => troubles.length > 0);
  assert.deepEqual(troubles, ["Failed to read root certificate file"]);
  assert.equal(await thread.stop(1_000), 0);
  port.close();
});
