/**
 * Closes connections that nobody uses. node:http tells a connection when it falls idle and when it is in use again,
 * by `setTimeout`, for each request a timer made and a timer dropped. Here that sets and clears a deadline.
 */

import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Deadline, Deadlines } from "./deadlines.ts";

interface Idleness {
  readonly deadlines: Deadlines;
  /** How late at most node:http sees that a head is overdue. */
  readonly checkingMs: number;
  /** All that was asked on the connection has been answered. */
  readonly onIdle: () => void;
}

/** For the server's "connection". */
export function watchIdle(server: Server, socket: Socket, { deadlines, checkingMs, onIdle }: Idleness): void {
  let deadline: Deadline | null = null;
  let lengthMs = 0;
  let readBytes = 0;

  const set = (ms: number): void => {
    readBytes = socket.bytesRead;
    if (ms === lengthMs && deadline !== null) {
      deadline.refresh();
      return;
    }
    deadline?.clear();
    lengthMs = ms;
    deadline = deadlines.set(ms, onDue);
  };
  const onDue = (): void => {
    if (socket.bytesRead === readBytes) socket.destroy();
    // A head has begun to come. Its own timeout ends it where the rest does not; it has to have had that time.
    else set(server.headersTimeout + 2 * checkingMs);
  };
  socket.setTimeout = (ms) => {
    if (ms > 0 && !socket.destroyed) {
      set(ms);
      onIdle();
    } else {
      deadline?.clear();
    }
    return socket;
  };
  socket.on("close", () => deadline?.clear());
}
