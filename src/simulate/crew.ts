/** Who plays the many simulations: this thread, or several of their own. Either way the answers are the same. */

import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { entryUrl } from "../workers/entry.ts";
import { type Ended, type Job, playOne, type Source } from "./bootstrap.ts";

/** Told when a simulation has ended. */
export type Tick = () => void;

export interface Crew extends AsyncDisposable {
  /** Plays runs 1 to `runs`; their ends in that order. */
  play(source: Source, job: Job, runs: number, tick: Tick): Promise<readonly Ended[]>;
}

/** Everything in this thread, others getting their turn in between. */
export function soloCrew(): Crew {
  return {
    async play(source, job, runs, tick) {
      const ends: Ended[] = [];
      for (let run = 1; run <= runs; run++) {
        ends.push(playOne(source, job, run));
        tick();
        await setImmediate();
      }
      return ends;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** From the main thread: what to simulate with from now on, or one simulation. */
export type Order =
  | { readonly kind: "source"; readonly source: Source }
  | { readonly kind: "run"; readonly job: Job; readonly run: number };

/** So many threads, which pull one run after the other. Dispose of it: they keep the process. */
export function threadedCrew(threads: number): Crew {
  const workers = Array.from({ length: threads }, () => new Worker(entryUrl("simulate/thread")));
  return {
    async play(source, job, runs, tick) {
      const ends = new Array<Ended | undefined>(runs);
      let next = 1;
      const work = async (worker: Worker): Promise<void> => {
        worker.postMessage({ kind: "source", source } satisfies Order);
        while (next <= runs) {
          const run = next++;
          ends[run - 1] = await ask(worker, { kind: "run", job, run });
          tick();
        }
      };
      await Promise.all(workers.map(work));
      return ends.filter((end) => end !== undefined);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

function ask(worker: Worker, order: Order): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const ended = (code: number): void => reject(new Error(`a simulation thread ended with ${code}`));
  worker.once("message", resolve);
  worker.once("error", reject);
  worker.once("exit", ended);
  worker.postMessage(order);
  return promise.finally(() => {
    worker.off("message", resolve);
    worker.off("error", reject);
    worker.off("exit", ended);
  });
}
