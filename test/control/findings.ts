/** Findings of a comparison thread as control receives them, with answers to be kept. */

import type { Compared, Comparison } from "../../src/model/pair.ts";
import type { Difference } from "../../src/model/reports.ts";

const ANSWER = { status: 200, headers: {}, body: "{}", whole: true, bodyBytes: 2 };

export function difference(template: string, more: Partial<Difference> = {}): Difference {
  return { place: template, template, kind: "value", old: '"a"', new: '"b"', relation: null, ...more };
}

export function compared(comparison: Comparison, more: Partial<Compared> = {}): Compared {
  const isMismatch = comparison.kind === "mismatch";
  return {
    kind: "compared",
    route: "profiles",
    rulesVersion: "0123456789ab",
    requestId: "r1",
    method: "GET",
    target: "/profiles/1",
    requestHeaders: ["accept", "application/json"],
    unit: null,
    comparison,
    noise: null,
    ticket: null,
    confirms: null,
    old: isMismatch ? ANSWER : null,
    new: isMismatch ? ANSWER : null,
    ...more,
  };
}

/** A mismatch that differs at these places. */
export function mismatchAt(templates: readonly string[], more: Partial<Compared> = {}): Compared {
  return compared({ kind: "mismatch", differences: templates.map((each) => difference(each)) }, more);
}

export const match = (more: Partial<Compared> = {}): Compared => compared({ kind: "match" }, more);
