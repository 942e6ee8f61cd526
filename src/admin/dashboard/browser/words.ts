/** Numbers, times and states as people read them. Everything from outside goes through `visible`. */

import {
  counted,
  formatAgo,
  formatCount,
  formatMeasured,
  formatShare,
  spelledOut,
} from "../../../model/figures.ts";
import type { AuditEntry, RollbackReport, RouteStatus, StatusReport } from "../../../model/reports.ts";
import { comparedPairs } from "../../../model/seen.ts";

/** What moves a cursor or makes text read other than it is: controls and bidirectional marks. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** Text from traffic or rules as it may be shown: what cannot be seen is spelled out, and it is cut at `maxChars`. */
export function visible(text: string, maxChars = 400): string {
  const cut = text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
  return cut.replace(UNSEEN, spelledOut);
}

/** Like `visible`, with tabs and line ends as they are. */
export function visibleLine(text: string, maxChars = 2_000): string {
  return text
    .split("\t")
    .map((piece) => visible(piece, maxChars))
    .join("  ");
}

export function ms(value: number): string {
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  return value >= 10 ? `${Math.round(value)} ms` : `${Number(value.toFixed(1))} ms`;
}

/** Local time of the day, with the date where it is another day: "14:03:22", "Mar 3, 14:03:22". */
export function clock(atMs: number, nowMs: number): string {
  const then = new Date(atMs);
  const time = then.toLocaleTimeString("en-GB");
  if (then.toDateString() === new Date(nowMs).toDateString()) return time;
  return `${then.toLocaleDateString("en-US", { month: "short", day: "numeric" })}, ${time}`;
}

export function uptime(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

/** Evidence from here on is worth a look; 1 rolls back. */
const RISING = 0.5;

/** Answers that differ, of the compared ones. */
const WORTH_SAYING = 0.001;

export interface Opinion {
  readonly tone: "good" | "unsure" | "bad" | "none";
  readonly words: string;
}

/** Whether new is as good as old, in a few words. */
export function opinionOf(route: RouteStatus): Opinion {
  if (route.latched) return { tone: "bad", words: "everything is on old" };
  const [metric, value] = worstEvidence(route);
  if (value >= RISING) {
    return { tone: "bad", words: `new looks worse: ${metric} ${value.toFixed(2)} of 1` };
  }
  const ratio = differingRatio(route);
  if (ratio >= WORTH_SAYING) return differs(ratio, route);
  if (route.verdict === "pass") return { tone: "good", words: "new is as good as old" };
  if (route.canary === 0 && route.shadow === 0 && route.requests.new === 0) {
    return { tone: "none", words: "new is not asked" };
  }
  if (Object.keys(route.evidence).length === 0) return { tone: "none", words: "no guard watches new" };
  return { tone: "unsure", words: "no sign that new is worse" };
}

/** Answers may differ within a limit, or without one: neither is "as good as old". */
function differs(ratio: number, { evidence, waitingFor }: RouteStatus): Opinion {
  const words = `${formatMeasured(ratio)} of new's answers differ`;
  // Until it is known what old differs in from itself, no mismatch is judged.
  if (waitingFor.includes("learning noise"))
    return { tone: "unsure", words: `${words}; noise is being learned` };
  return "mismatches" in evidence
    ? { tone: "unsure", words: `${words}, within the limit` }
    : { tone: "bad", words: `${words}, and no limit is set for that` };
}

/** The metric that is nearest to a rollback, and how near. */
export function worstEvidence({ evidence }: RouteStatus): readonly [string, number] {
  let worst: readonly [string, number] = ["", 0];
  for (const [metric, value] of Object.entries(evidence))
    if (value > worst[1]) worst = [visible(metric), value];
  return worst;
}

/** Since when a route is rolled back, by whom, and what for: "14:03:22 (2 min ago), by the guard: errors". */
export function takenBack({ cause, at, by }: RollbackReport, nowMs: number): string {
  const when = `${clock(Date.parse(at), nowMs)} (${formatAgo(at, nowMs)}), by the ${by}`;
  return cause === by ? when : `${when}: ${visible(cause)}`;
}

/** A gateway that begins has only its own clock's seconds. */
const START_SLACK_MS = 1_000;

/** Who put the rules in force that are; a gateway that starts loads them again, whoever did before. */
export function loadedBy(
  { rules, uptimeSeconds }: StatusReport,
  audit: readonly AuditEntry[],
  nowMs: number,
): string {
  const last = audit.find(({ action, to }) => action === "reload" && (to ?? "").includes(rules.version));
  if (last === undefined) return "the start of the gateway";
  const who = `${last.by}: ${visible(last.reason, 300)}`;
  const startedMs = nowMs - uptimeSeconds * 1000 - START_SLACK_MS;
  if (Date.parse(last.at) >= startedMs) return who;
  return `the start of the gateway; before, at ${clock(Date.parse(last.at), nowMs)}, ${who}`;
}

export interface Story {
  /** What comes next. */
  readonly next: string;
  /** What has been seen, in numbers; "" where nothing is told. */
  readonly seen: string;
}

const STATIC = "nothing: the shares are set in the rules";

/** What `waitingFor` says, taken apart: a reader on call first wants to know what comes. */
export function storyOf(route: RouteStatus): Story {
  const text = visible(route.waitingFor, 1_000);
  if (route.latched) {
    const { evidence, reason } = route.rollback ?? {};
    return { next: "nothing moves until a reset", seen: visible(evidence?.summary || reason || text, 1_000) };
  }
  if (text.startsWith(STATIC)) {
    const seen = text.slice(STATIC.length).replace(/^(?:; |, and )/, "");
    return { next: "nothing moves by itself: the rules set the shares", seen };
  }
  if (route.state === "completed") {
    return { next: "completed: there is no further step", seen: text.replace(/^nothing: completed, /, "") };
  }
  const parts = /^(.*); (needs .*|nothing is missing: .*)$/s.exec(text);
  if (parts !== null && route.state === "baking") {
    const needs = parts[2] ?? "";
    return { next: needs.replace(/^needs /, "goes on after: "), seen: parts[1] ?? "" };
  }
  return { next: `waits for ${text}`, seen: "" };
}

/** "25% of profiles, about 120 requests a second," */
export function portion(route: string, ratio: number, perSecond: number | null): string {
  const part = `${formatShare(ratio)} of ${visible(route)}`;
  if (perSecond === null) return part;
  const moved = perSecond * ratio;
  if (moved <= 0) return `${part} (no requests at present)`;
  return `${part}, ${aboutPerSecond(moved)},`;
}

/** "about 120 requests a second", "no requests". */
export function aboutPerSecond(perSecond: number): string {
  if (perSecond <= 0) return "no requests";
  return `about ${perSecond < 1.5 ? "1 request" : `${formatCount(perSecond)} requests`} a second`;
}

/** "(1.2% of 4,310 pairs)"; "" where nothing was compared. */
export function differing(route: RouteStatus): string {
  const { compared, isAnew } = judgedPairs(route);
  if (compared === 0) return isAnew ? "(no pairs since the rules of comparison changed)" : "";
  const since = isAnew ? " since the rules of comparison changed" : "";
  return `(${formatMeasured(differingRatio(route))} of ${counted(compared, "pair")}${since})`;
}

function differingRatio(route: RouteStatus): number {
  const { compared, mismatches } = judgedPairs(route);
  return compared === 0 ? 0 : mismatches / compared;
}

export interface JudgedPairs {
  readonly compared: number;
  readonly mismatches: number;
  /** Others were compared before them, by other rules. */
  readonly isAnew: boolean;
}

/** The pairs that were compared by the rules in force: what others found says nothing of new any more. */
export function judgedPairs({ comparisons, comparisonsSince }: RouteStatus): JudgedPairs {
  const compared = comparedPairs(comparisons);
  const since = comparisonsSince ?? { compared, mismatches: comparisons.mismatch };
  return { compared: since.compared, mismatches: since.mismatches, isAnew: since.compared < compared };
}
