/** Compiles src/ into a fresh dist/, which is what the published package runs: `node scripts/build.ts`. */

import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** The compiler's own entry: a name on the PATH is a script of the shell's on some systems. */
const COMPILER = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));

// What an earlier build left behind must not be published.
rmSync(new URL("../dist", import.meta.url), { recursive: true, force: true });

const { status, signal, error } = spawnSync(process.execPath, [COMPILER, "-p", "tsconfig.build.json"], {
  cwd: ROOT,
  stdio: "inherit",
});
if (error !== undefined) console.error(`build: the compiler could not be started: ${error.message}`);
else if (status !== 0) console.error(`build: the compiler ended with ${signal ?? `exit code ${status}`}`);
process.exitCode = status ?? 1;
