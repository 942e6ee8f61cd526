/** The values of `simulate`'s flags, as people write them. */

import { WHOLE_PPM } from "../model/ruleset.ts";
import { parseDuration, parseShare } from "../rules/units.ts";
import type { Factor } from "../simulate/factor.ts";
import type { Fault, FaultMetric } from "../simulate/fault.ts";
import { ValueError } from "./address.ts";

const INJECT = /^(old|new|both)\.([a-z-]+)=([^@+]+)(?:@([^@+]+))?(?:\+([^@+]+))?$/;
const SIDES: readonly string[] = ["new", "old", "both"];
const METRICS: readonly FaultMetric[] = ["errors", "client-errors", "slow", "mismatches"];

/** "new.errors=10%@2h", "both.errors=30%@2h+10m" */
export function parseFault(text: string): Fault {
  const parts = INJECT.exec(text);
  if (parts === null) {
    const side = /^([^.=@+]*)\.[a-z-]+=/i.exec(text)?.[1];
    if (side !== undefined && !SIDES.includes(side))
      throw new ValueError(`"${side}" is no side: write new, old, or both, such as new.errors=10%@2h`);
    throw new ValueError(
      "Write what, how much, and from when on: new.errors=10%@2h, or new.errors=10%@2h+30m for half an hour",
    );
  }
  const [, side = "", named = "", share = "", at, lasting] = parts;
  const metric = METRICS.find((each) => each === named);
  if (metric === undefined)
    throw new ValueError(`Of "${named}" nothing is known: write ${METRICS.join(", ")}`);
  if (metric === "mismatches" && side !== "new") {
    throw new ValueError("Only new can differ: write new.mismatches");
  }
  const fromMs = at === undefined ? 0 : duration(at);
  const untilMs = lasting === undefined ? Number.POSITIVE_INFINITY : fromMs + duration(lasting);
  return { side: side as Fault["side"], metric, rate: rateOf(share), fromMs, untilMs };
}

/** "2,10,100%": times old's errors, or a share of new's answers; "none". */
export function parseFactors(text: string): readonly Factor[] {
  if (text.trim() === "none") return [];
  return text.split(",").map((part) => parseFactor(part.trim()));
}

const TIMES = /^[0-9]+(?:\.[0-9]+)?$/;
const MOST_TIMES = 1_000_000;

function parseFactor(text: string): Factor {
  if (text.endsWith("%")) {
    const rate = rateOf(text);
    if (rate === 0) throw new ValueError("0% of the answers are no regression: write more");
    return { kind: "rate", rate, text };
  }
  const times = TIMES.test(text) ? Number(text) : Number.NaN;
  if (!(times > 1 && times <= MOST_TIMES)) {
    throw new ValueError(
      "Write how many times old's errors (2, 10), or a share of new's answers (100%), with commas between; or none",
    );
  }
  return { kind: "times", times };
}

function rateOf(text: string): number {
  const share = parseShare(text.trim());
  if (!share.ok) throw new ValueError(`"${text.trim()}": ${share.why}`);
  return share.value / WHOLE_PPM;
}

function duration(text: string): number {
  const parsed = parseDuration(text.trim());
  if (!parsed.ok) throw new ValueError(`"${text.trim()}": ${parsed.why}`);
  return parsed.value;
}

export interface ToldGate {
  readonly name: string;
  /** Milliseconds since the log's start from which it says yes; infinity: never. */
  readonly fromMs: number;
}

/** "backfill-done=no", "=yes", "=yes@3h" */
export function parseGate(text: string): ToldGate {
  const parts = /^([^=]+)=(yes|no)(?:@(.+))?$/.exec(text);
  const [, name = "", answer, at] = parts ?? [];
  if (parts === null || (answer === "no" && at !== undefined)) {
    throw new ValueError("Write NAME=yes, NAME=no, or NAME=yes@3h");
  }
  if (answer === "no") return { name, fromMs: Number.POSITIVE_INFINITY };
  return { name, fromMs: at === undefined ? 0 : duration(at) };
}

/** "0s", "1h" */
export function parseApproveAfter(text: string): number {
  return duration(text);
}

const MOST_RUNS = 100_000;

export function parseRuns(text: string): number {
  return wholeUpTo(text, MOST_RUNS);
}

const MOST_SEED = 0xffffffff;

export function parseSeed(text: string): number {
  return wholeUpTo(text, MOST_SEED);
}

function wholeUpTo(text: string, most: number): number {
  const value = /^[0-9]{1,12}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= most)) throw new ValueError(`Write a whole number from 0 to ${most}`);
  return value;
}
