/** Writes one exchange to the access log, where it is wanted. */

import type { Failure } from "../model/failures.ts";
import type { Exchange, Served } from "./exchange.ts";

export function logAccess(
  exchange: Exchange,
  served: Served,
  failure: Failure | null,
  shadowed: boolean,
  durationMs: number,
): void {
  const { upgrade } = exchange;
  const { accessLog } = exchange.desk;
  const status = exchange.clientGone ? CLIENT_GONE_STATUS : exchange.res.statusCode;
  if (!accessLog.wants(status, failure)) return;
  accessLog.write({
    route: exchange.room === null ? "unmatched" : exchange.room.compiled.route.name,
    side: served.side,
    reason: served.reason,
    rules: exchange.snapshot.compiled.ruleset.version,
    method: exchange.facts.method,
    path: exchange.facts.path,
    status,
    failure,
    durationMs,
    backendMs: served.outcome.headMs,
    fallback: served.fellBack,
    shadow: shadowed,
    key: exchange.decision.who?.key ?? null,
    requestId: exchange.requestId,
    traceId: exchange.trace.traceId,
    bytesIn: (exchange.body?.bytes ?? 0) + (upgrade?.bytesIn ?? 0),
    bytesOut: exchange.bytesOut + (upgrade?.bytesOut ?? 0),
    ...(upgrade === null ? {} : { upgrade: upgrade.protocol, endedBy: upgrade.endedBy }),
  });
}

/** nginx's word for it: nobody is there to read an answer. */
const CLIENT_GONE_STATUS = 499;
