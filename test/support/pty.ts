/** A program on a pseudo terminal of a given size, through `script` of util-linux. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Screen } from "./screen.ts";

/** Of util-linux: those of macOS and BSD take no command. */
const SCRIPT = "script";

export interface Pty {
  readonly screen: Screen;
  /** All that was written, with every escape sequence. */
  raw(): string;
  /** Makes the terminal another size, which its program is told. What is in sight is not wrapped again. */
  resize(columns: number, rows: number): void;
  /** Types, as a person would: "\x03" is Ctrl-C. */
  type(text: string): void;
  /** Resolves with the exit code. */
  ended(): Promise<number | null>;
  kill(): void;
}

/** Whether this machine has a `script` that takes a command. */
export function hasPty(): boolean {
  const { status, stdout } = spawnSync(SCRIPT, ["--version"], { encoding: "utf8" });
  return status === 0 && stdout.includes("util-linux");
}

/** Starts a program on a terminal of its own. `env` is added to the environment; null takes a name out. */
export function onPty(
  words: readonly string[],
  size: { readonly columns: number; readonly rows: number },
  env: Readonly<Record<string, string | null>> = {},
): Pty {
  const { columns, rows } = size;
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const folder = mkdtempSync(join(tmpdir(), "cutover-pty-"));
  const ttyFile = join(folder, "tty");
  const command = `tty > ${ttyFile}; stty rows ${rows} cols ${columns} -echo; exec ${quoted}`;
  const environment: Record<string, string | undefined> = { ...process.env, TERM: "xterm-256color" };
  for (const [name, value] of Object.entries(env)) environment[name] = value ?? undefined;
  const child: ChildProcess = spawn(SCRIPT, ["-qefc", command, "/dev/null"], {
    env: environment,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const screen = new Screen(columns, rows);
  let raw = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    raw += text;
    screen.write(text);
  });
  const exit = once(child, "close").then(([code]) => {
    rmSync(folder, { recursive: true, force: true });
    return code as number | null;
  });
  return {
    screen,
    raw: () => raw,
    resize(newColumns, newRows) {
      const tty = readFileSync(ttyFile, "utf8").trim();
      screen.resize(newColumns, newRows);
      spawnSync("stty", ["-F", tty, "rows", String(newRows), "cols", String(newColumns)]);
    },
    type: (text) => void child.stdin?.write(text),
    ended: () => exit,
    kill: () => void child.kill("SIGKILL"),
  };
}
