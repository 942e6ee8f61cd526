/** A scripted HTTP backend on a port of its own, for tests. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface Seen {
  readonly method: string;
  readonly url: string;
  /** Flat, as received. */
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export type Script = (req: IncomingMessage, res: ServerResponse, body: Buffer) => void;

export interface TestBackend extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Whole requests that arrived, oldest first. */
  readonly seen: Seen[];
  /** Changes what it answers from now on. */
  answer(script: Script): void;
  close(): Promise<void>;
}

/** Answers every request with this JSON. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Script {
  return (_req, res) => {
    const body = Buffer.from(JSON.stringify(value));
    res.writeHead(status, { "content-type": "application/json", "content-length": body.length, ...headers });
    res.end(body);
  };
}

/** Accepts requests and never answers. */
export const stall: Script = () => {};

/** Drops the connection without an answer. */
export const reset: Script = (req) => {
  req.socket.resetAndDestroy();
};

export async function startBackend(script: Script, port = 0): Promise<TestBackend> {
  let current = script;
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("error", () => {}); // a client that leaves is part of many tests
    req.on("end", () => {
      const body = Buffer.concat(chunks);
      const { method = "", url = "", rawHeaders, headers } = req;
      seen.push({ method, url, rawHeaders, headers, body: body.toString("latin1") });
      current(req, res, body);
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(port, "127.0.0.1", () => resolve());
  await promise;
  const bound = (server.address() as AddressInfo).port;
  const close = async (): Promise<void> => {
    const closed = Promise.withResolvers<void>();
    server.close(() => closed.resolve());
    for (const socket of sockets) socket.destroy();
    await closed.promise;
  };
  return {
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    seen,
    answer: (next) => {
      current = next;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A backend that sees requests at their heads, for bodies that are long or never end. */
export async function startStreamingBackend(
  listener: (req: IncomingMessage, res: ServerResponse) => void,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((req, res) => {
    req.on("error", () => {}); // a client that leaves is part of many tests
    listener(req, res);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => resolve());
  await promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
