/**
 * Preloaded into a gateway (`NODE_OPTIONS=--import=…`): says on stderr which packages of OpenTelemetry each thread
 * loads, a line each: `loaded <thread> <package>`. Of its API, which prom-client loads by itself, nothing is said.
 */

import { writeSync } from "node:fs";
import { registerHooks } from "node:module";
import { isMainThread, threadName } from "node:worker_threads";

const said = new Set<string>();

registerHooks({
  load(url, context, nextLoad) {
    const name = /node_modules\/(@opentelemetry\/(?!api\/)[^/]+)\//.exec(url)?.[1];
    if (name !== undefined && !said.has(name)) {
      said.add(name);
      writeSync(2, `loaded ${isMainThread ? "main" : threadName} ${name}\n`);
    }
    return nextLoad(url, context);
  },
});
