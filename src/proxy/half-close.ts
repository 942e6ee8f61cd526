/**
 * A client that ends its sending side may still wait for its answer, or may be gone: TCP tells the two apart only
 * when something is written. So it is given a little while; one that is sent nothing in it is taken to have left.
 */

import type { Socket } from "node:net";
import type { ClientConnection } from "./client-connection.ts";

const PATIENCE_MS = 1_000;

/** For the server's "connection". */
export function watchHalfClose(socket: Socket, connection: ClientConnection): void {
  socket.on("end", () => {
    let seen = socket.bytesWritten;
    const timer = setInterval(() => {
      if (connection.newest !== null && socket.bytesWritten === seen) socket.destroy();
      seen = socket.bytesWritten;
    }, PATIENCE_MS);
    timer.unref();
    socket.on("close", () => clearInterval(timer));
  });
}
