/**
 * Requests that a client sends on one connection without waiting for answers. node:http hands them all over at
 * once; here each begins when the answer before it has gone out. So a write is done before the read behind it
 * begins (RFC 9112 §9.3.2), and nothing that follows an answer with `Connection: close` reaches a backend.
 */

import type { Arrival } from "./corridor.ts";

/** Beyond it no more is read from the connection until some of them are answered. */
const MAX_WAITING = 64;

/** Calls `begin` when it is this request's turn, in the usual case at once; never where the connection ends before. */
export function inTurn(arrival: Arrival, begin: (arrival: Arrival) => void): void {
  const { req, res, connection } = arrival;
  const { socket } = req;
  connection.answering(res);
  // A response gets its socket when those before it are done with it.
  if (res.socket !== null) {
    if (socket.writable) begin(arrival);
    return;
  }
  connection.waiting++;
  if (connection.waiting >= MAX_WAITING) socket.pause();
  res.once("socket", () => {
    connection.waiting--;
    if (connection.waiting === MAX_WAITING - 1) socket.resume();
    // Not within node:http's own hand-over, which goes on after this event.
    queueMicrotask(() => {
      if (socket.writable) begin(arrival);
    });
  });
}
