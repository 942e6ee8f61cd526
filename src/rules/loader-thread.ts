/** The thread's side of in-thread.ts: loads once, posts the result, ends. */

import { parentPort, workerData } from "node:worker_threads";
import type { Errand } from "./in-thread.ts";
import { loadRules } from "./load.ts";

const { paths, options } = workerData as Errand;
parentPort?.postMessage(await loadRules(paths, options));
