/**
 * Lines of the access log. Put together by hand, as their shape is fixed and every request has one: a third of what a
 * general serialiser takes.
 */

import type { Failure } from "../model/failures.ts";
import type { Reason } from "../model/reasons.ts";
import type { Side } from "../model/ruleset.ts";

/** What is written down of a request; nothing here is secret any more. */
export interface AccessFields {
  readonly route: string;
  readonly side: Side;
  readonly reason: Reason;
  readonly rules: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly failure: Failure | null;
  readonly durationMs: number;
  /** The leg that answered, to its answer head; null: none came. */
  readonly backendMs: number | null;
  readonly fallback: boolean;
  readonly shadow: boolean;
  readonly key: string | null;
  readonly requestId: string;
  readonly traceId: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The protocol that was asked for, where one was. */
  readonly upgrade?: string;
  /** Who or what closed an upgraded connection first; null: it was refused. */
  readonly endedBy?: string | null;
}

/** What stands in a JSON string as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** In the order of docs/logs.md, with its newline. `time`: ISO 8601. */
export function accessLine(fields: AccessFields, time: string): string {
  const { failure, key, upgrade } = fields;
  return `{"level":"info","time":"${time}","route":${jsonText(fields.route)},"side":"${fields.side}","reason":"${
    fields.reason
  }","rules":"${fields.rules}","method":${jsonText(fields.method)},"path":${jsonText(fields.path)},"status":${
    fields.status
  },"failure":${failure === null ? "null" : `"${failure}"`},"durationMs":${fields.durationMs},"backendMs":${
    fields.backendMs
  },"fallback":${fields.fallback},"shadow":${fields.shadow},"key":${
    key === null ? "null" : `"${key}"`
  },"requestId":${jsonText(fields.requestId)},"traceId":"${fields.traceId}","bytesIn":${
    fields.bytesIn
  },"bytesOut":${fields.bytesOut}${upgrade === undefined ? "" : upgraded(upgrade, fields.endedBy)},"msg":"request"}\n`;
}

function upgraded(upgrade: string, endedBy: string | null | undefined): string {
  return `,"upgrade":${jsonText(upgrade)}${endedBy === undefined ? "" : `,"endedBy":${JSON.stringify(endedBy)}`}`;
}

/** As `JSON.stringify` writes it. */
export function jsonText(value: string): string {
  return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value);
}
