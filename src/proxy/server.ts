/** The HTTP server of one data thread: what it takes in, what it refuses, and its limits towards clients. */

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { admit, maxForwards, type RequestHead } from "../model/admission.ts";
import type { Limits } from "../model/ruleset.ts";
import { createServer } from "../node-http.ts";
import { refuseBroken, refuseInOrder } from "./broken-request.ts";
import { ClientConnection, connectionOf } from "./client-connection.ts";
import { type Arrival, clientLeft, serve } from "./corridor.ts";
import type { DataDesk } from "./desk.ts";
import type { Exchange } from "./exchange.ts";
import { watchHalfClose } from "./half-close.ts";
import { watchIdle } from "./idle.ts";
import { refuseRequest } from "./refusals.ts";
import { inTurn } from "./turns.ts";
import { mayUpgrade, UpgradeResponse } from "./upgrade.ts";

/** How often slow heads are looked for; the default of 30 s would triple a limit of 10. */
const CHECKING_INTERVAL_MS = 1_000;

/** Envoy's limit is 100. */
const MAX_FIELDS = 128;

export function createProxyServer(desk: DataDesk): Server {
  const { limits } = desk.snapshot.compiled.ruleset;
  const server = createServer({
    maxHeaderSize: limits.requestHeadBytes,
    connectionsCheckingInterval: CHECKING_INTERVAL_MS,
    requestTimeout: 0, // a long upload is no fault
    noDelay: true,
    requireHostHeader: false, // admission says so itself, and more
    optimizeEmptyRequests: true, // a request without a body is not read as a stream of none
    shouldUpgradeCallback: (req) => mayUpgrade(desk, req),
  });
  // One more than is allowed: beyond it node:http drops fields, so a bomb of them costs no memory, and is seen.
  server.maxHeadersCount = MAX_FIELDS + 1;
  applyLimits(server, desk, limits);
  // Not among its types. By default node:http throws the answer to a half-closed client away.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on("connection", (socket) => {
    const connection = new ClientConnection(socket, clientLeft);
    watchHalfClose(socket, connection);
    const onIdle = (): void => connection.rest();
    watchIdle(server, socket, { deadlines: desk.deadlines, checkingMs: CHECKING_INTERVAL_MS, onIdle });
  });
  server.on("request", (req, res) => take(desk, req, res));
  server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => {
    take(desk, req, res, () => res.writeContinue());
  });
  server.on("checkExpectation", (req: IncomingMessage, res: ServerResponse) => {
    inTurn(arrivalOf(desk, req, res), refuseExpectation);
  });
  server.on("upgrade", (req, socket, head: Buffer) => {
    take(desk, req, new UpgradeResponse(desk, req, socket as Socket, head));
  });
  server.on("connect", (_req, socket: Duplex) => {
    refuseInOrder(desk, socket, 405, "this is no tunnel: CONNECT is not served");
  });
  server.on("clientError", (error, socket) => refuseBroken(desk, error, socket));
  return server;
}

/** Those that can change while the server runs. */
export function applyLimits(server: Server, desk: DataDesk, limits: Limits): void {
  // Of connections from now on: a parser is made with its limit. Not among its types, but read at each connection.
  Object.assign(server, { maxHeaderSize: limits.requestHeadBytes });
  server.headersTimeout = limits.headTimeoutMs;
  server.keepAliveTimeout = limits.idleTimeoutMs;
  // The kernel spreads connections over the threads by chance: each takes its share and a little more.
  server.maxConnections = Math.ceil((limits.connections / desk.setup.threads) * 1.1);
}

/** Takes a request in when its turn has come. `proceed` tells a client that waits for it to send its body. */
function take(desk: DataDesk, req: IncomingMessage, res: ServerResponse, proceed = doNothing): void {
  inTurn(arrivalOf(desk, req, res, proceed), begin);
}

const doNothing = (): void => {};

function arrivalOf(desk: DataDesk, req: IncomingMessage, res: ServerResponse, proceed = doNothing): Arrival {
  const connection = connectionOf(req.socket) as ClientConnection<Exchange>; // made before anything is read from it
  return { desk, req, res, connection, proceed };
}

function refuseExpectation({ desk, req, res }: Arrival): void {
  const detail = "the only expectation known here is 100-continue";
  refuseRequest(desk, req, res, { failure: "http_request_error", status: 417, detail });
}

/** Begins to serve a request, or refuses it. */
function begin(arrival: Arrival): void {
  const { desk, req, res } = arrival;
  if (desk.inFlight >= desk.inFlightLimit) {
    refuseRequest(desk, req, res, { failure: "connection_limit_reached" });
    return;
  }
  if (req.rawHeaders.length > 2 * MAX_FIELDS) {
    const detail = `a request has at most ${MAX_FIELDS} fields`;
    refuseRequest(desk, req, res, { failure: "http_request_error", status: 431, detail });
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
    const { status, why } = admission;
    refuseRequest(desk, req, res, { failure: "http_request_error", status, detail: why });
    return;
  }
  if (maxForwards(head) === 0) {
    answerAsLast(desk, req, res);
    return;
  }
  void serve(arrival, admission); // never rejects
}

/** Max-Forwards is used up: this gateway is whom the client asks. It reflects nothing: fields may be secret. */
function answerAsLast(desk: DataDesk, req: IncomingMessage, res: ServerResponse): void {
  if (req.method === "TRACE") {
    const detail = "TRACE is not answered by the gateway itself";
    refuseRequest(desk, req, res, { failure: "http_request_denied", status: 405, detail });
    return;
  }
  res.writeHead(204, ["allow", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"]);
  res.end();
}
