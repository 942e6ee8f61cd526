/** Points in time as APIs write them. Strict: what could be read in two ways is not one. */

/** Nanoseconds since 1970. */
export interface Instant {
  readonly ns: bigint;
  readonly form: "text" | "seconds" | "milliseconds";
}

const ISO =
  /^(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)? ?(Z|z|UTC|GMT|[+-]\d\d(?::?\d\d)?)$/;
const RFC_1123 =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) (GMT|UTC|[+-]\d{4})$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const NS_PER_SECOND = 1_000_000_000n;

/** A timestamp with its offset, or an epoch of 9 to 10 (seconds) or 12 to 13 digits (milliseconds); null: neither. */
export function instantOf(text: string): Instant | null {
  if (text.length < 9 || text.length > 40 || !/^(?:\d{4}|[MTWFS][a-z]{2},)/.test(text)) return null;
  const epoch = /^(\d{9,13})(?:\.(\d{1,9}))?$/.exec(text);
  if (epoch !== null) return epochOf(epoch[1] ?? "", epoch[2] ?? "");
  const iso = ISO.exec(text);
  if (iso !== null) {
    const [, year, month, day, hour, minute, second = "0", fraction = "", offset = "Z"] = iso;
    return instant([year, month, day, hour, minute, second].map(Number), fraction, offset);
  }
  const rfc = RFC_1123.exec(text);
  if (rfc === null) return null;
  const [, day, month = "", year, hour, minute, second, offset = "GMT"] = rfc;
  const fields = [year, MONTHS.indexOf(month) + 1, day, hour, minute, second].map(Number);
  return instant(fields, "", offset);
}

function epochOf(digits: string, fraction: string): Instant | null {
  if (digits.length === 11) return null;
  const form = digits.length <= 10 ? "seconds" : "milliseconds";
  const perUnit = form === "seconds" ? NS_PER_SECOND : 1_000_000n;
  const part = (BigInt(fraction.padEnd(9, "0")) * perUnit) / NS_PER_SECOND;
  return { ns: BigInt(digits) * perUnit + part, form };
}

function instant(fields: readonly number[], fraction: string, offset: string): Instant | null {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(ms);
  // 31 February is no day; a leap second is none here.
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24;
  if (!isReal || minute > 59 || second > 59 || year < 100) return null;
  const signed = /^([+-])(\d\d):?(\d\d)?$/.exec(offset);
  const offsetMinutes =
    signed === null ? 0 : (Number(signed[2]) * 60 + Number(signed[3] ?? "0")) * (signed[1] === "-" ? -1 : 1);
  const ns = BigInt(ms - offsetMinutes * 60_000) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
  return { ns, form: "text" };
}

/** How the second of two timestamps follows from the first; null: in no regular way. */
export function instantRelation(old: Instant, fresh: Instant): string | null {
  if (old.ns === fresh.ns) return unitRelation(old, fresh) ?? "timestamp format";
  const distance = old.ns > fresh.ns ? old.ns - fresh.ns : fresh.ns - old.ns;
  if (distance < NS_PER_SECOND) {
    if (isTruncated(old.ns, fresh.ns)) return unitRelation(old, fresh) ?? "timestamp precision";
    if (isTruncated(fresh.ns, old.ns)) return unitRelation(old, fresh) ?? "timestamp precision";
    return null;
  }
  const quarter = 900n * NS_PER_SECOND;
  if (old.form !== "text" || fresh.form !== "text" || distance % quarter !== 0n || distance > 56n * quarter)
    return null;
  const minutes = Number(distance / (60n * NS_PER_SECOND));
  const clock = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  return `time shifted by ${fresh.ns > old.ns ? "+" : "-"}${clock}`;
}

function unitRelation(old: Instant, fresh: Instant): string | null {
  if (old.form === "milliseconds" && fresh.form === "seconds") return "seconds for milliseconds";
  return old.form === "seconds" && fresh.form === "milliseconds" ? "milliseconds for seconds" : null;
}

/** Whether `coarse` is `fine` without its last digits: whole seconds, milliseconds or microseconds. */
function isTruncated(fine: bigint, coarse: bigint): boolean {
  return [NS_PER_SECOND, 1_000_000n, 1000n].some(
    (unit) => coarse % unit === 0n && fine - (fine % unit) === coarse,
  );
}

/** Year, month and day of a date without time; the ambiguous forms give both readings. */
export function dateReadings(text: string): readonly string[] {
  const iso = /^(\d{4})[-/.]?(\d\d)[-/.]?(\d\d)$/.exec(text);
  if (iso !== null) return [`${iso[1]}-${iso[2]}-${iso[3]}`].filter(isDay);
  const other = /^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$/.exec(text);
  if (other === null) return [];
  const [, first = "", second = "", year] = other;
  const [one, two] = [first.padStart(2, "0"), second.padStart(2, "0")];
  return [`${year}-${one}-${two}`, `${year}-${two}-${one}`].filter(isDay);
}

function isDay(date: string): boolean {
  return instantOf(`${date}T00:00:00Z`) !== null;
}
