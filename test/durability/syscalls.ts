/** Kills a process at each of its system calls that change the store's files: strace delivers the signal. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { StateDatabase } from "../../src/control/store/database.ts";
import { auditEntry, latchRecord, withoutSeals } from "../control/store-fixtures.ts";
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

/** What the process finds, and how many of the writes it does then. */
interface Course {
  readonly start: string;
  readonly prepare: (folder: string) => void;
  readonly writes: number;
}

const COURSES: readonly Course[] = [
  { start: "a new folder", prepare: () => {}, writes: writes().length },
  { start: "a folder of schema 4", prepare: fillAsSchema4, writes: 3 },
];

export interface SyscallsReport {
  readonly start: string;
  /** Kills before the first call, the second … up to the last one. */
  readonly kills: number;
  readonly writes: number;
}

/** Throws where what is found afterwards is neither what was acknowledged last nor what was under way. */
export async function killAtEverySyscall(
  step: number,
  say: (text: string) => void,
): Promise<readonly SyscallsReport[]> {
  const reports: SyscallsReport[] = [];
  for (const course of COURSES) reports.push(await killThrough(course, step, say));
  return reports;
}

async function killThrough(
  course: Course,
  step: number,
  say: (text: string) => void,
): Promise<SyscallsReport> {
  const { start, writes } = course;
  const expected = pictures(course);
  let kills = 0;
  for (let nth = 1; ; nth += step) {
    const folder = mkdtempSync(join(tmpdir(), "cutover-syscall-"));
    try {
      course.prepare(folder);
      const { done, isKilled } = await run(folder, nth, writes);
      check(folder, nth, done, expected);
      if (!isKilled) return { start, kills, writes };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    kills += 1;
    if (kills % 50 === 0) say(`${kills} kills at system calls on ${start}`);
  }
}

/** How everything stands after none of the writes, after the first, and so on. */
function pictures({ prepare, writes: count }: Course): string[] {
  const folder = mkdtempSync(join(tmpdir(), "cutover-syscall-"));
  prepare(folder);
  const database = new StateDatabase(folder);
  const found = [everything(database)];
  for (const write of writes().slice(0, count)) {
    write(database);
    found.push(everything(database));
  }
  database.close();
  rmSync(folder, { recursive: true, force: true });
  return found;
}

/** As the version before the seals left it: it is taken over when it is opened. */
function fillAsSchema4(folder: string): void {
  const database = new StateDatabase(folder);
  for (const write of writes()) write(database);
  database.latch(latchRecord("kept"), auditEntry("kept"));
  const latches = database.latches();
  database.close();
  const file = new DatabaseSync(join(folder, "state.db"));
  withoutSeals(file, latches);
  file.close();
}

async function run(
  folder: string,
  nth: number,
  count: number,
): Promise<{ readonly done: number; readonly isKilled: boolean }> {
  const paths = FILES.flatMap((name) => ["-P", join(folder, name)]);
  const inject = `inject=${CALLS}:signal=KILL:when=${nth}`;
  const args = ["-f", "-qq", "-e", `trace=${CALLS}`, "-e", inject, ...paths, "-o", "/dev/null"];
  const child = spawn(TRACER, [...args, process.execPath, PROGRAM, folder, String(count)], {
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
