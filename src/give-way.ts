/** Threads whose work can wait stand behind those that serve, where a machine has more work than cores. */

import { readlinkSync, stat } from "node:fs";
import { getPriority, setPriority } from "node:os";

/**
 * Added to the niceness that the process was given. Of a core that both want, such a thread gets a quarter: enough
 * that rules are still reloaded and answers compared on a bad day.
 */
const STEPS_BACK = 5;

/**
 * To be called by the thread itself. Linux alone has a niceness for each thread: elsewhere, and where it may not be
 * asked for, nothing changes.
 */
export function giveWay(): void {
  const id = ownThreadId();
  if (id === null) return;
  // Node's thread pool serves all threads, and stands where that one stood which was the first to ask it for something.
  stat("/", () => {});
  try {
    setPriority(id, Math.min(19, getPriority(id) + STEPS_BACK));
  } catch {
    // Forbidden here: the thread is as important as the others.
  }
}

/** Null: not known. */
function ownThreadId(): number | null {
  try {
    const [owner, , thread] = readlinkSync("/proc/thread-self").split("/").map(Number);
    // A /proc of another namespace counts differently: by its number that would be somebody else's thread.
    return owner === process.pid && thread !== undefined ? thread : null;
  } catch {
    return null; // not Linux
  }
}
