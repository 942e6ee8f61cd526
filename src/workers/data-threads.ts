/** Starts the data-plane threads, keeps them alive, and speaks to all of them. */

import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { Ticket } from "../model/pair.ts";
import type { PinChange } from "../model/pins.ts";
import type {
  FromDataThread,
  LogLines,
  RulesMessage,
  ThreadSetup,
  ToDataThread,
  UnconfirmedReason,
} from "../proxy/messages.ts";
import { entryUrl } from "./entry.ts";
import { PinsToThread } from "./pins-to-thread.ts";
import type { SpanPort } from "./trace-thread.ts";
import { tuneV8 } from "./v8-flags.ts";

/** Of 12 to 32 MB none costs measurably more processor time or latency, and every MB counts once for each thread. */
const YOUNG_GENERATION_MB = 12;
const START_TIMEOUT_MS = 15_000;
/** A thread that dies at every start must not spin. */
const REPLACE_AFTER_MS = [0, 100, 500, 2_000, 10_000];
/** Alive for so long, a thread's next death counts as its first. */
const STABLE_MS = 60_000;

export class CannotListenError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = "CannotListenError";
    this.code = code;
  }
}

export interface DataThreadsOptions {
  readonly threads: number;
  readonly host: string;
  readonly port: number;
  /** All but what this class fills in. */
  readonly setup: Omit<
    ThreadSetup,
    "thread" | "threads" | "host" | "port" | "events" | "log" | "rules" | "pins"
  >;
  /** One buffer a thread. */
  readonly events: readonly SharedArrayBuffer[];
  /** One a thread; null: there is no access log. */
  readonly log: readonly LogLines[] | null;
  readonly rules: RulesMessage;
  /** Those that stand now: asked at the start of each thread, so that one that takes another's place knows them all. */
  readonly pins: () => readonly PinChange[];
  /** Gives the comparison threads their end of a new data thread's channel. */
  readonly connectCompare: (port: MessagePort) => void;
  /** Makes a channel to the thread that exports spans; null: there is none. */
  readonly connectTraces: (() => SpanPort) | null;
  readonly onReplaced: (thread: number, why: string) => void;
  /** What `confirm` asked for cannot be had. Of a thread that dies meanwhile nothing is heard any more. */
  readonly onUnconfirmed: (ticket: Ticket, why: UnconfirmedReason) => void;
}

interface Slot {
  worker: Worker;
  pins: PinsToThread;
  deaths: number;
  startedMs: number;
}

export class DataThreads {
  readonly #options: DataThreadsOptions;
  readonly #slots: Slot[] = [];
  #rules: RulesMessage;
  #port: number;
  #draining = false;
  #closing = false;
  /** By when all must have ended, once it closes; on the clock of `performance.now`. */
  #closedByMs = 0;
  #timers = new Set<NodeJS.Timeout>();

  private constructor(options: DataThreadsOptions) {
    this.#options = options;
    this.#rules = options.rules;
    this.#port = options.port;
  }

  /** Resolves when all accept connections. Rejects with a CannotListenError. */
  static async start(options: DataThreadsOptions): Promise<DataThreads> {
    tuneV8();
    const threads = new DataThreads(options);
    try {
      // The first picks the port where none is given; the others share it.
      await threads.#start(0);
      await Promise.all(Array.from({ length: options.threads - 1 }, (_, index) => threads.#start(index + 1)));
    } catch (error) {
      await threads.terminate();
      throw error;
    }
    return threads;
  }

  get port(): number {
    return this.#port;
  }

  get count(): number {
    return this.#options.threads;
  }

  /** Resolves when every thread that is alive serves by these rules. */
  async apply(rules: RulesMessage): Promise<void> {
    this.#rules = rules;
    await Promise.all(this.#slots.map(({ worker }) => applied(worker, rules)));
  }

  /** Resolves when every thread that is alive decides by these pins. `pins` of the options must say them already. */
  async pin(changes: readonly PinChange[]): Promise<void> {
    await Promise.all(this.#slots.map(({ pins }) => pins.send(changes)));
  }

  /** Every thread gets a new channel to a comparison thread that took another's place. */
  reconnectCompare(): void {
    for (const { worker } of this.#slots) this.#connectCompare(worker);
  }

  /** The same for a thread that exports spans. */
  reconnectTraces(): void {
    for (const { worker } of this.#slots) this.#connectTraces(worker);
  }

  /** Has a pair asked again on both sides: one that confirms it follows over the compare channel, or `onUnconfirmed`. */
  confirm(ticket: Ticket): void {
    const worker = this.#slots[ticket.thread]?.worker;
    if (worker === undefined || worker.threadId === -1) this.#options.onUnconfirmed(ticket, "lost");
    else send(worker, { kind: "confirm", id: ticket.id });
  }

  drain(): void {
    this.#draining = true;
    for (const { worker } of this.#slots) send(worker, { kind: "drain" });
  }

  /** Stops accepting; resolves when the last request has ended, or at the limit: with how many were cut off by it. */
  async close(timeoutMs: number): Promise<number> {
    this.#closing = true;
    this.#closedByMs = performance.now() + timeoutMs;
    const all = Promise.all(
      this.#slots.map(({ worker }) => answered(worker, "drained", this.#closeMessage())),
    );
    const { promise: limit, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => resolve(null), timeoutMs);
    const answers = (await Promise.race([all, limit])) ?? [];
    clearTimeout(timer);
    let cutOff = 0;
    for (const answer of answers) if (answer?.kind === "drained") cutOff += answer.cutOff;
    return cutOff;
  }

  #closeMessage(): ToDataThread {
    return { kind: "close", limitMs: Math.max(0, this.#closedByMs - performance.now()) };
  }

  async terminate(): Promise<void> {
    this.#closing = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#slots.map(({ worker }) => worker.terminate()));
  }

  async #start(thread: number): Promise<void> {
    const options = this.#options;
    const setup: ThreadSetup = {
      ...options.setup,
      thread,
      threads: options.threads,
      host: options.host,
      port: this.#port,
      events: options.events[thread] as SharedArrayBuffer,
      log: options.log === null ? null : (options.log[thread] as LogLines),
      rules: this.#rules,
      pins: options.pins(),
    };
    const worker = new Worker(entryUrl("proxy/thread"), {
      name: `data-${thread}`,
      workerData: setup,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    const deaths = this.#slots[thread]?.deaths ?? 0;
    this.#slots[thread] = { worker, pins: new PinsToThread(worker), deaths, startedMs: Date.now() };
    let why = "it ended";
    worker.on("error", (error: Error) => {
      why = error.message;
    });
    worker.on("message", (message: FromDataThread) => {
      if (message.kind === "unconfirmed") options.onUnconfirmed({ thread, id: message.id }, message.why);
    });
    this.#connectCompare(worker);
    this.#connectTraces(worker);
    try {
      this.#port = await listening(worker, () => why);
    } catch (error) {
      await worker.terminate(); // one that cannot listen would live on beside its successor
      throw error;
    }
    // A reload while it started: it has begun with rules that are no longer in force.
    if (setup.rules !== this.#rules) send(worker, this.#rules);
    if (this.#draining) send(worker, { kind: "drain" });
    if (this.#closing) send(worker, this.#closeMessage());
    worker.on("exit", () => this.#replace(thread, why));
  }

  #replace(thread: number, why: string): void {
    if (this.#closing) return;
    const slot = this.#slots[thread] as Slot;
    slot.deaths = Date.now() - slot.startedMs > STABLE_MS ? 1 : slot.deaths + 1;
    const waitMs = REPLACE_AFTER_MS[Math.min(slot.deaths, REPLACE_AFTER_MS.length) - 1] as number;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#start(thread).then(
        () => this.#options.onReplaced(thread, why),
        (error: Error) => this.#replace(thread, error.message),
      );
    }, waitMs);
    this.#timers.add(timer);
  }

  #connectCompare(worker: Worker): void {
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ kind: "compare-port", port: port1 } satisfies ToDataThread, [port1]);
    this.#options.connectCompare(port2);
  }

  #connectTraces(worker: Worker): void {
    const { connectTraces } = this.#options;
    if (connectTraces === null) return;
    const { port, waiting } = connectTraces();
    worker.postMessage({ kind: "trace-port", port, waiting } satisfies ToDataThread, [port]);
  }
}

function send(worker: Worker, message: ToDataThread): void {
  worker.postMessage(message);
}

/** The port that it listens on. */
function listening(worker: Worker, why: () => string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const timer = setTimeout(() => reject(new Error("a data thread did not start in time")), START_TIMEOUT_MS);
  const onMessage = (message: FromDataThread): void => {
    if (message.kind === "listening") resolve(message.port);
    if (message.kind === "cannot-listen") reject(new CannotListenError(message.code, message.message));
  };
  const onExit = (): void => reject(new Error(`a data thread did not start: ${why()}`));
  worker.on("message", onMessage);
  worker.on("exit", onExit);
  return promise.finally(() => {
    clearTimeout(timer);
    worker.off("message", onMessage);
    worker.off("exit", onExit);
  });
}

/** Resolves when the worker has answered, or is no more: a dead thread's successor starts with the new rules. */
function answered(
  worker: Worker,
  kind: FromDataThread["kind"],
  question: ToDataThread,
): Promise<FromDataThread | null> {
  if (worker.threadId === -1) return Promise.resolve(null); // it has exited: no answer will come, and no event
  const { promise, resolve } = Promise.withResolvers<FromDataThread | null>();
  const onMessage = (message: FromDataThread): void => {
    if (message.kind === kind) resolve(message);
  };
  const onExit = (): void => resolve(null);
  worker.on("message", onMessage);
  worker.on("exit", onExit);
  worker.postMessage(question);
  return promise.finally(() => {
    worker.off("message", onMessage);
    worker.off("exit", onExit);
  });
}

async function applied(worker: Worker, rules: RulesMessage): Promise<void> {
  await answered(worker, "applied", rules);
}
