/** A text on a terminal that is drawn again in its place; everything about cursors is here. */

import { stripVTControlCharacters } from "node:util";
import type { Terminal } from "./output.ts";
import { textWidth } from "./width.ts";

export interface Redraw {
  /** Lines in place of those that it showed last; none may be wider than the terminal. */
  show(lines: readonly string[]): void;
  /** A text that stays, above them. */
  say(text: string): void;
  clear(): void;
  /** Leaves the last lines as they are, and the cursor below them and visible. */
  done(): void;
}

/** Whether a stream shows what is redrawn: a terminal that knows how to move its cursor. */
export function isLive(out: Terminal, env: Readonly<Record<string, string | undefined>>): boolean {
  return out.isTTY === true && env.TERM !== "dumb";
}

/** For a stream that is live. */
export async function openRedraw(out: Terminal): Promise<Redraw> {
  const { createLogUpdate } = await import("log-update");
  // It writes and asks for the size, which is all that a Terminal is.
  const logUpdate = createLogUpdate(out as unknown as NodeJS.WritableStream);
  let shown: { readonly lines: readonly string[]; readonly columns: number } = { lines: [], columns: 0 };
  const columnsNow = () => out.columns ?? 80;
  return {
    show(lines) {
      const columns = columnsNow();
      // A terminal that became narrower has wrapped the lines: they take more rows than were written.
      if (columns < shown.columns) out.write(ERASE_ROW.repeat(wrappedRows(shown.lines, columns)));
      shown = { lines, columns };
      logUpdate(lines.join("\n"));
    },
    say(text) {
      logUpdate.persist(text);
      if (shown.lines.length > 0) logUpdate(shown.lines.join("\n"));
    },
    clear() {
      shown = { lines: [], columns: 0 };
      logUpdate.clear();
    },
    done: () => logUpdate.done(),
  };
}

/** Erases the row of the cursor and goes to the one above. */
const ERASE_ROW = "\u001b[2K\u001b[1A";

/** How many rows more lines take where they are wrapped at so many columns. */
function wrappedRows(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => {
    const cells = textWidth(stripVTControlCharacters(line));
    return sum + Math.max(1, Math.ceil(cells / Math.max(columns, 1))) - 1;
  }, 0);
}
