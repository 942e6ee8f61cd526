/** A backend that writes down what it was sent: how the rig knows that all proxies do the same work. */

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { SMALL_BYTES } from "./backends.ts";

export interface Seen {
  /** "HTTP/1.1". */
  readonly version: string;
  /** Names as they came → values. */
  readonly fields: ReadonlyMap<string, string>;
}

export interface Witness extends AsyncDisposable {
  readonly port: number;
  readonly connections: number;
  readonly seen: readonly Seen[];
}

const HEAD_END = "\r\n\r\n";
const BODY = JSON.stringify({ end: "e".repeat(SMALL_BYTES - 10) });
const ANSWER = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${SMALL_BYTES}\r\n\r\n${BODY}`;

/** Answers bodiless requests with the JSON that the rig's backends answer with in length. */
export async function startWitness(): Promise<Witness> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf(HEAD_END); end !== -1; end = text.indexOf(HEAD_END)) {
        seen.push(headOf(text.slice(0, end)));
        text = text.slice(end + HEAD_END.length);
        socket.write(ANSWER);
      }
    });
    socket.on("error", () => {}); // a proxy that ends cuts its connections
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    seen,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function headOf(head: string): Seen {
  const [first = "", ...lines] = head.split("\r\n");
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { version: first.split(" ").at(-1) ?? "", fields: new Map(fields) };
}
