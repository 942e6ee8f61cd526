/** A scripted backend and a scripted client for upgrades, both on bare sockets. */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { until } from "../support/until.ts";

export const ACCEPT =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/** Called with a request's head; the socket is the script's own from then on, unless it is for another request. */
export type UpgradeScript = (socket: Socket, head: string) => unknown;

export interface UpgradeBackend extends AsyncDisposable {
  readonly url: string;
  readonly heads: string[];
  readonly sockets: Socket[];
  answer(script: UpgradeScript): void;
}

/** Accepts, and sends every byte back. */
export const echo: UpgradeScript = (socket) => {
  socket.write(ACCEPT);
  socket.pipe(socket);
};

const ANOTHER = Symbol("another request may follow");

/** Writes this answer, byte for byte. */
export function answering(text: string): UpgradeScript {
  return (socket) => {
    socket.write(Buffer.from(text, "latin1"));
    return ANOTHER;
  };
}

export async function startUpgradeBackend(script: UpgradeScript = echo): Promise<UpgradeBackend> {
  let current = script;
  const heads: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {}); // connections break in many tests
    let text = "";
    const onData = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      const endAt = text.indexOf("\r\n\r\n");
      if (endAt === -1) return;
      socket.off("data", onData);
      const rest = text.slice(endAt + 4);
      if (rest !== "") socket.unshift(Buffer.from(rest, "latin1"));
      heads.push(text.slice(0, endAt));
      const then = current(socket, text.slice(0, endAt));
      text = "";
      if (then === ANOTHER) socket.on("data", onData);
    };
    socket.on("data", onData);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heads,
    sockets,
    answer: (next) => {
      current = next;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A client's connection, with all that came over it. */
export class UpgradeClient implements AsyncDisposable {
  readonly socket: Socket;
  text = "";
  ended = false;
  closed = false;
  errorCode: string | null = null;

  constructor(url: string) {
    this.socket = connect({ port: Number(new URL(url).port), host: "127.0.0.1", allowHalfOpen: true });
    this.socket.on("data", (chunk: Buffer) => {
      this.text += chunk.toString("latin1");
    });
    this.socket.on("end", () => {
      this.ended = true;
    });
    this.socket.on("close", () => {
      this.closed = true;
    });
    this.socket.on("error", (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code ?? "unknown";
    });
  }

  send(text: string): void {
    this.socket.write(Buffer.from(text, "latin1"));
  }

  async has(text: string): Promise<void> {
    const soFar = (): string => JSON.stringify(this.text.slice(-300));
    await until(`${JSON.stringify(text)} comes`, () => this.text.includes(text), { everyMs: 5 }).catch(
      (error: Error) => {
        throw new Error(`${error.message}; what came: ${soFar()}`);
      },
    );
  }

  /** The answer's head once it is there, without its empty line. */
  async head(): Promise<string> {
    await this.has("\r\n\r\n");
    return this.text.slice(0, this.text.indexOf("\r\n\r\n"));
  }

  hasEnded(): Promise<true> {
    return until("the connection ends", () => (this.ended || this.closed ? true : null), { everyMs: 5 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await until("the client's socket is closed", () => this.closed, { everyMs: 5 });
  }
}

/** A WebSocket handshake; `lines` are further fields. */
export function handshake(path: string, lines: readonly string[] = [], upgrade = "websocket"): string {
  return [
    `GET ${path} HTTP/1.1`,
    "Host: shop.example",
    "Connection: Upgrade",
    `Upgrade: ${upgrade}`,
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    ...lines,
    "",
    "",
  ].join("\r\n");
}

/** Shakes hands and waits for the answer's head. */
export async function opened(
  url: string,
  path: string,
  lines: readonly string[] = [],
  upgrade?: string,
): Promise<UpgradeClient> {
  const client = new UpgradeClient(url);
  client.send(handshake(path, lines, upgrade));
  await client.head();
  return client;
}
