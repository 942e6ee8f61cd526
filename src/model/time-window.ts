/** Hours of the week in a time zone: "Mon-Fri 09:00-16:00 Europe/Berlin". */

import type { TimeWindow } from "./ruleset.ts";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
const SYNTAX = /^(?:(\S+)\s+)?(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})(?:\s+(\S+))?$/;
const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

export type ParsedWindow =
  | { readonly ok: true; readonly value: TimeWindow }
  | { readonly ok: false; readonly why: string };

const EXAMPLE = "write days, hours and a zone, such as Mon-Fri 09:00-16:00 Europe/Berlin";

/**
 * Reads `[DAYS] HH:MM-HH:MM [ZONE]`. Days are names, ranges and lists of them ("Mon-Fri", "Sat,Sun"; absent:
 * every day), 24:00 is the end of the day, hours that end before they begin go over midnight and belong to the
 * day that they begin on. The zone is an IANA name; absent: UTC.
 */
export function parseTimeWindow(text: string): ParsedWindow {
  const parts = SYNTAX.exec(text.trim());
  if (parts === null) return { ok: false, why: EXAMPLE };
  const days = parts[1] === undefined ? [1, 2, 3, 4, 5, 6, 7] : parseDays(parts[1]);
  if (days === null) return { ok: false, why: `${parts[1]} are no days: write e.g. Mon-Fri or Sat,Sun` };
  const fromMinute = minuteOf(parts[2], parts[3]);
  const untilMinute = minuteOf(parts[4], parts[5]);
  if (fromMinute === null || untilMinute === null || fromMinute === DAY_MINUTES) {
    return { ok: false, why: "hours go from 00:00 to 24:00" };
  }
  if (fromMinute === untilMinute) {
    return { ok: false, why: "it ends when it begins: for the whole day write 00:00-24:00" };
  }
  const zone = parts[6] ?? "UTC";
  if (!isZone(zone)) {
    return { ok: false, why: `${zone} is no time zone: write an IANA name such as Europe/Berlin, or UTC` };
  }
  return { ok: true, value: { text: text.trim(), days, fromMinute, untilMinute, zone } };
}

/** Whether the window is open at a moment (milliseconds since 1970, UTC). */
export function isWithin(window: TimeWindow, epochMs: number): boolean {
  const { day, minute } = localTime(window.zone, epochMs);
  const { days, fromMinute, untilMinute } = window;
  if (fromMinute < untilMinute) return days.includes(day) && minute >= fromMinute && minute < untilMinute;
  const yesterday = day === 1 ? 7 : day - 1;
  return (days.includes(day) && minute >= fromMinute) || (days.includes(yesterday) && minute < untilMinute);
}

/** Milliseconds until the window opens, to the minute; 0: it is open. Clock changes on the way are minded. */
export function opensInMs(window: TimeWindow, epochMs: number): number {
  if (isWithin(window, epochMs)) return 0;
  const minuteStart = Math.floor(epochMs / MINUTE_MS) * MINUTE_MS;
  // By quarters of an hour first: zones and clock changes keep to those, hours of a window need not.
  let at = minuteStart;
  for (let step = 0; step < 8 * 24 * 4; step++, at += 15 * MINUTE_MS) {
    for (let minute = 1; minute <= 15; minute++) {
      const moment = at + minute * MINUTE_MS;
      if (mayOpenAt(window, moment) && isWithin(window, moment)) return moment - epochMs;
    }
  }
  return at - epochMs;
}

/** Cheap: whether it is that minute of an hour, in any zone with offsets of whole quarters. */
function mayOpenAt({ fromMinute }: TimeWindow, epochMs: number): boolean {
  const minute = Math.floor(epochMs / MINUTE_MS) % 15;
  return minute === fromMinute % 15 || minute === 0;
}

function parseDays(text: string): number[] | null {
  const days = new Set<number>();
  for (const part of text.split(",")) {
    const [first, last, ...more] = part.split("-").map(dayNumber);
    if (first === undefined || first === null || last === null || more.length > 0) return null;
    // Fri-Mon goes over the end of the week.
    for (let day = first; ; day = (day % 7) + 1) {
      days.add(day);
      if (day === (last ?? first)) break;
    }
  }
  return [...days].sort((a, b) => a - b);
}

function dayNumber(name: string): number | null {
  const at = DAYS.findIndex((day) => day.toLowerCase() === name.slice(0, 3).toLowerCase());
  const full = /^(mon|tues|wednes|thurs|fri|satur|sun)day$|^[a-z]{3}$/i;
  return at < 0 || !full.test(name) ? null : at + 1;
}

function minuteOf(hour: string | undefined, minute: string | undefined): number | null {
  const minutes = Number(hour) * 60 + Number(minute);
  return Number(minute) < 60 && minutes <= DAY_MINUTES ? minutes : null;
}

function isZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Making one costs a tenth of a millisecond; rules name a handful. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    formats.set(zone, format);
  }
  return format;
}

function localTime(zone: string, epochMs: number): { readonly day: number; readonly minute: number } {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of formatOf(zone).formatToParts(epochMs)) parts[type] = value;
  return {
    day: dayNumber(parts.weekday ?? "") ?? 1,
    minute: Number(parts.hour) * 60 + Number(parts.minute),
  };
}
