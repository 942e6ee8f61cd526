/** Which cores the proxy has, and which load and backends. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Cores {
  /** Of a proxy; null: this machine does not let us choose. */
  readonly proxy: readonly number[] | null;
  /** Of load and backends. */
  readonly rest: readonly number[] | null;
  /** Of a gateway with two threads; null: too few cores to say anything of throughput. */
  readonly pair: readonly number[] | null;
  readonly remark: string;
}

/** One core for the proxy and all but its siblings for load and backends, as this process may use them. */
export function chooseCores(): Cores {
  const allowed = allowedCores();
  const [first, second] = allowed;
  if (first === undefined || second === undefined || !hasTaskset()) {
    return { proxy: null, rest: null, pair: null, remark: "NOT pinned: one core, or no taskset" };
  }
  const siblings = siblingsOf(first);
  const apart = allowed.filter((core) => core !== first && !siblings.includes(core));
  const rest = apart.length > 0 ? apart : [second];
  const [partner, ...others] = rest;
  const remark = `proxy on core ${first}, load and backends on ${rest.join(", ")}`;
  return {
    proxy: [first],
    rest,
    pair: partner !== undefined && others.length >= 2 ? [first, partner] : null,
    remark: apart.length > 0 ? remark : `${remark}, which is the same core's other thread`,
  };
}

function allowedCores(): readonly number[] {
  try {
    const status = readFileSync("/proc/self/status", "latin1");
    return listed(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "");
  } catch {
    return []; // not Linux: nothing to choose from
  }
}

function siblingsOf(core: number): readonly number[] {
  try {
    const path = `/sys/devices/system/cpu/cpu${core}/topology/thread_siblings_list`;
    return listed(readFileSync(path, "latin1").trim());
  } catch {
    return []; // some containers hide it
  }
}

/** "0-2,5" → 0, 1, 2, 5. */
export function listed(text: string): readonly number[] {
  return text.split(",").flatMap((part) => {
    const [from, to = from] = part.split("-").map(Number);
    if (from === undefined || to === undefined || part === "" || Number.isNaN(from + to)) return [];
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  });
}

function hasTaskset(): boolean {
  try {
    execFileSync("taskset", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
