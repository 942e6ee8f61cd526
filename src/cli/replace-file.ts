/** Putting a new text in a file's place, whole or not at all. */

import { randomBytes } from "node:crypto";
import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Replaces a file's text: whoever reads it sees the old text or the new one, never a part, also after a power cut.
 * Permissions stay; of a symbolic link the file behind it is replaced. Rejects with Node's error, the file unchanged.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const target = await realpath(path);
  const { mode } = await stat(target);
  // Hidden, and with no ending of rules, so that nobody who watches the folder takes it for a rules file.
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.tmp`);
  let file: FileHandle | null = null;
  try {
    file = await open(temporary, "wx", 0o600);
    await file.writeFile(text);
    // Not the mode of `open`: that is cut by the umask.
    await file.chmod(mode & 0o7777);
    await file.sync();
    await file.close();
    file = null;
    await rename(temporary, target);
  } catch (error) {
    await file?.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}
