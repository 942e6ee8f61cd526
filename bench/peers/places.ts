/** Folders of the rig. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
/** All that the rig installs; git does not see it. */
export const CACHE = join(CHECKOUT, "bench/.cache");

const RUN_FOLDER = /^run-(\d+)-/;

/** A folder for one run, removed when it is disposed of; those of runs that were killed go too. */
export function runFolder(): Disposable & { readonly path: string } {
  mkdirSync(CACHE, { recursive: true });
  for (const name of readdirSync(CACHE)) {
    const pid = RUN_FOLDER.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(CACHE, name), { recursive: true });
  }
  const path = mkdtempSync(join(CACHE, `run-${process.pid}-`));
  // Processes that were told to end may still write.
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  // Also when the run is interrupted.
  process.once("exit", remove);
  return { path, [Symbol.dispose]: remove };
}
