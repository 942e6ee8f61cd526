/** Shares, counts, rates and times as people read them, in the terminal and in the browser alike. */

import { instantMs, thousands } from "./report-words.ts";
import type { RouteState } from "./reports.ts";

/** Words for a route's state; the ones that need a person stand out even without colour. */
export const STATE_WORDS: Readonly<Record<RouteState, string>> = {
  serving: "serving",
  baking: "baking",
  paused: "PAUSED",
  "rolled-back": "ROLLED BACK",
  completed: "completed",
};

/** A ratio from 0 to 1 as the rules would write it: 0.05 is "5%", 0.000001 is "0.0001%". */
export function formatShare(ratio: number): string {
  return `${Number((ratio * 100).toFixed(4))}%`;
}

/** A measured ratio from 0 to 1 in three digits: "12.3%", "<0.01%"; never "100%" for less than all. */
export function formatMeasured(ratio: number): string {
  if (!(ratio > 0)) return "0%";
  if (ratio < 0.0001) return "<0.01%";
  if (ratio < 1 && ratio > 0.999) return ">99.9%";
  return `${Number((ratio * 100).toPrecision(3))}%`;
}

/** Counts with thousands separators. */
export function formatCount(count: number): string {
  return thousands(Math.round(count));
}

/** "1 error", "2 errors". */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A rate a second: "0", "<0.1", "0.4", "12", "1,240". */
export function formatPerSecond(perSecond: number): string {
  if (perSecond <= 0) return "0";
  if (perSecond < 0.1) return "<0.1";
  return perSecond < 10 ? String(Number(perSecond.toFixed(1))) : formatCount(perSecond);
}

/** How long ago a time (ISO 8601, UTC) was: "just now", "42 s ago", "3 min ago", "5 h ago", "12 days ago". */
export function formatAgo(at: string, nowMs: number): string {
  const atMs = instantMs(at);
  if (atMs === null) return "–";
  const seconds = Math.floor((nowMs - atMs) / 1000);
  // The clock that wrote it may go before ours.
  if (seconds < 1) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
}

/** What stands for a character that may not be shown: "\x1b", "\u202e". */
export function spelledOut(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}
