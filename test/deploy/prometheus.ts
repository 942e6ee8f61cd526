/**
 * Prometheus and promtool for tests: those of the machine, or else Debian's package, unpacked into a cache of this
 * user's in the temporary folder. Nothing is installed.
 */

import { spawn } from "node:child_process";
import { accessSync, constants, readdirSync, renameSync, rmSync } from "node:fs";
import { chmod, lstat, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";

export interface Tools {
  readonly prometheus: string;
  readonly promtool: string;
}

export interface Ran {
  /** Null: it could not be started, or did not end in time. */
  readonly code: number | null;
  readonly out: string;
}

/** Names a folder with both programs, or says `off`. */
const VARIABLE = "CUTOVER_TEST_PROMETHEUS";
/** For all of it; a machine without a network says so much sooner, one behind a silent firewall never does. */
const FETCH_TIMEOUT_MS = 40_000;
const RUN_TIMEOUT_MS = 60_000;
const SAY_HOW = `install it (apt-get install prometheus), or name a folder that has prometheus and promtool in ${VARIABLE}`;

/** Both programs, or the reason for a test to skip itself; never fails for want of a network. */
export async function findPrometheus(): Promise<Tools | string> {
  const wanted = process.env[VARIABLE];
  if (wanted === "off") return `${VARIABLE}=off`;
  if (wanted !== undefined && wanted !== "")
    return toolsIn([wanted]) ?? `no Prometheus in ${wanted}: ${SAY_HOW}`;
  const found = toolsIn((process.env.PATH ?? "").split(delimiter));
  if (found !== null) return found;
  try {
    return await fetched();
  } catch (error) {
    return `there is no Prometheus on the PATH, and Debian's package could not be had (${(error as Error).message}): ${SAY_HOW}`;
  }
}

function toolsIn(folders: readonly string[]): Tools | null {
  const find = (name: string): string | undefined =>
    folders
      .filter((folder) => folder !== "")
      .map((folder) => join(folder, name))
      .find(isExecutable);
  const [prometheus, promtool] = [find("prometheus"), find("promtool")];
  return prometheus === undefined || promtool === undefined ? null : { prometheus, promtool };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function fetched(): Promise<Tools> {
  const cache = await ownFolder();
  const kept = join(cache, "prometheus");
  const there = toolsIn([join(kept, "usr/bin")]);
  if (there !== null) return there;
  const work = await mkdtemp(join(cache, "work-"));
  try {
    const late = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    await download(work, late);
    const deb = readdirSync(work).find((name) => name.endsWith(".deb"));
    if (deb === undefined) throw new Error("apt-get has left no package");
    await must("dpkg-deb", ["-x", deb, "unpacked"], work, late);
    keep(join(work, "unpacked"), kept);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const tools = toolsIn([join(kept, "usr/bin")]);
  if (tools === null) throw new Error("the package has no programs for this machine");
  return tools;
}

/** What is run from here must have been put here by this user: the temporary folder is everybody's. */
async function ownFolder(): Promise<string> {
  const uid = process.getuid?.();
  if (uid === undefined) throw new Error("this is no Debian");
  const folder = join(tmpdir(), `cutover-test-cache-${uid}`);
  await mkdir(folder, { mode: 0o700, recursive: true });
  const stat = await lstat(folder);
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o022) !== 0) {
    throw new Error(`${folder} is not this user's alone`);
  }
  return folder;
}

/** By the lists of packages that the machine has; where they do not know it, by lists of our own. */
async function download(work: string, late: AbortSignal): Promise<void> {
  // apt as root fetches as another user, if that one may write here.
  await chmod(work, 0o755);
  const once = ["-o", "Acquire::Retries=0"];
  const first = await run("apt-get", [...once, "download", "prometheus"], work, late);
  if (first.code === 0) return;
  if (first.code === null) throw new Error(first.out);
  for (const folder of ["lists/partial", "archives/partial"])
    await mkdir(join(work, folder), { recursive: true });
  const own = [...once, "-o", `Dir::State::Lists=${join(work, "lists")}`, "-o", `Dir::Cache=${work}`];
  await must("apt-get", [...own, "update"], work, late);
  await must("apt-get", [...own, "download", "prometheus"], work, late);
}

/** Another test file may have been faster: then its copy is as good. Half a copy is none. */
function keep(unpacked: string, kept: string): void {
  if (toolsIn([join(kept, "usr/bin")]) === null) rmSync(kept, { recursive: true, force: true });
  try {
    renameSync(unpacked, kept);
  } catch (error) {
    if (toolsIn([join(kept, "usr/bin")]) === null) throw error;
  }
}

async function must(command: string, args: readonly string[], cwd: string, late: AbortSignal): Promise<void> {
  const { code, out } = await run(command, args, cwd, late);
  if (code !== 0) throw new Error(`${command}: ${out.trim().split("\n").at(-1) ?? `exit code ${code}`}`);
}

/** Runs a program to its end; its words on both streams as one text. */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  late: AbortSignal = AbortSignal.timeout(RUN_TIMEOUT_MS),
): Promise<Ran> {
  const child = spawn(command, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    signal: late,
    killSignal: "SIGKILL",
  });
  let out = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
  }
  const { promise, resolve } = Promise.withResolvers<Ran>();
  child.once("error", (error) => {
    resolve({ code: null, out: error.name === "AbortError" ? `${command} took too long` : error.message });
  });
  child.once("close", (code) => resolve({ code, out }));
  return promise;
}
