/**
 * Requests that a client sends on one connection without waiting for answers. node:http hands them all over at
 * once; here each begins when the answer before it has gone out. So a write is done before the read behind it
 * begins (RFC 9112 §9.3.2), and nothing that follows an answer with `Connection: close` reaches a backend.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Beyond it no more is read from the connection until some of them are answered. */
const MAX_WAITING = 64;

const waitingOn = new WeakMap<Socket, number>();

/** Calls `begin` when it is this request's turn, in the usual case at once; never where the connection ends before. */
export function inTurn({ socket }: IncomingMessage, res: ServerResponse, begin: () => void): void {
  // A response gets its socket when those before it are done with it.
  if (res.socket !== null) {
    if (socket.writable) begin();
    return;
  }
  const waiting = (waitingOn.get(socket) ?? 0) + 1;
  waitingOn.set(socket, waiting);
  if (waiting >= MAX_WAITING) socket.pause();
  res.once("socket", () => {
    const left = (waitingOn.get(socket) ?? 1) - 1;
    waitingOn.set(socket, left);
    if (left === MAX_WAITING - 1) socket.resume();
    // Not within node:http's own hand-over, which goes on after this event.
    queueMicrotask(() => {
      if (socket.writable) begin();
    });
  });
}
