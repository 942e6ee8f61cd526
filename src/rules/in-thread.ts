/** Loads rules on a thread of its own, so that neither YAML nor a million keys hold up the control thread. */

import { Worker } from "node:worker_threads";
import type { LoadOptions, LoadResult } from "./load.ts";
import { fileProblem } from "./problem.ts";

const THREAD_URL = new URL(
  import.meta.url.endsWith(".ts") ? "./loader-thread.ts" : "./loader-thread.js",
  import.meta.url,
);
const NURSERY_MB = 4;

export interface Errand {
  readonly paths: readonly string[];
  readonly options: LoadOptions;
}

/** What loadRules would return. A thread that dies (out of memory, say) is a problem like any other. */
export function loadRulesInThread(paths: readonly string[], options: LoadOptions): Promise<LoadResult> {
  const errand: Errand = { paths: [...paths], options: { ...options, env: { ...options.env } } };
  return new Promise((resolve) => {
    // Flags of this process (--input-type, --test …) are not for the thread.
    const thread = new Worker(THREAD_URL, {
      workerData: errand,
      execArgv: [],
      // A million lines are a million short-lived strings: a small nursery is swept often instead of growing.
      resourceLimits: { maxYoungGenerationSizeMb: NURSERY_MB },
    });
    let result: LoadResult | undefined;
    let failure = "it ended without a result";
    thread.on("message", (message: LoadResult) => {
      result = message;
    });
    thread.on("error", (error: unknown) => {
      failure = error instanceof Error ? error.message : String(error);
    });
    // Only the end of the thread is the end of the errand: no thread outlives its promise.
    thread.on("exit", () => resolve(result ?? died(paths, failure)));
  });
}

function died(paths: readonly string[], failure: string): LoadResult {
  const problem = fileProblem(paths[0] ?? ".", `the thread that reads the rules failed: ${failure}`);
  return { ok: false, problems: [problem], watched: [...paths] };
}
