/** What becomes of a request whose body is too large or does not come. No side is ever blamed for it. */

import { ProxyError } from "./classify.ts";
import type { Exchange, Served } from "./exchange.ts";

/** False: the body is too large by its own word, and nothing of the request may be forwarded. */
export function admitsBody(exchange: Exchange): boolean {
  const { body, res, req } = exchange;
  if (body === null) return true;
  if (body.fault !== null) return false;
  body.onFault = (fault) => {
    exchange.leg?.abort(new ProxyError("http_request_error", fault.detail));
    // Answered before the body had come, as HTTP allows: nothing can be said to the client any more.
    if (res.headersSent) req.destroy();
  };
  return true;
}

/** What is recorded of a request that went to no backend, because of its body. */
export function refusedForBody({ decision }: Exchange): Served {
  const outcome = {
    status: null,
    failure: "http_request_error",
    headMs: null,
    waitedMs: 0,
    totalMs: 0,
    wanted: false,
    isSent: false,
  } as const;
  return { side: decision.side, reason: decision.reason, outcome, fellBack: false };
}
