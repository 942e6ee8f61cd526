/** A process of the rig, on the cores that it was given, which never outlives the rig. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";

const STOP_MS = 5_000;
/** What is kept of a process's complaints. */
const MAX_TAIL_CHARS = 4_000;

const alive = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Null: anywhere. */
  readonly cores: readonly number[] | null;
  /** A file that its standard output is added to; absent: kept as complaints are. */
  readonly stdoutTo?: string;
}

export class Child implements AsyncDisposable {
  readonly #child: ChildProcess;
  #tail = "";
  #failure: string | null = null;

  constructor({ command, args, env, cores, stdoutTo }: ChildOptions) {
    const [program = command, ...rest] = [...wrapping(), ...pinning(cores), command, ...args];
    const log = stdoutTo === undefined ? null : openSync(stdoutTo, "a");
    const child = spawn(program, rest, {
      env: { ...process.env, ...env },
      stdio: ["ignore", log ?? "pipe", "pipe"],
    });
    if (log !== null) closeSync(log);
    alive.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#tail = (this.#tail + text).slice(-MAX_TAIL_CHARS);
      });
    }
    child.on("error", (error) => {
      alive.delete(child);
      this.#failure = String(error);
    });
    child.on("exit", (code, signal) => {
      alive.delete(child);
      this.#failure ??= `it ended with ${signal ?? code}`;
    });
    this.#child = child;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(this.complaint ?? "it did not start");
    return this.#child.pid;
  }

  /** Why it is no longer there, with what it said last; null: it runs. */
  get complaint(): string | null {
    if (this.#failure === null) return null;
    return `${this.#failure}${this.said === "" ? "" : `, and said:\n${this.said}`}`;
  }

  /** The end of what it wrote on standard error. */
  get said(): string {
    return this.#tail.trim();
  }

  /** Asks it to end, and makes it if it does not. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#failure !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const killing = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    await exit;
    clearTimeout(killing);
  }
}

/** Should the rig be killed itself, its processes go with it. */
function wrapping(): readonly string[] {
  return hasSetpriv() ? ["setpriv", "--pdeathsig", "KILL"] : [];
}

function pinning(cores: readonly number[] | null): readonly string[] {
  return cores === null ? [] : ["taskset", "-c", cores.join(",")];
}

let setpriv: boolean | null = null;
function hasSetpriv(): boolean {
  if (setpriv === null) {
    try {
      execFileSync("setpriv", ["--pdeathsig", "KILL", "true"], { stdio: "ignore" });
      setpriv = true;
    } catch {
      setpriv = false; // no util-linux: an end by SIGKILL leaves processes behind
    }
  }
  return setpriv;
}
