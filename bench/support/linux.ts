/** What Linux says of a process: its processor time, its memory, and where it may run. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Processor time of all threads that are alive, in milliseconds, to the nanosecond. */
export function cpuMs(pid: number): number {
  let ns = 0;
  for (const text of ofThreads(pid, "schedstat")) ns += Number(text.split(" ")[0]);
  return ns / 1e6;
}

/** The same of the threads whose name begins so; null: of the main thread. */
export function cpuMsOfThread(pid: number, name: string | null): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${thread}`;
    const isMeant =
      name === null
        ? thread === String(pid)
        : thread !== String(pid) && readFileSync(`${folder}/comm`, "latin1").startsWith(name);
    if (isMeant) ns += Number(readFileSync(`${folder}/schedstat`, "latin1").split(" ")[0]);
  }
  return ns / 1e6;
}

/** How long the threads of a process stood in line for a core, the longest of them, in milliseconds. */
export function waitedForCoreMs(pid: number): number {
  const waits = ofThreads(pid, "schedstat").map((text) => Number(text.split(" ")[1]) / 1e6);
  return Math.max(...waits);
}

export function rssMiB(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]);
  return (pages * 4096) / 2 ** 20;
}

/** The most that a process ever had in memory, in MiB; NaN: it has ended. */
export function peakRssMiB(pid: number): number {
  try {
    const kib = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return Number(kib ?? Number.NaN) / 1024;
  } catch {
    return Number.NaN; // it has ended
  }
}

/** Keeps all threads of a process on one core; false: this machine has no taskset, or too few cores. */
export function pin(pid: number, core: number): boolean {
  if (core >= availableParallelism()) return false;
  try {
    execFileSync("taskset", ["-a", "-p", "-c", String(core), String(pid)], { stdio: "ignore" });
    return true;
  } catch {
    return false; // not Linux, or not allowed: the figures are noisier, and the caller says so
  }
}

function ofThreads(pid: number, file: string): string[] {
  const texts = [];
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      texts.push(readFileSync(`/proc/${pid}/task/${thread}/${file}`, "latin1"));
    } catch {
      // The thread has ended since the folder was read.
    }
  }
  return texts;
}
