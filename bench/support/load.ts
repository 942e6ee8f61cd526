/**
 * A load generator for keep-alive GETs on raw sockets: closed loop (as fast as it is answered) or at a rate. At
 * a rate, a request that finds no free connection waits for one, and its wait counts: a stall is not hidden by
 * asking less meanwhile.
 */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { sleep } from "./stats.ts";

export interface LoadOptions {
  /** Origin. */
  readonly url: string;
  readonly path: string;
  readonly connections: number;
  /** So long, or until the signal. */
  readonly durationMs: number | AbortSignal;
  /** Null: closed loop. */
  readonly perSecond: number | null;
  /** Requests name one of so many users in x-user, in turn. */
  readonly users?: number;
  /** Whole requests, sent in turn; absent: GETs of `path`. */
  readonly requests?: readonly Buffer[];
}

export interface LoadResult {
  readonly requests: number;
  /** Answers that were not 200, and connections that broke. */
  readonly failures: number;
  readonly perSecond: number;
  /** Milliseconds, ascending. */
  readonly latencies: Float64Array;
}

const DEFAULT_USERS = 1_000;
const HEAD_END = "\r\n\r\n";
/** How long answers may be late once the time is over. */
const GRACE_MS = 10_000;

/** One connection, one request at a time. */
class Line {
  readonly #socket: Socket;
  #begunMs = 0;
  #busy = false;
  #missing = 0;
  #ok = false;
  #partial: Buffer | null = null;

  constructor(url: URL, answered: (line: Line, latencyMs: number, ok: boolean) => void, broken: () => void) {
    this.#socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => {
      if (!this.#take(chunk)) return;
      this.#busy = false;
      answered(this, performance.now() - this.#begunMs, this.#ok);
    });
    this.#socket.on("error", () => {}); // "close" follows
    this.#socket.on("close", () => {
      if (this.#busy) broken();
    });
  }

  send(request: Buffer, begunMs: number): void {
    this.#begunMs = begunMs;
    this.#busy = true;
    this.#socket.write(request);
  }

  close(): void {
    this.#busy = false;
    this.#socket.destroy();
  }

  /** True: the answer is whole. */
  #take(chunk: Buffer): boolean {
    if (this.#missing > 0) {
      this.#missing -= chunk.length;
      return this.#missing <= 0;
    }
    const bytes = this.#partial === null ? chunk : Buffer.concat([this.#partial, chunk]);
    const headEnd = bytes.indexOf(HEAD_END);
    if (headEnd === -1) {
      this.#partial = bytes;
      return false;
    }
    this.#partial = null;
    const head = bytes.toString("latin1", 0, headEnd + 2);
    this.#ok = head.startsWith("HTTP/1.1 200");
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`an answer without a length:\n${head}`);
    this.#missing = Number(length) - (bytes.length - headEnd - HEAD_END.length);
    return this.#missing <= 0;
  }
}

export async function load(options: LoadOptions): Promise<LoadResult> {
  const requests = options.requests ?? requestsFor(options);
  const latencies: number[] = [];
  const queue: number[] = [];
  const lines: Line[] = [];
  const idle: Line[] = [];
  let sent = 0;
  let failures = 0;
  let inFlight = 0;
  let isOver = false;
  const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
  const begunMs = performance.now();

  const send = (line: Line, atMs: number): void => {
    inFlight++;
    line.send(requests[sent++ % requests.length] as Buffer, atMs);
  };
  const open = (): Line => {
    const line = new Line(
      new URL(options.url),
      (answeredLine, latencyMs, ok) => {
        inFlight--;
        if (!isOver) latencies.push(latencyMs);
        if (!ok) failures++;
        goOn(answeredLine);
      },
      () => {
        inFlight--;
        failures++;
        goOn(open());
      },
    );
    lines.push(line);
    return line;
  };
  const goOn = (line: Line): void => {
    if (isOver) {
      if (inFlight === 0) settle();
    } else if (options.perSecond === null) send(line, performance.now());
    else {
      const dueMs = queue.shift();
      if (dueMs === undefined) idle.push(line);
      else send(line, dueMs);
    }
  };
  for (let i = 0; i < options.connections; i++) goOn(open());
  const timer =
    options.perSecond === null
      ? null
      : paced(options.perSecond, (nowMs) => {
          const line = idle.pop();
          if (line === undefined) queue.push(nowMs);
          else send(line, nowMs);
        });

  await ended(options.durationMs);
  isOver = true;
  const tookMs = performance.now() - begunMs;
  if (timer !== null) clearInterval(timer);
  if (inFlight > 0)
    await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref())]);
  failures += inFlight;
  for (const line of lines) line.close();
  return {
    requests: latencies.length,
    failures,
    perSecond: (latencies.length / tookMs) * 1000,
    latencies: Float64Array.from(latencies).sort(),
  };
}

async function ended(when: number | AbortSignal): Promise<void> {
  if (typeof when === "number") await sleep(when);
  else if (!when.aborted) await once(when, "abort");
}

/** Calls back at an even pace; what a late timer missed comes at once. */
function paced(perSecond: number, due: (nowMs: number) => void): NodeJS.Timeout {
  const begunMs = performance.now();
  let called = 0;
  return setInterval(() => {
    const nowMs = performance.now();
    const owed = Math.floor(((nowMs - begunMs) / 1000) * perSecond);
    for (; called < owed; called++) due(nowMs);
  }, 1);
}

function requestsFor({ url, path, users }: LoadOptions): Buffer[] {
  const { host } = new URL(url);
  return Array.from({ length: users ?? DEFAULT_USERS }, (_, user) =>
    Buffer.from(
      `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: bench\r\naccept: application/json\r\nx-user: user-${user}\r\n\r\n`,
    ),
  );
}
