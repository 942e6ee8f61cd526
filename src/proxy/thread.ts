/** A data-plane thread: serves, applies rules that it is sent, drains. Started by gateway.ts. */

import { setTimeout as sleep } from "node:timers/promises";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { askAgain } from "./confirm.ts";
import { DataDesk } from "./desk.ts";
import type { FromDataThread, ThreadSetup, ToDataThread } from "./messages.ts";
import { applyLimits, createProxyServer } from "./server.ts";

const control = parentPort as MessagePort;
const setup = workerData as ThreadSetup;
const desk = new DataDesk(setup);
const server = createProxyServer(desk);

const IDLE_SWEEP_MS = 50;
/** Tunnels are closed so long before the limit of a drain: their last bytes and log lines need a moment. */
const TUNNELS_MARGIN_MS = 1_000;
/** And what is still in flight so long before it: that it was cut off has to be logged. */
const CUT_MARGIN_MS = 250;

function tell(message: FromDataThread): void {
  control.postMessage(message);
}

desk.tickets.onUnconfirmed = (id, why) => tell({ kind: "unconfirmed", id, why });
desk.tickets.onDue = async (ticket, repeatable) => {
  const why = await askAgain(desk, ticket, repeatable);
  if (why !== null) desk.tickets.onUnconfirmed(ticket.id, why);
};

control.on("message", (message: ToDataThread) => {
  switch (message.kind) {
    case "rules":
      desk.apply(message);
      applyLimits(server, desk, message.ruleset.limits);
      tell({ kind: "applied", version: message.ruleset.version });
      break;
    case "pins":
      desk.pins.take(message.changes);
      tell({ kind: "pinned", id: message.id });
      break;
    case "compare-port":
      desk.comparePort?.close();
      desk.comparePort = message.port;
      // Its comparison thread has ended: what is sent there before the next one is connected would be lost uncounted.
      message.port.on("close", () => {
        if (desk.comparePort === message.port) desk.comparePort = null;
      });
      message.port.unref();
      break;
    case "trace-port":
      desk.spans?.connect(message.port, message.waiting);
      break;
    case "confirm":
      desk.tickets.confirm(message.id);
      break;
    case "drain":
      desk.draining = true;
      break;
    case "close":
      close(message.limitMs);
      break;
  }
});

/** A connection that falls idle after its last answer is closed too: it would hold the server open. */
function close(limitMs: number): void {
  desk.tickets.close();
  setTimeout(() => desk.tunnels.endAll("drain"), Math.max(0, limitMs - TUNNELS_MARGIN_MS)).unref();
  setTimeout(
    () => {
      desk.cutOff = desk.inFlight;
      server.closeAllConnections();
    },
    Math.max(0, limitMs - CUT_MARGIN_MS),
  ).unref();
  const sweeper = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
  server.close(async () => {
    clearInterval(sweeper);
    // Those that were cut off have still to be written down.
    while (desk.inFlight > 0) await sleep(IDLE_SWEEP_MS / 10);
    await desk.tunnels.allClosed(); // their backends may close a moment later than their clients
    desk.spans?.flush();
    tell({ kind: "drained", cutOff: desk.cutOff ?? 0 });
  });
}

server.on("error", (error: NodeJS.ErrnoException) => {
  tell({ kind: "cannot-listen", code: error.code ?? "unknown", message: error.message });
});
server.listen({ host: setup.host, port: setup.port, reusePort: setup.threads > 1 }, () => {
  const address = server.address();
  tell({ kind: "listening", port: typeof address === "object" && address !== null ? address.port : 0 });
});
