/** Questions to a person at a terminal. */

import { createInterface } from "node:readline";
import type { Streams } from "./output.ts";

/** Whether there is somebody to be asked. */
export function canAsk({ in: input, err }: Streams): boolean {
  return input?.isTTY === true && err.isTTY === true;
}

/** Asks on stderr, which is nobody's data, and resolves to the line that was typed; null when the input ended. */
export async function askLine(question: string, { in: input, err }: Streams): Promise<string | null> {
  if (input === undefined) return null;
  err.write(question);
  // Not a terminal of readline's own: the system's line editing does, and Ctrl-C ends the process as ever.
  const lines = createInterface({ input, terminal: false });
  try {
    const { promise, resolve } = Promise.withResolvers<string | null>();
    lines.once("line", resolve);
    lines.once("close", () => resolve(null));
    return await promise;
  } finally {
    lines.close();
  }
}
