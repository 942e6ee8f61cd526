/** The command line in a process of its own, as a user's shell runs it. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { COMMAND } from "./gateway.ts";

export interface Ended {
  /** Null: ended by a signal, which here means that it hung. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const LONGEST_MS = 60_000;

/** Runs `cutover` with these arguments to its end. */
export async function cutover(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LONGEST_MS,
    killSignal: "SIGKILL",
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}
