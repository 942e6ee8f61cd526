/** The HTTP server of one data thread: what it takes in, what it refuses, and its limits towards clients. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { admit, maxForwards, type RequestHead } from "../model/admission.ts";
import type { Limits } from "../model/ruleset.ts";
import { noteAnswering, refuseBroken } from "./broken-request.ts";
import { serve } from "./corridor.ts";
import type { DataDesk } from "./desk.ts";
import { refuse, refuseSocket } from "./problem.ts";

/** How often slow heads are looked for; the default of 30 s would triple a limit of 10. */
const CHECKING_INTERVAL_MS = 1_000;

export function createProxyServer(desk: DataDesk): Server {
  const { limits } = desk.snapshot.compiled.ruleset;
  const server = createServer({
    maxHeaderSize: limits.requestHeadBytes,
    connectionsCheckingInterval: CHECKING_INTERVAL_MS,
    requestTimeout: 0, // a long upload is no fault
    noDelay: true,
    requireHostHeader: false, // admission says so itself, and more
  });
  applyLimits(server, desk, limits);
  server.on("request", (req, res) => take(desk, req, res));
  server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => {
    take(desk, req, res, () => res.writeContinue());
  });
  server.on("checkExpectation", (_req, res: ServerResponse) => {
    refuse(res, "http_request_error", 417, "the only expectation known here is 100-continue");
  });
  server.on("connect", (_req, socket: Duplex) => {
    refuseSocket(socket, "http_request_error", 405, "this is no tunnel: CONNECT is not served");
  });
  server.on("clientError", refuseBroken);
  return server;
}

/** Those that can change while the server runs. */
export function applyLimits(server: Server, desk: DataDesk, limits: Limits): void {
  server.headersTimeout = limits.headTimeoutMs;
  server.keepAliveTimeout = limits.idleTimeoutMs;
  // The kernel spreads connections over the threads by chance: each takes its share and a little more.
  server.maxConnections = Math.ceil((limits.connections / desk.setup.threads) * 1.1);
}

/** Takes a request in, or refuses it. `proceed` tells a client that waits for it to send its body. */
function take(desk: DataDesk, req: IncomingMessage, res: ServerResponse, proceed = (): void => {}): void {
  noteAnswering(req, res);
  const limit = Math.ceil(desk.snapshot.compiled.ruleset.limits.inFlight / desk.setup.threads);
  if (desk.inFlight >= limit) {
    refuse(res, "connection_limit_reached");
    return;
  }
  const head: RequestHead = {
    method: req.method as string,
    target: req.url as string,
    version: req.httpVersion,
    rawHeaders: req.rawHeaders,
  };
  const admission = admit(head);
  if (admission.kind === "refused") {
    refuse(res, "http_request_error", admission.status, admission.why);
    return;
  }
  if (maxForwards(head) === 0) {
    answerAsLast(req, res);
    return;
  }
  proceed();
  serve(desk, req, res, admission).catch((error: unknown) => {
    // A bug of ours in one request must not take the others with it, and must be heard of.
    process.emitWarning(error instanceof Error ? error : new Error(String(error)));
    if (!res.headersSent) refuse(res, "proxy_internal_error");
    else res.destroy();
  });
}

/** Max-Forwards is used up: this gateway is whom the client asks. It reflects nothing: fields may be secret. */
function answerAsLast(req: IncomingMessage, res: ServerResponse): void {
  if (req.method === "TRACE") {
    refuse(res, "http_request_denied", 405, "TRACE is not answered by the gateway itself");
    return;
  }
  res.writeHead(204, ["allow", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"]);
  res.end();
}
