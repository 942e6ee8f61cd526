/** A pool of connections to a peer of the test's own, and calls that take down what becomes of them. */

import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { AnswerHead } from "../../../src/proxy/backend/answer-head.ts";
import type { Call, CallEvents, CallRequest } from "../../../src/proxy/backend/call.ts";
import { Pool, type PoolOptions } from "../../../src/proxy/backend/pool.ts";
import { Deadlines } from "../../../src/proxy/deadlines.ts";

export const OK = "HTTP/1.1 200 OK\r\n";

export function answer(body: string, lines = ""): string {
  return `${OK}${lines}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** One connection as the peer sees it. */
export interface PeerConnection {
  readonly socket: Socket;
  /** All that has come on it, latin1. */
  text: string;
}

/** Called for each piece that comes. */
export type Script = (connection: PeerConnection, piece: string) => void;

export interface Peer extends AsyncDisposable {
  readonly url: string;
  readonly connections: readonly PeerConnection[];
  script: Script;
}

/** Answers each request (without a body) with its target. */
export const ECHO: Script = ({ socket }, piece) => {
  for (const line of piece.matchAll(/[A-Z]+ (\/\S*) HTTP\/1\.1\r\n/g)) socket.write(answer(line[1] ?? ""));
};

export async function startPeer(script: Script = ECHO, host = "127.0.0.1"): Promise<Peer> {
  const connections: PeerConnection[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection: PeerConnection = { socket, text: "" };
    connections.push(connection);
    socket.setNoDelay(true);
    socket.on("error", () => {}); // many of the tests break connections
    socket.on("data", (bytes) => {
      const piece = bytes.toString("latin1");
      connection.text += piece;
      peer.script(connection, piece);
    });
    socket.on("end", () => socket.end());
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, host, () => resolve());
  await promise;
  const { port } = server.address() as AddressInfo;
  const peer: Peer = {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    connections,
    script,
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const { socket } of connections) socket.destroy();
      await closed.promise;
    },
  };
  return peer;
}

/** One that was bound and given back would be the next test's. */
export const NOBODY = "http://127.0.0.1:1";

export interface TestPool extends Disposable {
  readonly pool: Pool;
  readonly ask: (request?: Partial<CallRequest>, hooks?: Hooks) => Asked;
  /** Moves the clock of its deadlines on, which stands still by itself. They are looked at a tick later. */
  readonly passMs: (ms: number) => void;
}

export function poolTo(
  url: string,
  options: Partial<Omit<PoolOptions, "deadlines">> = {},
  times: Partial<PoolOptions["times"]> = {},
): TestPool {
  let nowMs = 0;
  const deadlines = new Deadlines(() => nowMs);
  const pool = new Pool(url, {
    tls: null,
    maxConnections: 8,
    ...options,
    times: { connectMs: 5_000, stallMs: 5_000, ...times },
    deadlines,
  });
  return {
    pool,
    ask: (request = {}, hooks = {}) => new Asked(pool, request, hooks),
    passMs: (ms) => {
      nowMs += ms;
    },
    [Symbol.dispose]: () => {
      deadlines.close();
      void pool.close();
    },
  };
}

/** What a test does in the middle of a call's events. */
export type Hooks = Partial<Record<Step, (asked: Asked) => void>>;
export type Step =
  | "sent"
  | "uploading"
  | "uploaded"
  | "interim"
  | "head"
  | "data"
  | "end"
  | "switch"
  | "failed";

/** One call, and all that it was told. */
export class Asked implements CallEvents {
  readonly steps: Step[] = [];
  readonly interims: AnswerHead[] = [];
  head: AnswerHead | null = null;
  body = "";
  rawTrailers: readonly string[] = [];
  error: Error | null = null;
  socket: Duplex | null = null;
  /** Fulfilled by what ends it. */
  readonly over: Promise<Asked>;
  readonly #setOver: (asked: Asked) => void;
  readonly #hooks: Hooks;
  readonly #call: Call;

  constructor(pool: Pool, request: Partial<CallRequest>, hooks: Hooks) {
    const { promise, resolve } = Promise.withResolvers<Asked>();
    this.over = promise;
    this.#setOver = resolve;
    this.#hooks = hooks;
    this.#call = pool.dispatch(
      { method: "GET", target: "/", headers: [], host: "a.test", body: null, upgrade: null, ...request },
      this,
    );
  }

  /** In short, what the call came to. */
  get result(): string {
    if (this.error !== null) return `failed: ${this.error.message}`;
    return `${this.head?.status ?? "no head"} ${this.body}`;
  }

  abort(why = "given up"): void {
    this.#call.abort(new Error(why));
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  onSent(): void {
    this.#step("sent");
  }

  onUploading(): void {
    this.#step("uploading");
  }

  onUploaded(): void {
    this.#step("uploaded");
  }

  onInterim(head: AnswerHead): void {
    this.interims.push(head);
    this.#step("interim");
  }

  onHead(head: AnswerHead): void {
    this.head = head;
    this.#step("head");
  }

  onData(chunk: Buffer): void {
    this.body += chunk.toString("latin1");
    this.#step("data");
  }

  onEnd(rawTrailers: readonly string[]): void {
    this.rawTrailers = rawTrailers;
    this.#step("end");
    this.#setOver(this);
  }

  onSwitch(head: AnswerHead, socket: Duplex): void {
    this.head = head;
    this.socket = socket;
    this.#step("switch");
    this.#setOver(this);
  }

  onFailed(error: Error): void {
    this.error = error;
    this.#step("failed");
    this.#setOver(this);
  }

  #step(step: Step): void {
    this.steps.push(step);
    this.#hooks[step]?.(this);
  }
}
