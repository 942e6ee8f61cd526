/** Rows of the history as the store has them. */

import type { Row } from "../model/history.ts";
import { decodeMoment, encodeMoment, type Moment, ROW_FORMAT } from "../model/history-moment.ts";
import type { HistoryRecord } from "./store-types.ts";

export function recordOf({ resolution, stretch, moments }: Row): HistoryRecord {
  const { from, to, atMs, seconds } = stretch;
  const routes: Record<string, readonly (number | null)[]> = Object.create(null);
  for (const [route, moment] of moments) routes[route] = encodeMoment(moment);
  const at = new Date(atMs).toISOString();
  return { resolution, from, to, at, seconds, format: ROW_FORMAT, routes: JSON.stringify(routes) };
}

/** Undefined: of another format, or not to be read. */
export function rowOf({ resolution, from, to, at, seconds, format, routes }: HistoryRecord): Row | undefined {
  if (format !== ROW_FORMAT || to <= from) return undefined;
  const moments = new Map<string, Moment>();
  for (const [route, sent] of Object.entries(objectOf(routes) ?? {})) {
    const moment = decodeMoment(sent);
    if (moment !== undefined) moments.set(route, moment);
  }
  if (moments.size === 0 && routes !== "{}") return undefined;
  return { resolution, stretch: { from, to, atMs: Date.parse(at), seconds }, moments };
}

function objectOf(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined; // said by whoever restores, as all that cannot be read
  }
}
