/** What a value that a gate has found says. */

import type { GateAnswer } from "./rollout-state.ts";
import type { GateTest } from "./ruleset.ts";

export type GateSaid = Pick<GateAnswer, "answer" | "why">;

const WORDS: Readonly<Record<GateTest["by"], string>> = {
  below: "below",
  above: "above",
  atMost: "at most",
  atLeast: "at least",
  equals: "to be",
};
const MAX_SHOWN_CHARS = 60;

/** `what` names the value for people. A value of the wrong type is an error: never a yes, and no plain no. */
export function testValue(what: string, value: unknown, { by, value: limit }: GateTest): GateSaid {
  const seen = `${what} is ${shown(value)}`;
  const needs = `needs ${WORDS[by]} ${shown(limit)}`;
  if (by !== "equals" && (typeof value !== "number" || !Number.isFinite(value))) {
    return { answer: "error", why: `${seen}, which is no number (${needs})` };
  }
  return holds(by, value, limit) ? { answer: "yes", why: seen } : { answer: "no", why: `${seen}, ${needs}` };
}

function holds(by: GateTest["by"], value: unknown, limit: GateTest["value"]): boolean {
  if (by === "equals") return value === limit;
  const number = Number(value);
  const bound = Number(limit);
  const tests = {
    below: number < bound,
    above: number > bound,
    atMost: number <= bound,
    atLeast: number >= bound,
  };
  return tests[by];
}

/** Short: the value comes from a stranger, and is shown on one line. */
function shown(value: unknown): string {
  // JSON has no word for infinity.
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "nothing");
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "?");
  return plain.length > MAX_SHOWN_CHARS ? `${plain.slice(0, MAX_SHOWN_CHARS)}…` : plain;
}
