/**
 * What the gateway is measured against: node:http and undici's dispatch with raw headers, and nothing else. No
 * decision, no counters, no timeouts of its own, no hop-by-hop fields taken out. Not safe for any other use.
 *
 *   node bench/bare.ts http://127.0.0.1:9001 [PORT]
 */

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Dispatcher, Pool } from "undici";

const MAX_CONNECTIONS = 256;
/** An idle client is not sent away while it is measured. */
const KEEP_ALIVE_MS = 3_600_000;

const pool = new Pool(process.argv[2] as string, {
  connections: MAX_CONNECTIONS,
  pipelining: 1,
  allowH2: false,
});

class Relay implements Dispatcher.DispatchHandler {
  readonly #res: ServerResponse;

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const raw = controller.rawHeaders as Buffer[];
    const headers: string[] = [];
    for (const text of raw) headers.push(text.toString("latin1"));
    this.#res.sendDate = false;
    this.#res.writeHead(status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#res.write(chunk)) return;
    controller.pause();
    this.#res.once("drain", () => controller.resume());
  }

  onResponseEnd(): void {
    this.#res.end();
  }

  onResponseError(): void {
    this.#res.destroy();
  }

  onRequestStart(): void {}
}

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (req, res) => {
  const { method = "GET", url = "/", rawHeaders } = req;
  pool.dispatch({ method, path: url, headers: rawHeaders }, new Relay(res));
});
server.listen(Number(process.argv[3] ?? 0), "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit(0));
