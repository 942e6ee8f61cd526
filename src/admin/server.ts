/** The admin API over HTTP, on a port of its own. */

import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "../node-http.ts";
import { type Call, endpoints, type Handler, type Reply } from "./api.ts";
import { checkHost, isLoopback, type TokenCheck, tokenCheck } from "./auth.ts";
import { createDashboard } from "./dashboard/serve.ts";
import type { Desk } from "./desk.ts";
import { EVENT_LIMITS, type EventLimits, eventStreams } from "./events.ts";
import { Problem } from "./problem.ts";
import { type Entry, type Guarding, lookUp } from "./router.ts";

const MAX_CONNECTIONS = 256;
const HEAD_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** Longest silence on a connection; event streams stay below it with their heartbeat. */
const IDLE_TIMEOUT_MS = 30_000;
/** Longest wait for the desk, below the idle timeout, so that a caller hears why. */
const ANSWER_TIMEOUT_MS = 20_000;
/** How long a refused body is still read, so that its sender gets to see the refusal. */
const LINGER_MS = 500;
/** How long open connections may finish when the API closes. */
const CLOSE_TIMEOUT_MS = 1_000;

export interface AdminOptions {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly desk: Desk;
  readonly token: string;
  readonly onListening?: (address: { readonly url: string; readonly port: number }) => void;
  /** Told of failures inside a handler, which the caller sees only as a 500. */
  readonly onError?: (error: unknown) => void;
  readonly events?: Partial<EventLimits>;
  readonly answerTimeoutMs?: number;
}

export interface Admin {
  readonly url: string;
  readonly port: number;
  /** Stops listening, ends the event streams, and resolves when every connection is closed. */
  close(): Promise<void>;
}

/** The admin address cannot be listened on; the message says why and what to do. */
export class AdminListenError extends Error {
  override readonly name = "AdminListenError";
}

/** What every request needs, made once. */
interface Room {
  readonly table: readonly Entry<Handler>[];
  readonly token: TokenCheck;
  readonly listenHost: string;
  readonly loopback: boolean;
  readonly answerTimeoutMs: number;
  readonly onError: (error: unknown) => void;
}

/** Starts the admin API; resolves when it listens, rejects with an AdminListenError. */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const onError = options.onError ?? (() => {});
  const events = eventStreams(options.desk, { ...EVENT_LIMITS, ...options.events }, onError);
  const server = createServer({
    headersTimeout: HEAD_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 5_000,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = IDLE_TIMEOUT_MS;
  const token = tokenCheck(options.token);
  const bound = await listen(server, options);
  const room: Room = {
    table: endpoints(options.desk, events, createDashboard()),
    token,
    listenHost: options.host,
    loopback: isLoopback(bound.address),
    answerTimeoutMs: options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
    onError,
  };
  server.on("request", (request, response) => void serve(room, request, response));
  server.on("error", onError);
  const url = `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${bound.port}`;
  options.onListening?.({ url, port: bound.port });
  return {
    url,
    port: bound.port,
    close: () => {
      events.close();
      return close(server);
    },
  };
}

/** One request, from its line to its answer. Never rejects. */
async function serve(room: Room, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader("cache-control", "no-store");
  response.setHeader("x-content-type-options", "nosniff");
  try {
    const call = admit(room, request, response);
    const reply = await withDeadline(call.handler(call), room);
    if (reply !== undefined) send(response, reply);
  } catch (error) {
    refuse(room, request, response, error);
  }
}

/** Checks Host, path, method and token, in this order; beyond this machine the token comes first. */
function admit(
  room: Room,
  request: IncomingMessage,
  response: ServerResponse,
): Call & { readonly handler: Handler } {
  const [path = "", query = ""] = split(request.url ?? "");
  const lookup = lookUp(room.table, request.method ?? "", path);
  const guarding = lookup.kind === "found" ? lookup.found.entry.guarding : "open";
  if (room.loopback && guarding !== "probe") checkHost(request, room.listenHost);
  const guarded = guarding === "guarded" || (!room.loopback && needsTokenBeyond(guarding, request));
  if (guarded) room.token.check(request, performance.now());
  if (lookup.kind === "not-found") throw new Problem(404, "nothing is here: GET /api/v1 lists what is");
  if (lookup.kind === "wrong-method") {
    throw new Problem(405, `this path takes ${lookup.allow}`, { headers: { allow: lookup.allow } });
  }
  const { entry, names } = lookup.found;
  return { request, response, names, query: new URLSearchParams(query), handler: entry.handler };
}

/** A browser that opens the page has no token yet: the page takes it from its own address, or asks for it. */
function needsTokenBeyond(guarding: Guarding, request: IncomingMessage): boolean {
  if (guarding === "page") return !(request.headers.accept ?? "").includes("text/html");
  return guarding === "open";
}

function split(target: string): readonly [string, string] {
  const mark = target.indexOf("?");
  return mark < 0 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)];
}

function send(response: ServerResponse, reply: Reply): void {
  const body = typeof reply.body === "string" ? Buffer.from(reply.body) : reply.body;
  response.writeHead(reply.status, {
    "content-type": reply.contentType,
    ...(reply.status === 304 ? {} : { "content-length": body.length }),
    ...reply.headers,
  });
  response.end(body);
}

/** The one place where an error becomes an answer. */
function refuse(room: Room, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (!(error instanceof Problem)) room.onError(error);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const problem =
    error instanceof Problem ? error : new Problem(500, "the gateway failed to answer; its log says why");
  const body = Buffer.from(problem.body());
  response.writeHead(problem.status, {
    ...problem.headers,
    "content-type": "application/problem+json",
    "content-length": body.length,
  });
  if (request.complete || problem.headers.connection !== "close") {
    response.end(body);
    return;
  }
  response.write(body);
  linger(request, response);
}

/** Closing while the sender still writes would reset the connection, and the refusal would be lost with it. */
function linger(request: IncomingMessage, response: ServerResponse): void {
  const timer = setTimeout(() => response.end(), LINGER_MS);
  request.resume();
  request.once("end", () => response.end());
  response.once("close", () => clearTimeout(timer));
}

/** Waits for a handler, but not for ever: a disk that hangs must not keep the caller in the dark. */
async function withDeadline<T>(work: T | Promise<T>, { answerTimeoutMs, onError }: Room): Promise<T> {
  if (!(work instanceof Promise)) return work;
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      work.catch(onError); // a failure after this answer has nobody else to hear of it
      reject(
        new Problem(
          504,
          `not finished within ${answerTimeoutMs} ms, it may still be: see GET /api/v1/status`,
        ),
      );
    }, answerTimeoutMs);
    timer.unref(); // the caller's connection keeps the process; an answer that nobody waits for must not
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

async function listen(server: Server, options: AdminOptions): Promise<{ address: string; port: number }> {
  const place = `${options.host}:${options.port}`;
  try {
    server.listen({ host: options.host, port: options.port });
    await once(server, "listening");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const text = error instanceof Error ? error.message : String(error);
    const why = code === "EADDRINUSE" ? "is in use" : `cannot be listened on (${text})`;
    throw new AdminListenError(`the admin address ${place} ${why}: choose another with --admin`, {
      cause: error,
    });
  }
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new AdminListenError(`${place} is no TCP address`);
  return bound;
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS);
  await closed;
  clearTimeout(timer);
}
