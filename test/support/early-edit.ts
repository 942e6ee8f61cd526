/**
 * Preloaded into a gateway (`NODE_OPTIONS=--import=…`): when the first data thread is started, which is after
 * the rules were read, writes CUTOVER_TEST_EDIT_TO over the rules file CUTOVER_TEST_EDIT.
 */

import { writeFileSync } from "node:fs";
import { isMainThread, type Worker } from "node:worker_threads";

const { CUTOVER_TEST_EDIT: file, CUTOVER_TEST_EDIT_TO: text } = process.env;

if (isMainThread && file !== undefined && text !== undefined) {
  process.on("worker", (worker: Worker) => {
    if (worker.threadName === "data-0") writeFileSync(file, text);
  });
}
