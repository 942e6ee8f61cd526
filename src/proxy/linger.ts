/** The end of an answer that came before the whole request had. */

import type { IncomingMessage, ServerResponse } from "node:http";

const LINGER_MS = 1_000;

/**
 * Sends the body of an answer whose connection closes with it. What the client is still sending is read and thrown
 * away for a moment: closed at once, the connection would be reset, and a reset can overtake the answer.
 */
export function endLingering(req: IncomingMessage, res: ServerResponse, body: Buffer | undefined): void {
  if (req.complete || req.destroyed) {
    res.end(body);
    return;
  }
  if (body === undefined) res.flushHeaders();
  else res.write(body);
  const end = (): void => {
    clearTimeout(timer);
    req.off("end", end);
    req.off("close", end);
    res.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  timer.unref();
  req.on("end", end);
  req.on("close", end);
  req.resume();
}
