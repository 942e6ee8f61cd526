/**
 * Which side serves a request: an ordered list of steps, the first that answers wins. `decide` runs it for
 * traffic, and with a trace for `explain`.
 */

import { bucketOf } from "./bucket.ts";
import type { CompiledRoute } from "./compiled.ts";
import type { Facts } from "./facts.ts";
import { identify, type Who } from "./key.ts";
import type { PathTemplate } from "./path.ts";
import type { PinnedKeys } from "./pins.ts";
import type { Reason } from "./reasons.ts";
import { type SharePpm, type Side, WHOLE_PPM } from "./ruleset.ts";

/** The switches of a route as they stand at this moment, on every thread. */
export interface Live {
  readonly latched: boolean;
  /** The store cannot be trusted: latched without exceptions. */
  readonly closed: boolean;
  readonly canaryPpm: SharePpm;
}

/** Where randomness comes from, passed in. */
export interface Chance {
  /** Uniform in [0, 1). */
  readonly draw: () => number;
  readonly freshKey: () => string;
}

export interface Decision {
  readonly side: Side;
  readonly reason: Reason;
  readonly who: Who | null;
  /** The share of new that the draw used, in millionths; 0: this request was not the draw's to decide. */
  readonly rhoPpm: SharePpm;
}

/** A request on its route, and everything else that may sway the decision. */
export interface Question {
  readonly compiled: CompiledRoute;
  /** Of the condition that matched. */
  readonly template: PathTemplate | null;
  readonly facts: Facts;
  readonly live: Live;
  readonly pins: PinnedKeys;
  /** By a valid token; null: not forced. */
  readonly forced: Side | null;
  readonly chance: Chance;
}

interface Request extends Question {
  readonly who: Who | null;
}

interface Outcome {
  readonly side: Side;
  readonly reason: Reason;
  readonly rhoPpm: SharePpm;
}

interface Step {
  /** A question, for `explain`. */
  readonly asks: string;
  readonly answer: (request: Request) => Outcome | null;
  /** Why it does not answer, for `explain`; absent: "no". */
  readonly passes?: (request: Request) => string;
}

const PINNED_OLD: Outcome = { side: "old", reason: "pinned-old", rhoPpm: 0 };
const PINNED_NEW: Outcome = { side: "new", reason: "pinned-new", rhoPpm: 0 };
const ROLLED_BACK: Outcome = { side: "old", reason: "rolled-back", rhoPpm: 0 };
const SPLIT_NEW: Outcome = { side: "new", reason: "split-new", rhoPpm: 0 };
const CANARY_NEVER: Outcome = { side: "old", reason: "canary-never", rhoPpm: 0 };
const CANARY_ALWAYS: Outcome = { side: "new", reason: "canary-always", rhoPpm: 0 };
const NOT_DRAWN: Outcome = { side: "old", reason: "default-old", rhoPpm: 0 };

/** INTERFACE order. */
const STEPS: readonly Step[] = [
  {
    asks: "is a side forced by a valid token?",
    answer: ({ forced }) => (forced === null ? null : { side: forced, reason: "forced", rhoPpm: 0 }),
  },
  {
    asks: "has an operator pinned the key?",
    answer: pinned,
    passes: whyNotPinned,
  },
  {
    asks: "is the route rolled back?",
    answer: (request) => (request.live.latched && !staysOnNew(request) ? ROLLED_BACK : null),
    passes: ({ live }) => (live.latched ? "yes, but the key stays (split.onRollback: stay)" : "no"),
  },
  {
    asks: "is the key listed in split.old?",
    answer: ({ compiled, who }) => (who !== null && compiled.splitOld(who.key) ? PINNED_OLD : null),
  },
  {
    asks: "is the key listed in split.new or newFile?",
    answer: ({ compiled, who }) => (who !== null && compiled.splitNew(who.key) ? SPLIT_NEW : null),
  },
  {
    asks: "does canary.never match?",
    answer: ({ compiled, facts }) => (compiled.never(facts) ? CANARY_NEVER : null),
  },
  {
    // Before `always`: "other methods stay on old" is how writes are kept on one side.
    asks: "is the method outside canary.methods?",
    answer: ({ compiled, facts }) => (compiled.canaryMethod(facts.method) ? null : NOT_DRAWN),
  },
  {
    asks: "does canary.always match?",
    answer: ({ compiled, facts }) => (compiled.always(facts) ? CANARY_ALWAYS : null),
  },
  { asks: "does the canary share draw it?", answer: drawn },
];

/** One line of an explanation: what was asked, and the answer. */
export interface StepTrace {
  readonly step: string;
  readonly outcome: string;
}

/**
 * Decides one request. Pure but for `chance`: the same request, rules and switches give the same side as long
 * as the request has a key. `trace`, where given, collects each question with its answer.
 */
export function decide(question: Question, trace?: StepTrace[]): Decision {
  const { compiled, template, facts, live, pins, forced, chance } = question;
  const who = identify(compiled.route.key, facts, template, chance.freshKey);
  const request: Request = { compiled, template, facts, live, pins, forced, chance, who };
  for (const { asks, answer, passes } of STEPS) {
    const outcome = answer(request);
    trace?.push({
      step: asks,
      outcome: outcome === null ? (passes?.(request) ?? "no") : `yes: ${outcome.side} (${outcome.reason})`,
    });
    if (outcome !== null) {
      return { side: outcome.side, reason: outcome.reason, who, rhoPpm: outcome.rhoPpm };
    }
  }
  return { side: "old", reason: "default-old", who, rhoPpm: live.canaryPpm };
}

function pinned(request: Request): Outcome | null {
  const { pins, who } = request;
  if (pins.size === 0 || who === null) return null;
  const side = pins.get(who.key);
  if (side === "old") return PINNED_OLD;
  return side === "new" && canBePinnedToNew(request) ? PINNED_NEW : null;
}

/** A store that cannot be trusted knows no exceptions, and rules that took new away leave nothing to go to. */
function canBePinnedToNew({ live, compiled }: Request): boolean {
  return !live.closed && compiled.route.new !== null;
}

function whyNotPinned({ pins, who, live }: Request): string {
  if (who === null || pins.get(who.key) === undefined) return "no";
  return live.closed
    ? "yes, to new, but the state cannot be trusted: everything is on old"
    : "yes, to new, but the rules name no new for this route";
}

/** Keys that were moved for good stay on new through a rollback where the rules say so. */
function staysOnNew({ compiled, who, live }: Request): boolean {
  if (live.closed || compiled.route.split?.onRollback !== "stay" || who === null) return false;
  return compiled.splitNew(who.key) && !compiled.splitOld(who.key);
}

function drawn({ compiled, who, live, chance }: Request): Outcome | null {
  const sharePpm = live.canaryPpm;
  if (sharePpm <= 0) return null;
  const bucket = who === null ? chance.draw() * WHOLE_PPM : bucketOf(compiled.route.name, who.key);
  return bucket < sharePpm ? { side: "new", reason: "canary-share", rhoPpm: sharePpm } : null;
}
