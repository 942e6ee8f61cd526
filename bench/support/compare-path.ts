/** The whole path of a pair: the data thread's part, the comparison thread as it runs, the finding received. */

import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { type CompareSetup, PROGRESS_BYTES } from "../../src/board/progress.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import type { Answer, Compared, Pair } from "../../src/model/pair.ts";
import { ByteComparison, Joining, type Pieces, STEP_BYTES } from "../../src/proxy/same-bytes.ts";
import { entryUrl } from "../../src/workers/entry.ts";
import type { CompareCase } from "./compare-cases.ts";

/** As in src/proxy/offer.ts: what may wait for the comparison threads. */
const MAX_WAITING_PAIRS = 1024;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** As sockets hand them over. */
const CHUNK_BYTES = 64 * 1024;

export function pairOf(given: CompareCase, old: Uint8Array, fresh: Uint8Array): Pair {
  const headers = ["content-type", given.type, ...encodingOf(given)];
  const answer = (body: Uint8Array): Answer => ({ status: 200, headers, body, cut: false });
  return {
    route: "bench",
    rulesVersion: "0123456789ab",
    compare: DEFAULT_COMPARE,
    requestId: "1",
    method: "GET",
    target: "/items?page=1",
    requestHeaders: ["accept", "*/*"],
    unit: null,
    old: answer(old),
    new: answer(fresh),
    again: null,
    ticket: null,
    confirms: null,
  };
}

function encodingOf({ encoding }: CompareCase): readonly string[] {
  return encoding === null ? [] : ["content-encoding", encoding];
}

/** A body as it arrived: views of memory that the sockets share. */
export function piecesOf(body: Uint8Array): Pieces {
  const whole = Buffer.from(body);
  const chunks: Buffer[] = [];
  for (let at = 0; at < whole.length; at += CHUNK_BYTES) chunks.push(whole.subarray(at, at + CHUNK_BYTES));
  return { chunks, bytes: whole.length };
}

export type Offered = "equal" | "posted" | "shed";

/** A comparison thread, and this thread in the place of a data thread and of control. */
export class ComparePath implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #queue = new Int32Array(new SharedArrayBuffer(8));
  #waiting: (() => void)[] = [];
  /** Findings received. */
  received = 0;

  constructor() {
    const progress = new SharedArrayBuffer(PROGRESS_BYTES);
    const workerData: CompareSetup = { queue: this.#queue.buffer, progress };
    this.#worker = new Worker(entryUrl("compare/thread"), { workerData });
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage({ kind: "port", port: port2 }, [port2]);
    this.#port = port1;
    this.#worker.on("message", (_found: Compared) => {
      this.received++;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    });
  }

  get pairsWaiting(): number {
    return Atomics.load(this.#queue, 0);
  }

  /** What a data thread does with two answers in one go; large ones it takes in steps. */
  offer(given: CompareCase, old: Pieces, fresh: Pieces): Offered {
    const same = new ByteComparison(old, fresh);
    let isSame: boolean | null;
    do isSame = same.step(STEP_BYTES);
    while (isSame === null);
    if (isSame) return "equal";
    const bytes = old.bytes + fresh.bytes;
    const queue = this.#queue;
    if (Atomics.load(queue, 0) >= MAX_WAITING_PAIRS) return "shed";
    if (Atomics.load(queue, 1) + bytes > MAX_WAITING_BYTES) return "shed";
    Atomics.add(queue, 0, 1);
    Atomics.add(queue, 1, bytes);
    const [oldBody, newBody] = [joined(old), joined(fresh)];
    this.#port.postMessage({ kind: "pair", pair: pairOf(given, oldBody, newBody) }, [
      oldBody.buffer,
      newBody.buffer,
    ]);
    return "posted";
  }

  /** Resolves with the next finding. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#port.close();
    await this.#worker.terminate();
  }
}

function joined(body: Pieces): Uint8Array<ArrayBuffer> {
  const joining = new Joining(body);
  while (!joining.step(STEP_BYTES));
  return joining.bytes;
}
