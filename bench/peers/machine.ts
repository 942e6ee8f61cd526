/** What a reader must know of the machine and of the gateway's own version. */

import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";

/** Lines for the report. `cores`: how the work was spread over them. */
export function machineFacts(cores: string): readonly string[] {
  const [first, ...others] = cpus();
  return [
    `${others.length + 1} × ${first?.model.trim() ?? "unknown processor"}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}; ${cores}`,
    `load average when it began: ${loadavg()
      .map((load) => load.toFixed(2))
      .join(", ")}`,
  ];
}

/** "1a2b3c4, changed" or "unknown". */
export function revision(checkout: string): string {
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", checkout, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    const isChanged = git("status", "--porcelain", "--", "src", "bin") !== "";
    return git("rev-parse", "--short", "HEAD") + (isChanged ? ", changed" : "");
  } catch {
    return "unknown"; // a package, not a checkout
  }
}
