/** Shares, durations, sizes and rates as people write them: parsed with errors that teach, and printed back. */

import { WHOLE_PPM } from "../model/ruleset.ts";

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: string };

const ok = <T>(value: T): Parsed<T> => ({ ok: true, value });
const no = (why: string): Parsed<never> => ({ ok: false, why });

const PPM_PER_PERCENT = 10_000;
const PERCENT_DECIMALS = 4;
const BARE_NUMBER = /^[0-9]+(?:\.[0-9]+)?$/;

/** "5%" → 50_000 millionths, exactly. */
export function parseShare(text: string): Parsed<number> {
  if (BARE_NUMBER.test(text)) return no(`write ${meantShare(text)}`);
  if (/^(?:off|no|none|false)$/i.test(text)) return no("write 0% for none");
  const parts = /^(-?)([0-9]+)(?:\.([0-9]+))?\s?%$/.exec(text);
  if (!parts) return no("write a share such as 5% or 0.01%");
  const [, sign = "", whole = "", written = ""] = parts;
  const fraction = written.replace(/0+$/, "");
  if (sign === "-") return no("a share is at least 0%");
  if (fraction.length > PERCENT_DECIMALS) return no("the finest share is 0.0001%");
  const ppm = Number(whole) * PPM_PER_PERCENT + Number(fraction.padEnd(PERCENT_DECIMALS, "0"));
  return ppm > WHOLE_PPM ? no("a share is at most 100%") : ok(ppm);
}

/** Below 1 a bare number is most likely a fraction: 0.05 for 5%. */
function meantShare(text: string): string {
  const ppm = Math.round(Number(text) * WHOLE_PPM);
  if (ppm === 0 || ppm >= WHOLE_PPM) return `${text}%`;
  const asWritten = parseShare(`${text}%`).ok ? ` (or ${text}%)` : "";
  return `${formatShare(ppm)}${asWritten}: a share needs its unit`;
}

/** 50_000 → "5%"; the inverse of parseShare. */
export function formatShare(ppm: number): string {
  const fraction = String(ppm % PPM_PER_PERCENT)
    .padStart(PERCENT_DECIMALS, "0")
    .replace(/0+$/, "");
  return `${Math.floor(ppm / PPM_PER_PERCENT)}${fraction === "" ? "" : `.${fraction}`}%`;
}

const MAX_RELATIVE_DECIMALS = 12;

/** "1%" → 0.01, of any precision that numbers have: an allowance, not a share of traffic. */
export function parseRelative(text: string): Parsed<number> {
  if (BARE_NUMBER.test(text)) return no(`write ${meantShare(text)}`);
  const parts = /^([0-9]+(?:\.([0-9]+))?)\s?%$/.exec(text);
  if (!parts) return no("write a percentage above 0, such as 1% or 0.001%");
  if ((parts[2] ?? "").length > MAX_RELATIVE_DECIMALS)
    return no(`write at most ${MAX_RELATIVE_DECIMALS} digits after the point`);
  const ratio = Number(`${parts[1]}e-2`);
  if (ratio === 0) return no("it must be above 0%");
  return ratio <= 1 ? ok(ratio) : no("it is at most 100%");
}

/** 0.01 → "1%"; the inverse of parseRelative. */
export function formatRelative(ratio: number): string {
  const percent = shifted(ratio, 2);
  return `${percent.toLocaleString("en", { useGrouping: false, maximumFractionDigits: 20 })}%`;
}

/** Times a power of ten in decimal, where floating point would leave 0.07 at 7.000000000000001. */
function shifted(value: number, places: number): number {
  const [digits, exponent = "0"] = String(value).split("e");
  return Number(`${digits}e${Number(exponent) + places}`);
}

const DURATION_UNITS_MS: readonly (readonly [string, number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

/** "250ms", "10s", "5m", "1h", "1d" → milliseconds, a whole number. */
export function parseDuration(text: string): Parsed<number> {
  if (BARE_NUMBER.test(text)) return no(`write ${text}s (units: ms, s, m, h, d)`);
  const parts = /^([0-9]+(?:\.[0-9]+)?)\s?(ms|s|m|h|d)$/.exec(text);
  if (!parts) return no("write one number and its unit: 250ms, 10s, 5m, 1h or 1d");
  const unitMs = DURATION_UNITS_MS.find(([unit]) => unit === parts[2])?.[1] ?? 1;
  const exact = Number(parts[1]) * unitMs;
  const ms = Math.round(exact);
  // 1.1s is 1100 ms, whatever floating point makes of it.
  if (Math.abs(exact - ms) > 1e-6) return no("the finest duration is 1ms");
  return Number.isSafeInteger(ms) ? ok(ms) : no("this is longer than any duration that makes sense here");
}

/** 10_000 → "10s": the largest unit that needs no fraction. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  const [unit, unitMs] = DURATION_UNITS_MS.find(([, each]) => ms >= each && ms % each === 0) ?? ["ms", 1];
  return `${ms / unitMs}${unit}`;
}

const SIZE_UNITS: readonly (readonly [string, number])[] = [
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
  ["B", 1],
];

/** "256KiB" → bytes. */
export function parseSize(text: string): Parsed<number> {
  if (BARE_NUMBER.test(text)) return no(`write ${text}B or ${text}KiB (units: B, KiB, MiB, GiB)`);
  const parts = /^([0-9]+(?:\.[0-9]+)?)\s?([A-Za-z]+)$/.exec(text);
  if (!parts) return no("write one number and its unit: 512B, 64KiB, 1MiB or 1GiB");
  const [, digits = "", unit = ""] = parts;
  const unitBytes = SIZE_UNITS.find(([name]) => name === unit)?.[1];
  if (unitBytes === undefined) {
    const meant = SIZE_UNITS.find(([name]) => name[0] === unit[0]?.toUpperCase())?.[0] ?? "KiB";
    return no(`write ${digits}${meant} (units: B, KiB, MiB, GiB; 1KiB is 1024 bytes)`);
  }
  const bytes = Number(digits) * unitBytes;
  return Number.isSafeInteger(bytes) ? ok(bytes) : no("write a whole number of bytes");
}

/** 262_144 → "256KiB". */
export function formatSize(bytes: number): string {
  const [unit, each] = SIZE_UNITS.find(([, size]) => bytes >= size && bytes % size === 0) ?? ["B", 1];
  return `${bytes / each}${unit}`;
}

const RATE_UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** "200/s" (or /m, /h) → a number per second. */
export function parseRate(text: string): Parsed<number> {
  if (BARE_NUMBER.test(text)) return no(`write ${text}/s`);
  const parts = /^([0-9]+(?:\.[0-9]+)?)\s?\/\s?(s|m|h)$/.exec(text);
  if (!parts) return no("write a rate such as 200/s (or per m, h)");
  const count = Number(parts[1]);
  if (count === 0) return no("a rate is above 0; to send no shadows at all write share: 0%");
  return ok(count / (RATE_UNIT_SECONDS[parts[2] ?? "s"] ?? 1));
}

/** 200 → "200/s"; the coarsest unit in which it is a whole number. */
export function formatRate(perSecond: number): string {
  for (const [unit, seconds] of Object.entries(RATE_UNIT_SECONDS)) {
    const count = Math.round(perSecond * seconds * 1e9) / 1e9;
    if (Number.isInteger(count)) return `${count}/${unit}`;
  }
  return `${perSecond}/s`;
}

/** "1 per 90d" → mean seconds between false alarms. */
export function parseFalseAlarms(text: string): Parsed<number> {
  const parts = /^([0-9]+) per (\S+)$/.exec(text);
  if (!parts) return no("write how many false alarms in how long: 1 per 90d");
  const duration = parseDuration(parts[2] ?? "");
  if (!duration.ok) return no(`after "per" ${duration.why}`);
  const count = Number(parts[1]);
  if (count === 0) return no('no test never errs; write "1 per" a long time, such as 1 per 3650d');
  const seconds = duration.value / 1000 / count;
  return seconds >= 60 ? ok(seconds) : no("at most one a minute: a guard that errs more often is no use");
}

/** 7_776_000 → "1 per 90d". */
export function formatFalseAlarms(seconds: number): string {
  for (let count = 1; count <= 1000; count++) {
    const ms = Math.round(seconds * count * 1e6) / 1e3;
    if (Number.isInteger(ms)) return `${count} per ${formatDuration(ms)}`;
  }
  return `1 per ${Math.round(seconds * 1000)}ms`;
}
