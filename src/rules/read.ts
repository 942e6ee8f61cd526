/** Reading with bounds: rules files, the folders that hold them, and the small files that they name. */

import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";

/** A failure that a user can mend, in words: "cannot be read: …". */
export class ReadError extends Error {}

export interface RulesFile {
  /** As users would name it. */
  readonly path: string;
  /** Its name within the folder that was given: the same on every machine. */
  readonly name: string;
}

export interface RulesListing {
  readonly files: readonly RulesFile[];
  readonly folders: readonly string[];
  readonly failures: readonly { readonly path: string; readonly why: string }[];
}

const MAX_FILES = 1000;
const MAX_FILE_BYTES = 8 * 2 ** 20;

export const isRulesFileName = (name: string): boolean => /\.ya?ml$/.test(name) && !name.startsWith(".");

/** All rules files under the paths: a file as it is, of a folder its *.yaml and *.yml in name order. */
export async function listRulesFiles(paths: readonly string[]): Promise<RulesListing> {
  const files: RulesFile[] = [];
  const folders: string[] = [];
  const failures: { path: string; why: string }[] = [];
  for (const path of paths) {
    try {
      const found = await stat(path);
      if (!found.isDirectory()) {
        files.push({ path, name: basename(path) });
        continue;
      }
      folders.push(path);
      const inside = await rulesFilesIn(path);
      files.push(...inside);
      if (inside.length === 0)
        failures.push({ path, why: "there is no *.yaml or *.yml file in this folder" });
    } catch (error) {
      failures.push({ path, why: whyUnreadable(error) });
    }
  }
  if (paths.length === 0) failures.push({ path: ".", why: "no rules were named: give a file or a folder" });
  const unique = [...new Map(files.map((file) => [resolve(file.path), file])).values()];
  if (unique.length > MAX_FILES)
    failures.push({ path: paths[0] ?? ".", why: `there are more than ${MAX_FILES} rules files` });
  return { files: unique.slice(0, MAX_FILES), folders, failures };
}

async function rulesFilesIn(folder: string): Promise<RulesFile[]> {
  const names = (await readdir(folder)).filter(isRulesFileName).sort();
  const files: RulesFile[] = [];
  for (const name of names) {
    const path = join(folder, name);
    // A dangling link is listed, so that its error is seen; a folder named x.yaml is not.
    const isFolder = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isFolder) files.push({ path, name: relative(folder, path) });
  }
  return files;
}

/** The bytes of one rules file. Throws a ReadError. */
export function readRulesFile(path: string): Promise<Buffer> {
  return readBounded(path, MAX_FILE_BYTES, "8MiB");
}

/** A whole regular file, up to a bound. Throws a ReadError. */
export async function readBounded(path: string, maxBytes: number, maxText: string): Promise<Buffer> {
  return await withFile(path, async (file, sizeBytes) => {
    if (sizeBytes > maxBytes) throw new ReadError(`it is larger than ${maxText}`);
    // It may grow while it is read: one byte more than allowed is asked for, never all there is.
    const buffer = Buffer.allocUnsafe(maxBytes < sizeBytes + 65_536 ? maxBytes + 1 : sizeBytes + 65_536);
    let used = 0;
    while (used < buffer.length) {
      const { bytesRead } = await file.read(buffer, used, buffer.length - used, null);
      if (bytesRead === 0) return buffer.subarray(0, used);
      used += bytesRead;
    }
    throw new ReadError("it grew while it was read");
  });
}

/** Opens a regular file (a pipe or a device could block for ever). Throws a ReadError. */
export async function withFile<T>(
  path: string,
  use: (file: FileHandle, sizeBytes: number) => Promise<T>,
): Promise<T> {
  try {
    const before = await stat(path);
    if (before.isDirectory()) throw new ReadError("it is a folder");
    if (!before.isFile()) throw new ReadError("it is not a regular file");
    const file = await open(path, "r");
    try {
      return await use(file, before.size);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof ReadError ? error : new ReadError(whyUnreadable(error), { cause: error });
  }
}

/** Strict UTF-8, a byte order mark dropped unless it is to be kept. Throws a ReadError. */
export function decodeUtf8(bytes: Uint8Array, { keepMark = false } = {}): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: keepMark }).decode(bytes);
  } catch (error) {
    throw new ReadError("it is not UTF-8: save it as UTF-8", { cause: error });
  }
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOENT":
      return "there is no such file or folder";
    case "EACCES":
    case "EPERM":
      return "it may not be read: check its permissions";
    case "ELOOP":
      return "its symbolic links go round in circles";
    default:
      return `it cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
