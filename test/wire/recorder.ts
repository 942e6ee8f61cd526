/** A backend that reads strictly what the gateway sends it, keeps all of it, and answers each whole request. */

import { type AddressInfo, createServer, type Socket } from "node:net";
import { type Message, readRequest } from "./reading.ts";

export interface Recorder extends AsyncDisposable {
  readonly url: string;
  /** Whole requests, in the order in which they were whole. */
  readonly requests: Message[];
  /** Requests that broke off within the body. */
  readonly broken: Message[];
  /** What no strict parser accepts. */
  readonly violations: string[];
  /** Open connections. */
  readonly open: () => number;
  answer(script: RecorderScript): void;
}

/** Writes the answer to one request. */
export type RecorderScript = (message: Message, socket: Socket) => void;

/** Answers "ok". */
export const ok: RecorderScript = (message, socket) => {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${message.method === "HEAD" ? "" : "ok"}`);
};

export async function startRecorder(script: RecorderScript = ok): Promise<Recorder> {
  let current = script;
  const requests: Message[] = [];
  const broken: Message[] = [];
  const violations: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let waiting = "";
    socket.on("error", () => {}); // connections break in many tests
    socket.on("close", () => {
      sockets.delete(socket);
      const reading = readRequest(waiting, 0, "strict");
      if (reading.kind === "partial" && reading.message !== null) broken.push(reading.message);
    });
    socket.on("data", (chunk) => {
      waiting += chunk.toString("latin1");
      for (;;) {
        const reading = readRequest(waiting, 0, "strict");
        if (reading.kind === "partial") return;
        if (reading.kind === "malformed") {
          violations.push(`${reading.why} in ${JSON.stringify(waiting.slice(0, 2_000))}`);
          socket.destroy();
          return;
        }
        waiting = waiting.slice(reading.endAt);
        requests.push(reading.message);
        current(reading.message, socket);
      }
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => resolve());
  await promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    broken,
    violations,
    open: () => sockets.size,
    answer: (next) => {
      current = next;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of sockets) socket.destroy();
      await closed.promise;
    },
  };
}
