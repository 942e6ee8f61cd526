/** Ports of this machine, and waiting for who listens there. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { sleep } from "../support/stats.ts";
import type { Child } from "./child.ts";

const START_TIMEOUT_MS = 30_000;
const ASK_TIMEOUT_MS = 5_000;
const PAUSE_MS = 25;

/** A port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves once the process answers 200 with so many bytes. Throws when it ends before, or with what it answers. */
export async function reachable(
  name: string,
  url: string,
  child: Child,
  bytes: number,
  init: RequestInit = {},
): Promise<void> {
  const untilMs = performance.now() + START_TIMEOUT_MS;
  for (let last = "nobody listened"; ; ) {
    try {
      const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
      const body = await answer.bytes();
      if (answer.status === 200 && body.length === bytes) return;
      last = `it answered ${answer.status} with ${body.length} bytes instead of 200 with ${bytes}`;
    } catch (error) {
      last = String((error as Error).cause ?? error);
    }
    if (child.complaint !== null) throw new Error(`${name}: ${child.complaint}`);
    if (performance.now() > untilMs)
      throw new Error(`${name}: ${last}${child.said && `; it said:\n${child.said}`}`);
    await sleep(PAUSE_MS);
  }
}
