/** A thread that plays simulations: see crew.ts. */

import { parentPort } from "node:worker_threads";
import { playOne, type Source } from "./bootstrap.ts";
import type { Order } from "./crew.ts";

let source: Source | null = null;

parentPort?.on("message", (order: Order) => {
  if (order.kind === "source") source = order.source;
  else if (source !== null) parentPort?.postMessage(playOne(source, order.job, order.run));
});
