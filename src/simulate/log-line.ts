/** One line of an access log, ours (JSON) or the common or combined format, as a request that happened. */

import type { Side } from "../model/ruleset.ts";

export interface LoggedRequest {
  /** When it ended or began, as the log has it; milliseconds since 1970. */
  readonly atMs: number;
  readonly method: string;
  /** Origin-form; our own log has no query. */
  readonly target: string;
  /** Null: the log does not say. */
  readonly host: string | null;
  readonly ip: string;
  /** The route that served it; null: another log than ours. */
  readonly route: string | null;
  /** That answered; null: the log does not say. */
  readonly side: Side | null;
  /** Who it was from: a salted hash in our log; null: nobody in particular. */
  readonly key: string | null;
  readonly failed: boolean;
  readonly clientError: boolean;
  /** Null: the log does not say. */
  readonly durationMs: number | null;
}

export type ReadLine =
  | { readonly kind: "request"; readonly request: LoggedRequest }
  /** A line of another sort, such as an event of ours: no request, and nothing wrong. */
  | { readonly kind: "other" }
  | { readonly kind: "unreadable"; readonly why: string };

/** Reads a line; never throws. */
export function readLine(line: string): ReadLine {
  if (line.trim() === "") return { kind: "other" };
  return line.startsWith("{") ? readJson(line) : readCommon(line);
}

function readJson(line: string): ReadLine {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    return unreadable("no JSON, or half a line");
  }
  if (typeof fields !== "object" || fields === null) return unreadable("no JSON object");
  const entry = ownNames(fields as Entry);
  if (entry.msg !== "request") return { kind: "other" };
  const { time, method, path, status, failure, route, side, key, durationMs, backendMs } = entry;
  const atMs = typeof time === "number" ? time : Date.parse(String(time));
  if (!Number.isFinite(atMs)) return unreadable("no time");
  if (!isSaneYear(atMs)) return unreadable("a time far from any log");
  if (typeof method !== "string" || typeof path !== "string") return unreadable("no method or path");
  // A client that left says nothing of the backend.
  const isGone = failure === "client_gone";
  const code = typeof status === "number" ? status : 0;
  return {
    kind: "request",
    request: {
      atMs,
      method,
      target: path,
      host: null,
      ip: "",
      route: typeof route === "string" ? route : null,
      side: side === "old" || side === "new" ? side : null,
      key: typeof key === "string" ? key : null,
      failed: !isGone && (code >= 500 || (typeof failure === "string" && failure !== "")),
      clientError: !isGone && code >= 400 && code < 500,
      durationMs: numberOf(backendMs) ?? numberOf(durationMs),
    },
  };
}

type Entry = Readonly<Record<string, unknown>>;

/** A line of `--log-format ecs` by our own names (observe/ecs.ts writes them); any other as it is. */
function ownNames(entry: Entry): Entry {
  if (entry["event.dataset"] !== "cutover.access") return entry;
  const milliseconds = (name: string): number | null => {
    const nanoseconds = numberOf(entry[name]);
    return nanoseconds === null ? null : nanoseconds / 1e6;
  };
  return {
    msg: entry["event.action"],
    time: entry["@timestamp"],
    method: entry["http.request.method"],
    path: entry["url.path"],
    status: entry["http.response.status_code"],
    failure: entry["error.type"],
    route: entry["cutover.route"],
    side: entry["cutover.side"],
    key: entry["cutover.key"],
    durationMs: milliseconds("event.duration"),
    backendMs: milliseconds("cutover.backend.duration"),
  };
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** `ip ident user [day/Mon/year:h:m:s zone] "METHOD target HTTP/1.1" status bytes`, and whatever follows. */
const COMMON =
  /^(\S{1,255}) (\S{1,255}) (.{1,255}?) \[(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})\] "([A-Z]{1,32}) (\S+)(?: HTTP\/\d(?:\.\d)?)?" (\d{3}) (?:\d+|-)(.*)$/;
const LONGEST_ZONE_MS = 14 * 3_600_000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** As nginx' $request_time is often put last: seconds with a fraction. */
const LAST_SECONDS = /(?:^|\s)"?(\d{1,6}\.\d{1,9})"?\s*$/;

function readCommon(line: string): ReadLine {
  const found = COMMON.exec(line);
  if (found === null) return unreadable("neither JSON nor common or combined log format");
  const [, ip = "", , , day, month = "", year, hour, minute, second, sign, zoneHours, zoneMinutes] = found;
  const [method = "", target = "", status, rest = ""] = found.slice(13);
  const monthIndex = MONTHS.indexOf(month);
  if (monthIndex < 0) return unreadable(`no month is called ${month}`);
  const zoneMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000 * (sign === "-" ? -1 : 1);
  const localMs = Date.UTC(
    Number(year),
    monthIndex,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  // Date.UTC takes the 31st of February for a day of March.
  const isDate = new Date(localMs).getUTCDate() === Number(day) && Number(hour) < 24 && Number(minute) < 60;
  if (!isDate || Number(second) > 60 || Math.abs(zoneMs) > LONGEST_ZONE_MS) return unreadable("no such time");
  if (!isSaneYear(localMs)) return unreadable("a time far from any log");
  const code = Number(status);
  const seconds = LAST_SECONDS.exec(rest)?.[1];
  return {
    kind: "request",
    request: {
      atMs: localMs - zoneMs,
      method,
      target,
      host: null,
      ip,
      route: null,
      side: null,
      key: null,
      failed: code >= 500,
      // nginx' 499 is a client that left.
      clientError: code >= 400 && code < 499,
      durationMs: seconds === undefined ? null : Number(seconds) * 1000,
    },
  };
}

/** One line of the year 9999 would put all that follow out of order. */
function isSaneYear(atMs: number): boolean {
  const year = new Date(atMs).getUTCFullYear();
  return year >= 1990 && year < 2200;
}

function unreadable(why: string): ReadLine {
  return { kind: "unreadable", why };
}
