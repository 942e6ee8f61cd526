/** A client without a library: sends bytes as told, and reads answers strictly. */

import { connect, type Socket } from "node:net";
import { type Answers, readAnswers } from "./answer-reading.ts";

/** Longest wait for an answer or a close: far beyond what a healthy gateway takes on a busy machine. */
const SILENCE_MS = 20_000;

export interface Talk {
  readonly bytes: string;
  /** The gateway closed the connection. */
  readonly closed: boolean;
  readonly answers: Answers;
}

export interface TalkOptions {
  /** Methods of the requests, where HEAD is among them. */
  readonly methods?: readonly string[];
  /** Stop once so many final answers have come; default: only a close ends it. */
  readonly untilAnswers?: number;
  /** Stop after so long without a byte; default: that is an error. */
  readonly quietMs?: number;
  readonly localAddress?: string;
}

export class RawClient {
  readonly socket: Socket;
  bytes = "";
  closed = false;
  #wake: () => void = () => {};

  constructor(url: string, localAddress?: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      allowHalfOpen: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.socket.on("error", () => {}); // a reset is a close too
    this.socket.on("data", (chunk) => {
      this.bytes += chunk.toString("latin1");
      this.#wake();
    });
    const closed = (): void => {
      this.closed = true;
      this.socket.end();
      this.#wake();
    };
    this.socket.on("end", closed);
    this.socket.on("close", closed);
  }

  /** Writes each part as a segment of its own; stops where the gateway has closed. */
  async send(...parts: readonly string[]): Promise<void> {
    for (const part of parts) {
      if (this.socket.destroyed || this.closed) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.socket.write(Buffer.from(part, "latin1"), () => resolve());
      await promise;
      // A turn of the event loop in between: the parts do not leave as one.
      if (parts.length > 1) await new Promise((next) => setImmediate(next));
    }
  }

  /** Waits for so many final answers, or a close. */
  async until({
    methods = [],
    untilAnswers = Number.POSITIVE_INFINITY,
    quietMs,
  }: TalkOptions = {}): Promise<Talk> {
    for (;;) {
      const answers = readAnswers(this.bytes, methods, this.closed);
      const { closed, bytes } = this;
      if (closed || answers.answers.length >= untilAnswers || answers.rest.kind === "malformed") {
        return { bytes, closed, answers };
      }
      const spoke = await this.#change(quietMs ?? SILENCE_MS);
      if (spoke || this.bytes !== bytes) continue;
      if (quietMs !== undefined) return { bytes, closed, answers };
      throw new Error(
        `neither an answer nor a close in ${SILENCE_MS} ms after ${JSON.stringify(bytes.slice(0, 500))}`,
      );
    }
  }

  destroy(): void {
    this.socket.destroy();
  }

  async #change(withinMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), withinMs);
    this.#wake = () => resolve(true);
    const changed = await promise;
    clearTimeout(timer);
    return changed;
  }
}

/** Sends these parts on a connection of its own and reads until the gateway closes it, or as the options say. */
export async function converse(
  url: string,
  parts: readonly string[],
  options: TalkOptions = {},
): Promise<Talk> {
  const client = new RawClient(url, options.localAddress);
  try {
    await client.send(...parts);
    return await client.until(options);
  } finally {
    client.destroy();
  }
}
