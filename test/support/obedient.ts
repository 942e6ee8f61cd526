/** A backend that does what the request tells it: one gateway can then show many faults side by side. */

import { json, reset, type Script, stall } from "./backend.ts";

/** How long "slow" takes: far beyond what a healthy answer takes on a busy machine. */
const SLOW_MS = 1_000;

/**
 * Does what the request's header of this name says: a status such as "503", "reset", "stall", "slow", "cut"
 * (half an answer), "other" (another body); without it: well.
 */
export function obedient(header: string): Script {
  return (req, res, body) => {
    const order = req.headers[header];
    if (order === undefined) return json({ well: true })(req, res, body);
    if (order === "reset") return reset(req, res, body);
    if (order === "stall") return stall(req, res, body);
    if (order === "other") return json({ well: "otherwise" })(req, res, body);
    if (order === "slow") {
      setTimeout(() => json({ well: true })(req, res, body), SLOW_MS);
      return;
    }
    if (order === "cut") {
      res.writeHead(200, { "content-length": 100 });
      res.write("half");
      setImmediate(() => req.socket.destroy());
      return;
    }
    json({ well: false }, Number(order))(req, res, body);
  };
}
