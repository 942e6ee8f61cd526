/** The access log: one line a request, sampled; errors always. */

import { hash } from "node:crypto";
import type { Failure } from "../model/failures.ts";
import type { Reason } from "../model/reasons.ts";
import { type SharePpm, type Side, WHOLE_PPM } from "../model/ruleset.ts";
import { createLog, flushLog, type LogFormat } from "./log.ts";

export type AccessLogPolicy =
  | { readonly kind: "all" }
  | { readonly kind: "errors" }
  | { readonly kind: "off" }
  | { readonly kind: "share"; readonly ppm: SharePpm };

export interface AccessEntry {
  readonly route: string;
  readonly side: Side;
  readonly reason: Reason;
  readonly rules: string;
  readonly method: string;
  /** Without the query: it may hold secrets. */
  readonly path: string;
  readonly status: number;
  readonly failure: Failure | null;
  readonly durationMs: number;
  /** The leg that answered, to its answer head; null: none came. */
  readonly backendMs: number | null;
  readonly fallback: boolean;
  readonly shadow: boolean;
  /** As it came; it is logged as a salted hash. */
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

export interface AccessLog {
  /** Whether a request with this outcome is logged: asked before its entry is made. */
  wants(status: number, failure: Failure | null): boolean;
  write(entry: AccessEntry): void;
  /** Resolves when what was written has left the process. */
  flush(): Promise<void>;
}

/** Long enough to tell a path by, short enough for a line to stay whole. */
const MAX_PATH_CHARS = 512;
const KEY_HASH_DIGITS = 16;

export function createAccessLog(
  policy: AccessLogPolicy,
  keySalt: string,
  format: LogFormat = "json",
): AccessLog {
  if (policy.kind === "off") return { wants: () => false, write: () => {}, flush: async () => {} };
  const log = createLog(format);
  const sharePpm = policy.kind === "all" ? WHOLE_PPM : policy.kind === "share" ? policy.ppm : 0;
  return {
    wants: (status, failure) =>
      status >= 500 || failure !== null || (sharePpm > 0 && Math.random() * WHOLE_PPM < sharePpm),
    write: (entry) => log.info(publicFields(entry, keySalt), "request"),
    flush: () => flushLog(log),
  };
}

function publicFields(entry: AccessEntry, keySalt: string) {
  return {
    ...entry,
    path: entry.path.length > MAX_PATH_CHARS ? `${entry.path.slice(0, MAX_PATH_CHARS)}…` : entry.path,
    durationMs: roundMs(entry.durationMs),
    backendMs: entry.backendMs === null ? null : roundMs(entry.backendMs),
    key:
      entry.key === null ? null : hash("sha256", `${keySalt}\0${entry.key}`, "hex").slice(0, KEY_HASH_DIGITS),
  };
}

function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
