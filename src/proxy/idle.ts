/**
 * Closes connections that nobody uses. node:http tells a connection when it falls idle and when it is in use again,
 * by `setTimeout`, for each request a timer made and a timer dropped. Here that sets and clears a deadline.
 */

import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Deadline, Deadlines } from "./deadlines.ts";

/** For the server's "connection". `checkingMs`: how late at most node:http sees that a head is overdue. */
export function watchIdle(server: Server, socket: Socket, deadlines: Deadlines, checkingMs: number): void {
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
    if (ms > 0 && !socket.destroyed) set(ms);
    else deadline?.clear();
    return socket;
  };
  socket.on("close", () => deadline?.clear());
}
