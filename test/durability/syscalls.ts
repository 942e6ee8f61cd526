/** Kills a process at each of its system calls that change the store's files: strace delivers the signal. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { StateDatabase } from "../../src/control/store/database.ts";
import { everything, writes } from "./writes.ts";

/** Linux has it in a package of this name. */
const TRACER = "strace";
const PROGRAM = fileURLToPath(new URL("./writes.ts", import.meta.url));
/** Those that SQLite uses; a missing file is no reason to stop. */
const CALLS = "pwrite64,write,ftruncate,fdatasync,fsync,rename,unlink";
const FILES = [
  "state.db",
  "state.db-wal",
  "state.db-shm",
  "state.db.draft",
  "state.db.draft-wal",
  "store.made",
];

export interface SyscallsReport {
  /** Kills before the first call, the second … up to the last one. */
  readonly kills: number;
  readonly writes: number;
}

/** Throws where what is found afterwards is neither what was acknowledged last nor what was under way. */
export async function killAtEverySyscall(step: number, say: (text: string) => void): Promise<SyscallsReport> {
  const expected = pictures();
  let kills = 0;
  for (let nth = 1; ; nth += step) {
    const folder = mkdtempSync(join(tmpdir(), "cutover-syscall-"));
    try {
      const { done, isKilled } = await run(folder, nth);
      check(folder, nth, done, expected);
      if (!isKilled) return { kills, writes: expected.length - 1 };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    kills += 1;
    if (kills % 50 === 0) say(`${kills} kills at system calls`);
  }
}

/** How everything stands after none of the writes, after the first, and so on. */
function pictures(): string[] {
  const folder = mkdtempSync(join(tmpdir(), "cutover-syscall-"));
  const database = new StateDatabase(folder);
  const found = [everything(database)];
  for (const write of writes()) {
    write(database);
    found.push(everything(database));
  }
  database.close();
  rmSync(folder, { recursive: true, force: true });
  return found;
}

async function run(
  folder: string,
  nth: number,
): Promise<{ readonly done: number; readonly isKilled: boolean }> {
  const paths = FILES.flatMap((name) => ["-P", join(folder, name)]);
  const inject = `inject=${CALLS}:signal=KILL:when=${nth}`;
  const args = ["-f", "-qq", "-e", `trace=${CALLS}`, "-e", inject, ...paths, "-o", "/dev/null"];
  const child = spawn(TRACER, [...args, process.execPath, PROGRAM, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let done = 0;
  child.stdout.on("data", (bytes: Buffer) => {
    done += bytes.length;
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  const isKilled = signal === "SIGKILL" || code === 137;
  if (!isKilled && code !== 0) throw new Error(`the writer ended with ${code ?? signal}`);
  return { done, isKilled };
}

function check(folder: string, nth: number, done: number, expected: readonly string[]): void {
  const database = new StateDatabase(folder);
  try {
    const { health } = database;
    if ("why" in health) throw new Error(`call ${nth}: the store is ${health.kind}: ${health.why}`);
    const found = everything(database);
    if (found === expected[done] || found === expected[done + 1]) return;
    const at = expected.indexOf(found);
    throw new Error(`call ${nth}: ${done} writes were acknowledged, what is there is as after ${at}`);
  } finally {
    database.close();
  }
}
