/** The thread that exports spans: takes batches from data threads and hands them to OpenTelemetry. Started by workers/. */

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { giveWay } from "../give-way.ts";
import { SPAN_RESULTS, type SpanRecord } from "../model/span.ts";
import type { Outcome } from "./counting-exporter.ts";
import type { ExportSetup, FromTraceThread, ToTraceThread } from "./messages.ts";
import type { Pipeline } from "./pipeline.ts";

const EXPORTED = SPAN_RESULTS.indexOf("exported");
const FAILED = SPAN_RESULTS.indexOf("failed");

giveWay();
const control = parentPort;
if (control === null) throw new Error("src/traces/thread.ts runs as a worker thread, not by itself");
const setup = workerData as ExportSetup;
const waiting = new Int32Array(setup.waiting);
const counts = new BigUint64Array(setup.counts);
const ports = new Set<MessagePort>();

function tell(message: FromTraceThread): void {
  control?.postMessage(message);
}

function onEnded(spans: number, { why }: Outcome): void {
  Atomics.sub(waiting, 0, spans);
  Atomics.add(counts, why === null ? EXPORTED : FAILED, BigInt(spans));
  if (why !== null) tell({ kind: "trouble", why });
}

function serve(pipeline: Pipeline): void {
  control?.on("message", (message: ToTraceThread) => {
    if (message.kind === "port") take(pipeline, message.port);
    else void stop(pipeline);
  });
  tell({ kind: "ready" });
}

function take(pipeline: Pipeline, port: MessagePort): void {
  ports.add(port);
  port.on("message", (records: readonly SpanRecord[]) => pipeline.take(records));
  port.on("close", () => ports.delete(port)); // its data thread is gone
}

async function stop(pipeline: Pipeline): Promise<void> {
  // What the data threads wrote last may still be on its way to the listeners.
  for (const port of ports) {
    for (let posted = receiveMessageOnPort(port); posted !== undefined; posted = receiveMessageOnPort(port))
      pipeline.take(posted.message as readonly SpanRecord[]);
  }
  await pipeline.close();
  tell({ kind: "stopped" });
}

try {
  const { openPipeline } = await import("./pipeline.ts");
  serve(openPipeline({ url: setup.url, onEnded, onTrouble: (why) => tell({ kind: "trouble", why }) }));
} catch (error) {
  const isMissing =
    error instanceof Error &&
    "code" in error &&
    error.code === "ERR_MODULE_NOT_FOUND" &&
    error.message.includes("@opentelemetry/");
  tell({ kind: "cannot-start", isMissing, message: error instanceof Error ? error.message : String(error) });
}
