/** Runs a job on several threads at once, for what only real threads can show. */

import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** What one thread is asked to do, by name, as functions do not travel. */
export interface Job {
  readonly task: "exemplars" | "kill" | "lesson" | "rate" | "record" | "sequence" | "push";
  readonly buffer: SharedArrayBuffer;
  readonly times: number;
  /** Threads wait here for each other, so that they meet. */
  readonly gate: SharedArrayBuffer;
  readonly threads: number;
  readonly thread: number;
}

/** Resolves with what each thread posted, in the threads' order. */
export async function onThreads<T>(
  threads: number,
  task: Job["task"],
  buffer: SharedArrayBuffer,
  times: number,
): Promise<T[]> {
  const gate = new SharedArrayBuffer(4);
  const workers = Array.from({ length: threads }, (_, thread) => {
    const workerData: Job = { task, buffer, times, gate, threads, thread };
    return new Worker(new URL("./worker.ts", import.meta.url), { workerData });
  });
  return Promise.all(
    workers.map(async (worker) => {
      const exited = once(worker, "exit");
      const [answer] = (await once(worker, "message")) as [T];
      await exited;
      return answer;
    }),
  );
}
