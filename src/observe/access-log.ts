/** The access log: one line a request, sampled; errors always. */

import { hash } from "node:crypto";
import type { Failure } from "../model/failures.ts";
import { type SharePpm, WHOLE_PPM } from "../model/ruleset.ts";
import { type AccessFields, accessLine } from "./access-line.ts";
import { ecsAccessLine } from "./ecs-access.ts";
import type { LogFormat } from "./log.ts";

export type AccessLogPolicy =
  | { readonly kind: "all" }
  | { readonly kind: "errors" }
  | { readonly kind: "off" }
  | { readonly kind: "share"; readonly ppm: SharePpm };

/** `path` without the query, which may hold secrets; `key` as it came: it is logged as a salted hash. */
export type AccessEntry = AccessFields;

export interface AccessLog {
  /** Whether a request with this outcome is logged: asked before its entry is made. */
  wants(status: number, failure: Failure | null): boolean;
  write(entry: AccessEntry): void;
}

/** Long enough to tell a path by, short enough for a line to stay whole. */
const MAX_PATH_CHARS = 512;
const KEY_HASH_DIGITS = 16;

/** `put` takes the lines, each with its newline. */
export function createAccessLog(
  policy: AccessLogPolicy,
  keySalt: string,
  format: LogFormat,
  put: (line: string) => void,
): AccessLog {
  if (policy.kind === "off") return { wants: () => false, write: () => {} };
  const sharePpm = policy.kind === "all" ? WHOLE_PPM : policy.kind === "share" ? policy.ppm : 0;
  const clock = new LineClock();
  const lineOf = format === "ecs" ? ecsAccessLine : accessLine;
  return {
    wants: (status, failure) =>
      status >= 500 || failure !== null || (sharePpm > 0 && Math.random() * WHOLE_PPM < sharePpm),
    write: (entry) => put(lineOf(publicFields(entry, keySalt), clock.iso(Date.now()))),
  };
}

function publicFields(entry: AccessEntry, keySalt: string): AccessFields {
  const { path, backendMs, key } = entry;
  return {
    ...entry,
    path: path.length > MAX_PATH_CHARS ? `${path.slice(0, MAX_PATH_CHARS)}…` : path,
    durationMs: roundMs(entry.durationMs),
    backendMs: backendMs === null ? null : roundMs(backendMs),
    key: key === null ? null : hash("sha256", `${keySalt}\0${key}`, "hex").slice(0, KEY_HASH_DIGITS),
  };
}

function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** ISO 8601 of many times in the same second. */
class LineClock {
  #second = Number.NaN;
  /** Up to the point of the second. */
  #prefix = "";

  iso(wallMs: number): string {
    const second = Math.floor(wallMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#prefix = new Date(second * 1000).toISOString().slice(0, -4);
    }
    return `${this.#prefix}${String(wallMs - second * 1000).padStart(3, "0")}Z`;
  }
}
