/**
 * Notices that rules files changed. `fs.watch` on folders is a hint; a slow poll sees what it misses (later
 * ConfigMap swaps, network folders, exhausted watch limits). Whether the content changed is the loader's to say.
 */

import { type FSWatcher, watch } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isRulesFileName } from "./read.ts";

const DEFAULT_POLL_MS = 1000;
/** An editor's save is several events; they are one change. */
const DEBOUNCE_MS = 50;
/** A file that changed so shortly before it was first looked at may have changed after it was loaded. */
const RECENT_MS = 5000;

export interface RulesWatcher {
  /** After each load: what it has read or looked for. */
  update(paths: readonly string[]): void;
  close(): void;
}

export interface WatchOptions {
  readonly pollMs?: number;
}

/** Calls back, at most once for changes that come together, whenever something under the paths changed. */
export function watchRules(
  watchedPaths: readonly string[],
  onChange: () => void,
  options: WatchOptions = {},
): RulesWatcher {
  const signatures = new Map<string, string>();
  const watchers = new Map<string, FSWatcher>();
  let paths: readonly string[] = [];
  let hint: NodeJS.Timeout | undefined;
  let isLooking = false;
  let lookAgain = false;
  let isClosed = false;

  const poll = setInterval(() => void look(), options.pollMs ?? DEFAULT_POLL_MS);
  poll.unref();

  async function look(): Promise<void> {
    if (isLooking) {
      lookAgain = true;
      return;
    }
    isLooking = true;
    let hasChanged = false;
    for (const path of paths) {
      const { signature, isRecent } = await signatureOf(path);
      const before = signatures.get(path);
      // What was known before a load and is the same after it has not changed meanwhile.
      if (before === undefined ? isRecent : before !== signature) hasChanged = true;
      signatures.set(path, signature);
    }
    isLooking = false;
    if (isClosed) return;
    watchFolders();
    if (hasChanged) onChange();
    if (lookAgain) {
      lookAgain = false;
      hinted();
    }
  }

  function hinted(): void {
    hint?.refresh();
    hint ??= setTimeout(() => {
      hint = undefined;
      if (!isClosed) void look();
    }, DEBOUNCE_MS).unref();
  }

  function watchFolders(): void {
    const wanted = new Set(paths.flatMap((path) => [path, dirname(path)]));
    for (const [folder, watcher] of watchers) {
      if (!wanted.has(folder)) drop(folder, watcher);
    }
    for (const folder of wanted) {
      // A path that is a file, or not there, is no folder to watch: the poll and its parent see it.
      if (!watchers.has(folder) && isFolder(folder)) add(folder);
    }
  }

  /** Listed paths have a signature that says what they are. */
  function isFolder(path: string): boolean {
    const signature = signatures.get(path);
    return signature === undefined || signature.startsWith("folder");
  }

  function add(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, hinted);
      // Too many watches, a folder that went away: the poll carries on, and the next look tries again.
      watcher.on("error", () => drop(folder, watcher));
      watchers.set(folder, watcher);
    } catch {
      // The same, said by an exception.
    }
  }

  function drop(folder: string, watcher: FSWatcher): void {
    if (watchers.get(folder) === watcher) watchers.delete(folder);
    watcher.close();
  }

  function update(next: readonly string[]): void {
    paths = [...new Set(next.map((path) => resolve(path)))];
    for (const known of signatures.keys()) {
      if (!paths.includes(known)) signatures.delete(known);
    }
    void look();
  }

  update(watchedPaths);
  return {
    update,
    close() {
      isClosed = true;
      clearInterval(poll);
      clearTimeout(hint);
      for (const [folder, watcher] of watchers) drop(folder, watcher);
    },
  };
}

/** Never rejects: what cannot be looked at has a signature too, which differs once it can. */
async function signatureOf(path: string): Promise<{ signature: string; isRecent: boolean }> {
  try {
    const [link, target] = await Promise.all([lstat(path, { bigint: true }), stat(path, { bigint: true })]);
    const newestMs = Math.max(Number(link.ctimeMs), Number(target.ctimeMs));
    const isRecent = Math.abs(Date.now() - newestMs) < RECENT_MS;
    if (target.isDirectory()) {
      const names = (await readdir(path)).filter(isRulesFileName).sort();
      return { signature: `folder ${target.dev} ${target.ino} ${names.join("/")}`, isRecent };
    }
    const { dev, ino, size, mtimeNs, ctimeNs } = target;
    return { signature: `file ${link.ino} ${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`, isRecent };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    return { signature: `none ${code}`, isRecent: false };
  }
}
