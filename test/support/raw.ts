/** Sockets without a library in between, for tests that look at bytes. */

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface RawBackend extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Request heads as they came, oldest first, without the empty line. */
  readonly heads: string[];
  /** Connections ever accepted. */
  connections: number;
  /** Changes what it does from now on. */
  answer(script: RawScript): void;
}

/** Called once a request head has come; writes whatever it likes. */
export type RawScript = (head: string, socket: Socket) => void;

/** Writes this text, byte for byte, as the answer. */
export function bytes(text: string): RawScript {
  return (_head, socket) => {
    socket.write(Buffer.from(text, "latin1"));
  };
}

const EMPTY_200 = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/** A backend that shows request heads byte for byte; bodies with a Content-Length are read and dropped. */
export async function startRawBackend(script: RawScript = bytes(EMPTY_200)): Promise<RawBackend> {
  let current = script;
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    backend.connections++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // connections break in many tests
    let waiting = "";
    let bodyBytes = 0;
    socket.on("data", (chunk) => {
      waiting += chunk.toString("latin1");
      for (;;) {
        const dropped = Math.min(bodyBytes, waiting.length);
        waiting = waiting.slice(dropped);
        bodyBytes -= dropped;
        const endAt = waiting.indexOf("\r\n\r\n");
        if (endAt === -1) return;
        const head = waiting.slice(0, endAt);
        waiting = waiting.slice(endAt + 4);
        bodyBytes = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
        heads.push(head);
        current(head, socket);
      }
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => resolve());
  await promise;
  const { port } = server.address() as AddressInfo;
  const backend: RawBackend = {
    port,
    url: `http://127.0.0.1:${port}`,
    heads,
    connections: 0,
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
  return backend;
}

/** The values of every field with this name in a raw head, in order. */
export function valuesOf(head: string, name: string): string[] {
  const wanted = name.toLowerCase();
  return head
    .split("\r\n")
    .slice(1)
    .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as const)
    .filter(([field]) => field.toLowerCase() === wanted)
    .map(([, value]) => value);
}

/**
 * Sends bytes on a connection of its own and returns everything that comes back until the peer closes it.
 * `reply` sees all that has come so far and may send more; null: nothing.
 */
export async function talk(
  url: string,
  text: string,
  reply: (soFar: string) => string | null = () => null,
): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const chunks: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    const more = reply(Buffer.concat(chunks).toString("latin1"));
    if (more !== null) socket.write(Buffer.from(more, "latin1"));
  });
  socket.on("error", reject);
  socket.on("close", () => resolve());
  socket.setTimeout(60_000, () => socket.destroy(new Error("the gateway fell silent")));
  socket.write(Buffer.from(text, "latin1"));
  await promise;
  return Buffer.concat(chunks).toString("latin1");
}

/** A request without a body on a connection that ends with its answer. `lines` are further header lines. */
export function get(target: string, lines: readonly string[] = [], method = "GET"): string {
  return [`${method} ${target} HTTP/1.1`, "Host: shop.example", "Connection: close", ...lines, "", ""].join(
    "\r\n",
  );
}

/** The head and the body of a raw answer. */
export function split(answer: string): { head: string; body: string } {
  const endAt = answer.indexOf("\r\n\r\n");
  return { head: answer.slice(0, endAt), body: answer.slice(endAt + 4) };
}
