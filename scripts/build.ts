/**
 * Compiles src/ into a fresh dist/ and bundles the dashboard into dist/dashboard/, which is what the published package
 * runs: `node scripts/build.ts`.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleDashboard } from "../src/admin/dashboard/bundle.ts";
import { SCRIPT_FILE, STYLE_FILE } from "../src/admin/dashboard/page.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** The compiler's own entry: a name on the PATH is a script of the shell's on some systems. */
const COMPILER = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));

/** Packages whose code is in the bundle; their licences ask that they are told of. */
const BUNDLED = ["preact", "uplot", "diff"];

// What an earlier build left behind must not be published.
rmSync(new URL("../dist", import.meta.url), { recursive: true, force: true });

const { status, signal, error } = spawnSync(process.execPath, [COMPILER, "-p", "tsconfig.build.json"], {
  cwd: ROOT,
  stdio: "inherit",
});
if (error !== undefined) console.error(`build: the compiler could not be started: ${error.message}`);
else if (status !== 0) console.error(`build: the compiler ended with ${signal ?? `exit code ${status}`}`);
process.exitCode = status ?? 1;
if (status === 0) await buildDashboard(new URL("../dist/dashboard/", import.meta.url));

async function buildDashboard(folder: URL): Promise<void> {
  const { script, style } = await bundleDashboard();
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(SCRIPT_FILE, folder), script);
  writeFileSync(new URL(STYLE_FILE, folder), style);
  const licences = BUNDLED.map((name) => {
    const text = readFileSync(new URL(`../node_modules/${name}/LICENSE`, import.meta.url), "utf8");
    return `${name}\n\n${text.trim()}\n`;
  });
  writeFileSync(new URL("LICENSES.txt", folder), licences.join("\n\n"));
}
