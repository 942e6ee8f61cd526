/** The HTTP server of one data thread: its limits towards clients, and its orderly end. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Limits } from "../model/ruleset.ts";
import { refuse } from "./answer.ts";
import { serve } from "./corridor.ts";
import type { DataDesk } from "./desk.ts";

/** How often slow heads are looked for; the default of 30 s would triple a limit of 10. */
const CHECKING_INTERVAL_MS = 1_000;

export function createProxyServer(desk: DataDesk): Server {
  const { limits } = desk.snapshot.compiled.ruleset;
  const server = createServer({
    maxHeaderSize: limits.requestHeadBytes,
    connectionsCheckingInterval: CHECKING_INTERVAL_MS,
    requestTimeout: 0, // a long upload is no fault
    noDelay: true,
  });
  applyLimits(server, desk, limits);
  server.on("request", (req, res) => admit(desk, req, res));
  server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => {
    res.writeContinue();
    admit(desk, req, res);
  });
  return server;
}

/** Those that can change while the server runs. */
export function applyLimits(server: Server, desk: DataDesk, limits: Limits): void {
  server.headersTimeout = limits.headTimeoutMs;
  server.keepAliveTimeout = limits.idleTimeoutMs;
  // The kernel spreads connections over the threads by chance: each takes its share and a little more.
  server.maxConnections = Math.ceil((limits.connections / desk.setup.threads) * 1.1);
}

function admit(desk: DataDesk, req: IncomingMessage, res: ServerResponse): void {
  const limit = Math.ceil(desk.snapshot.compiled.ruleset.limits.inFlight / desk.setup.threads);
  if (desk.inFlight >= limit) {
    refuse(res, "connection_limit_reached");
    return;
  }
  serve(desk, req, res).catch((error: unknown) => {
    // A bug of ours in one request must not take the others with it, and must be heard of.
    process.emitWarning(error instanceof Error ? error : new Error(String(error)));
    if (!res.headersSent) refuse(res, "proxy_internal_error");
    else res.destroy();
  });
}
