/** Times, durations and counts of a report, for people. */

import { shortDuration } from "./rollout-state.ts";

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3})\d*)?Z$/;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Milliseconds since 1970 of a time in UTC as ISO 8601 ("2026-01-02T03:04:05.678Z"); null for anything else. */
export function instantMs(at: string): number | null {
  const parts = ISO.exec(at);
  if (parts === null) return null;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number);
  const fraction = Number((parts[7] ?? "").padEnd(3, "0"));
  return (
    daysSince1970(year, month, day) * DAY_MS + hour * HOUR_MS + minute * 60_000 + second * 1_000 + fraction
  );
}

/** In the Gregorian calendar. Years begin in March here, so that a leap day is the last of one. */
function daysSince1970(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** "2026-01-02 03:04:05 UTC"; a text that is no time as it is. */
export function utcWords(at: string): string {
  return ISO.test(at) ? `${at.slice(0, 10)} ${at.slice(11, 19)} UTC` : at;
}

/** Like shortDuration, and beyond two days "3 d 4 h". */
export function longDuration(ms: number): string {
  if (ms < 2 * DAY_MS) return shortDuration(ms);
  const hours = Math.floor(ms / HOUR_MS);
  const rest = hours % 24;
  return rest === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${rest} h`;
}

/** "1,234" */
export function thousands(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
