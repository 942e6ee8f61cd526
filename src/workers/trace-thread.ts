/** Starts the thread that exports spans, keeps it alive, and says what became of them. */

import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { SPAN_RESULTS, type SpanResult } from "../model/span.ts";
import type { ExportSetup, FromTraceThread, ToTraceThread } from "../traces/messages.ts";
import { entryUrl } from "./entry.ts";

const START_TIMEOUT_MS = 15_000;
/** Dead again and again, it must not keep a core busy with starting. */
const REPLACE_AFTER_MS = [500, 2_000, 10_000];
/** Alive for so long, its next death counts as its first. */
const STABLE_MS = 60_000;
/** Many times what waits there at the most. */
const MAX_HEAP_MB = 256;

/** Spans cannot be exported from here; the message is for people. */
export class TraceExportError extends Error {}

export interface TraceThreadOptions {
  /** Where spans are posted to, in full. */
  readonly url: string;
  /** The environment; the thread sees no other variables. */
  readonly env: Readonly<Record<string, string>>;
  /** It died and another took its place: data threads need new channels. */
  readonly onReplaced: (why: string) => void;
  /** The collector does not take spans. */
  readonly onTrouble: (why: string) => void;
}

/** One end of a channel for a data thread. */
export interface SpanPort {
  readonly port: MessagePort;
  /** One 32-bit word: spans that wait at the exporting thread. */
  readonly waiting: SharedArrayBuffer;
}

export class TraceThread {
  /** 64-bit counts, in the order of SPAN_RESULTS; they outlive a thread. */
  readonly counts = new SharedArrayBuffer(SPAN_RESULTS.length * 8);
  readonly #options: TraceThreadOptions;
  #worker: Worker;
  /** Each thread has a word of its own: data threads may still write to that of a dead one. */
  #waiting = new SharedArrayBuffer(4);
  #deaths = 0;
  #startedMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #stopping = false;

  private constructor(options: TraceThreadOptions) {
    this.#options = options;
    this.#worker = this.#start();
  }

  /** Resolves when OpenTelemetry is loaded. Rejects with a TraceExportError. */
  static async start(options: TraceThreadOptions): Promise<TraceThread> {
    const thread = new TraceThread(options);
    try {
      await ready(thread.#worker);
    } catch (error) {
      await thread.stop(0);
      throw error;
    }
    thread.#watch(thread.#worker);
    return thread;
  }

  /** A new channel for one data thread. */
  connect(): SpanPort {
    const { port1, port2 } = new MessageChannel();
    this.#send({ kind: "port", port: port2 }, [port2]);
    return { port: port1, waiting: this.#waiting };
  }

  /** So many spans so far, by what became of them. */
  results(): readonly (readonly [SpanResult, number])[] {
    const counts = new BigUint64Array(this.counts);
    return SPAN_RESULTS.map((result, at) => [result, Number(Atomics.load(counts, at))] as const);
  }

  /** Sends what was posted before, for so long at the most; resolves to how many spans were left. */
  async stop(limitMs: number): Promise<number> {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const worker = this.#worker;
    if (limitMs > 0 && worker.threadId !== -1) await stopped(worker, limitMs);
    await worker.terminate();
    return Atomics.load(new Int32Array(this.#waiting), 0);
  }

  #start(): Worker {
    const { url, env } = this.#options;
    this.#startedMs = performance.now();
    const workerData: ExportSetup = { url, waiting: this.#waiting, counts: this.counts };
    const worker = new Worker(entryUrl("traces/thread"), {
      name: "traces",
      workerData,
      env,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    worker.on("message", (message: FromTraceThread) => {
      if (message.kind === "trouble") this.#options.onTrouble(message.why);
    });
    return worker;
  }

  #watch(worker: Worker): void {
    let why = "it ended";
    worker.on("error", (error: Error) => {
      why = error.message;
    });
    worker.on("exit", () => this.#died(why));
  }

  #died(why: string): void {
    if (this.#stopping) return;
    // What waited died with it.
    const lost = Atomics.load(new Int32Array(this.#waiting), 0);
    Atomics.add(new BigUint64Array(this.counts), SPAN_RESULTS.indexOf("failed"), BigInt(lost));
    this.#deaths = performance.now() - this.#startedMs > STABLE_MS ? 1 : this.#deaths + 1;
    const waitMs = REPLACE_AFTER_MS[Math.min(this.#deaths, REPLACE_AFTER_MS.length) - 1] as number;
    this.#timer = setTimeout(() => this.#replace(why), waitMs);
    this.#timer.unref();
  }

  #replace(why: string): void {
    this.#waiting = new SharedArrayBuffer(4);
    this.#worker = this.#start();
    this.#watch(this.#worker);
    this.#options.onReplaced(why);
  }

  #send(message: ToTraceThread, transfer: readonly MessagePort[] = []): void {
    this.#worker.postMessage(message, [...transfer]);
  }
}

function ready(worker: Worker): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (why: string): void => reject(new TraceExportError(why));
  const timer = setTimeout(
    () => fail("the thread that exports spans did not start in time"),
    START_TIMEOUT_MS,
  );
  worker.on("message", (message: FromTraceThread) => {
    if (message.kind === "ready") resolve();
    if (message.kind === "cannot-start") fail(whyNot(message));
  });
  worker.once("error", (error: Error) => fail(`spans cannot be exported: ${error.message}`));
  worker.once("exit", () => fail("the thread that exports spans ended at once"));
  return promise.finally(() => clearTimeout(timer));
}

function whyNot({ isMissing, message }: Extract<FromTraceThread, { kind: "cannot-start" }>): string {
  if (!isMissing) return `spans cannot be exported: ${message}`;
  return (
    "--otlp needs OpenTelemetry's packages, and they are not installed (perhaps by --omit=optional)\n" +
    "  install cutover again with them (npm install --include=optional), or leave --otlp out"
  );
}

/** Resolves when it has sent what it had, is no more, or the limit has come. */
function stopped(worker: Worker, limitMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  worker.on("message", (message: FromTraceThread) => {
    if (message.kind === "stopped") resolve();
  });
  worker.on("exit", () => resolve());
  worker.postMessage({ kind: "stop" } satisfies ToTraceThread);
  return promise.finally(() => clearTimeout(timer));
}
