/**
 * A small user-profile service, run as a process of its own: `profile-service.ts old` or `… new`. The new
 * generation has a field renamed, and a fault that can be switched on. Both stamp answers with the time, as real
 * services do: noise for whoever compares them.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Generation = "old" | "new";

/** The service's own message to its parent, once it accepts requests. */
export interface ServiceReady {
  readonly kind: "ready";
  readonly url: string;
  /** POST {controlUrl}/fault/on and /fault/off switch the fault. */
  readonly controlUrl: string;
}

/** What a profile looks like to clients of each generation. */
export function profileOf(generation: Generation, id: string, servedAt: string): Record<string, string> {
  const name = `User ${id}`;
  const rest = { email: `user${id}@example.com`, plan: Number(id) % 3 === 0 ? "plus" : "free", servedAt };
  return generation === "old" ? { id, name, ...rest } : { id, fullName: name, ...rest };
}

/** Now, finely enough that two answers to one question never carry the same. */
function timestamp(): string {
  const nowMs = performance.timeOrigin + performance.now();
  const micros = String(Math.floor((nowMs % 1) * 1_000)).padStart(3, "0");
  return new Date(nowMs).toISOString().replace("Z", `${micros}Z`);
}

/** Answers take a little while, as with a database behind them. */
function thinkTimeMs(): number {
  return 1 + Math.random() * 3;
}

interface Fault {
  on: boolean;
}

function createProfileServer(generation: Generation, fault: Fault): Server {
  return createServer((request, response) => {
    // Bodies are small and of no interest, but must be read for the connection to be used again.
    request.resume();
    setTimeout(() => answer(generation, fault, request, response), thinkTimeMs());
  });
}

function answer(
  generation: Generation,
  fault: Fault,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const match = /^\/profiles\/(\d{1,9})(\/visits)?$/.exec(request.url ?? "");
  const id = match?.[1];
  if (fault.on) sendJson(response, 500, { error: "the profile database does not answer" });
  else if (request.url === "/healthz") sendJson(response, 200, { ok: true });
  else if (id === undefined) sendJson(response, 404, { error: "no such profile" });
  else if (match?.[2] === undefined) sendJson(response, 200, profileOf(generation, id, timestamp()));
  else response.writeHead(request.method === "POST" ? 204 : 405).end();
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  // node:http itself leaves the body out of the answer to a HEAD.
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length }).end(body);
}

/** A port of its own for the fault, so that no client of the service can reach it through the gateway. */
function createControlServer(fault: Fault): Server {
  return createServer((request, response) => {
    request.resume();
    const match = /^\/fault\/(on|off)$/.exec(request.url ?? "");
    if (match === null) {
      sendJson(response, 404, { error: "POST /fault/on or /fault/off" });
    } else if (request.method !== "POST") {
      sendJson(response, 405, { error: "write curl -X POST" });
    } else {
      fault.on = match[1] === "on";
      sendJson(response, 200, { fault: match[1] });
    }
  });
}

async function listen(server: Server): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function main(generation: Generation): Promise<void> {
  const fault: Fault = { on: false };
  const url = await listen(createProfileServer(generation, fault));
  const controlUrl = await listen(createControlServer(fault));
  const ready: ServiceReady = { kind: "ready", url, controlUrl };
  process.send?.(ready);
}

// Started as a process of its own, and not imported by a test.
if (import.meta.main) {
  // However the parent ends, even by kill -9, this process ends with it.
  process.on("disconnect", () => process.exit(0));
  // Ctrl-C reaches every process of a terminal: the parent decides the order in which they end.
  process.on("SIGINT", () => undefined);
  const generation = process.argv[2];
  if (process.send === undefined || (generation !== "old" && generation !== "new")) {
    process.stderr.write("profile-service is started by `cutover demo`\n");
    process.exit(2);
  }
  await main(generation);
}
