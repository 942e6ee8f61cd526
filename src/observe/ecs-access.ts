/** Lines of the access log in the names of the Elastic Common Schema: those of ecs.ts, put together by hand. */

import { type AccessFields, jsonText } from "./access-line.ts";
import { ECS_VERSION } from "./ecs.ts";

const NS_PER_MS = 1e6;

/** With its newline; what is null has no field. `time`: ISO 8601. */
export function ecsAccessLine(fields: AccessFields, time: string): string {
  const { method, path, status, side, reason, failure, backendMs, key, upgrade, endedBy } = fields;
  const outcome = outcomeOf(status, failure);
  const message = jsonText(`${method} ${path} ${status} ${side} (${reason})`);
  return `{"@timestamp":"${time}","log.level":"info","message":${message}${SAME}${
    outcome === "failure" ? '"access","error"' : '"access"'
  }],"event.outcome":"${outcome}","cutover.route":${jsonText(fields.route)},"cutover.side":"${
    side
  }","cutover.reason":"${reason}","cutover.rules":"${fields.rules}","http.request.method":${jsonText(
    method,
  )},"url.path":${jsonText(path)},"http.response.status_code":${status}${
    failure === null ? "" : `,"error.type":"${failure}"`
  },"event.duration":${nanoseconds(fields.durationMs)}${
    backendMs === null ? "" : `,"cutover.backend.duration":${nanoseconds(backendMs)}`
  },"cutover.fallback":${fields.fallback},"cutover.shadow":${fields.shadow}${
    key === null ? "" : `,"cutover.key":"${key}"`
  },"http.request.id":${jsonText(fields.requestId)},"trace.id":"${
    fields.traceId
  }","http.request.body.bytes":${fields.bytesIn},"http.response.body.bytes":${fields.bytesOut}${
    upgrade === undefined ? "" : `,"cutover.upgrade":${jsonText(upgrade)}`
  }${endedBy === undefined || endedBy === null ? "" : `,"cutover.ended_by":${jsonText(endedBy)}`}}\n`;
}

/** Between the message and the words of `event.type`. */
const SAME =
  `,"ecs.version":"${ECS_VERSION}","service.name":"cutover","event.kind":"event","event.module":"cutover"` +
  `,"event.dataset":"cutover.access","event.action":"request","event.category":["web"],"event.type":[`;

/** A client that left makes no failure; whether the answer would have been well nobody knows. */
function outcomeOf(status: number, failure: AccessFields["failure"]): "success" | "failure" | "unknown" {
  if (failure === "client_gone") return "unknown";
  return failure !== null || status >= 500 ? "failure" : "success";
}

function nanoseconds(ms: number): number {
  return Math.round(ms * NS_PER_MS);
}
