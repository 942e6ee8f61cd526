/** What a connection may still tell when it can no longer be written to. */

import type { Socket } from "node:net";

type Done = (error?: Error | null) => void;

/**
 * Asks before a write that failed destroys its socket. True: it lives on, to be read; the write never ends, and
 * nothing is written after it. A backend that refuses a body answers and ends the connection: the next write of that
 * body fails, and node:net would throw the answer away unread.
 */
export function onFailedWrite(socket: Socket, livesOn: () => boolean): void {
  const { _write, _writev } = socket;
  const asking = (done: Done): Done => {
    return (error) => {
      if (!error || !livesOn()) done(error);
    };
  };
  socket._write = (chunk, encoding, done) => _write.call(socket, chunk, encoding, asking(done));
  socket._writev = (chunks, done) => _writev?.call(socket, chunks, asking(done));
}
