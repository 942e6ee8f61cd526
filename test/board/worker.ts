/** One thread of threads.ts. */

import { parentPort, workerData } from "node:worker_threads";
import { EventRing } from "../../src/board/event-ring.ts";
import { Recorder } from "../../src/board/recorder.ts";
import { Tile } from "../../src/board/tile.ts";
import type { Job } from "./threads.ts";

const job = workerData as Job;

const TASKS: Readonly<Record<Job["task"], (job: Job) => unknown>> = {
  /** Traces of one digit each, with a duration that says which. */
  exemplars: ({ buffer, times }) => {
    const { exemplars } = new Recorder(new Tile(buffer), 0);
    const traces = Array.from("0123456789abcdef", (digit) => digit.repeat(32));
    for (let i = 0; i < times; i += 1) exemplars.note(0, (i % 16) + 1, traces[i % 16] ?? "", i * 1_000);
    return times;
  },
  /** How many calls say that they were the one that latched. */
  kill: ({ buffer, times }) => {
    const tile = new Tile(buffer);
    let latched = 0;
    for (let i = 0; i < times; i += 1) if (tile.addToKillStreak(0)) latched += 1;
    return latched;
  },
  /** How many lessons were got. */
  lesson: ({ buffer, times }) => {
    const tile = new Tile(buffer);
    let got = 0;
    for (let i = 0; i < times; i += 1) if (tile.takeNoiseLesson()) got += 1;
    return got;
  },
  /** How many of this second's places were got. */
  rate: ({ buffer, times }) => {
    const tile = new Tile(buffer);
    let got = 0;
    for (let i = 0; i < times; i += 1) if (tile.takeRate(100, 1_800_000_000)) got += 1;
    return got;
  },
  /** The running numbers that this thread got. */
  sequence: ({ buffer, times }) => {
    const tile = new Tile(buffer);
    return Array.from({ length: times }, () => tile.nextShadowSequence());
  },
  record: ({ buffer, times, thread }) => {
    const recorder = new Recorder(new Tile(buffer), thread);
    for (let i = 0; i < times; i += 1) {
      recorder.leg(i % 2 === 0 ? "new" : "old", i % 4 === 0 ? "error" : "well", false, 1000);
      recorder.request("old", 8, 1, 2000);
    }
    return times;
  },
  push: ({ buffer, times }) => {
    const ring = new EventRing(buffer);
    for (let i = 0; i < times; i += 1) {
      ring.push({ slot: i, kind: "error", side: "new", rhoPpm: i, unit: null });
    }
    return times;
  },
};

const gate = new Int32Array(job.gate);
Atomics.add(gate, 0, 1);
while (Atomics.load(gate, 0) < job.threads); // not asleep: all are to start in the same instant
parentPort?.postMessage(TASKS[job.task](job));
