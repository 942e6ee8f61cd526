/** Small promises about files that more than one part of the store needs. */

import { closeSync, fsyncSync, openSync, statfsSync } from "node:fs";

/** Makes a rename or a new file in the folder survive a loss of power. */
export function syncFolder(folder: string): void {
  if (process.platform === "win32") return; // a folder cannot be opened there, and needs no sync
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Whether there is no block left; false also where nobody can say. SQLite then has only vague words for it. */
export function isDiskFull(folder: string): boolean {
  try {
    return statfsSync(folder).bavail === 0;
  } catch {
    return false;
  }
}
