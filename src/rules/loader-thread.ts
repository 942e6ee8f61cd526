/** The thread's side of in-thread.ts: loads once, posts the result, ends. */

import { parentPort, workerData } from "node:worker_threads";
import { giveWay } from "../give-way.ts";
import type { Errand } from "./in-thread.ts";
import { loadRules } from "./load.ts";

giveWay();
const { paths, options } = workerData as Errand;
parentPort?.postMessage(await loadRules(paths, options));
