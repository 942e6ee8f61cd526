/** Which format of the metrics a scraper asks for. */

import type { Format } from "./exposition.ts";

interface Range {
  /** Lower case, such as "text/plain", or with a `*`. */
  readonly type: string;
  /** Without q. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly q: number;
}

interface Offer {
  readonly type: string;
  readonly version: string;
}

const TEXT: Offer = { type: "text/plain", version: "0.0.4" };
const OPEN_METRICS: Offer = { type: "application/openmetrics-text", version: "1.0.0" };

/** Prometheus sends some 250; broken quotes take longer to read the more there are. */
const MAX_CHARS = 1_000;
const QUALITY = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;
/** A member of the list, or a parameter of a member: commas and semicolons within quotes divide nothing. */
const MEMBERS = /(?:[^,"]|"(?:[^"\\]|\\.)*")+/g;
const PARAMETERS = /(?:[^;"]|"(?:[^"\\]|\\.)*")+/g;

/**
 * By the `Accept` field (RFC 9110 §12.5.1): OpenMetrics where it is asked for by name and wanted at least as much as
 * text; else text, also where neither is acceptable, as a browser or curl shall see something.
 */
export function formatFor(accept: string | undefined): Format {
  if (accept === undefined || accept.length > MAX_CHARS) return "text";
  const ranges = (accept.match(MEMBERS) ?? []).flatMap(readRange);
  const open = wish(ranges, OPEN_METRICS);
  const isNamed = open.rank > RANK.anything;
  return isNamed && open.q > 0 && open.q >= wish(ranges, TEXT).q ? "openmetrics" : "text";
}

/** How exactly a range says what it means; the more, the more it counts. */
const RANK = { none: 0, anything: 1, kind: 2, type: 3, version: 4 } as const;

interface Wish {
  readonly rank: number;
  readonly q: number;
}

/** The most exact range that has it says how much it is wanted; 0: not at all. */
function wish(ranges: readonly Range[], offer: Offer): Wish {
  let best: Wish = { rank: RANK.none, q: 0 };
  for (const range of ranges) {
    const rank = rankOf(range, offer);
    const isBetter = rank > best.rank || (rank === best.rank && range.q > best.q);
    if (rank > RANK.none && isBetter) best = { rank, q: range.q };
  }
  return best;
}

function rankOf({ type, parameters }: Range, offer: Offer): number {
  if (type === "*/*") return RANK.anything;
  if (type === `${offer.type.split("/")[0]}/*`) return RANK.kind;
  const charset = parameters.get("charset") ?? "utf-8";
  if (type !== offer.type || charset.toLowerCase() !== "utf-8") return RANK.none;
  const version = parameters.get("version");
  if (version === undefined) return RANK.type;
  return version === offer.version ? RANK.version : RANK.none;
}

/** None: it is malformed, and says nothing. */
function readRange(member: string): Range[] {
  const [type = "", ...rest] = (member.match(PARAMETERS) ?? []).map((part) => part.trim());
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const mark = part.indexOf("=");
    if (mark > 0) parameters.set(part.slice(0, mark).toLowerCase(), unquoted(part.slice(mark + 1)));
  }
  const q = parameters.get("q") ?? "1";
  return QUALITY.test(q) ? [{ type: type.toLowerCase(), parameters, q: Number(q) }] : [];
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
}
