/** Findings of a comparison thread, as short as a test can say them. */

import type { Compared, Place } from "../../src/model/pair.ts";
import type { Difference } from "../../src/model/reports.ts";

export function comparedOf(changes: Partial<Compared> = {}): Compared {
  return {
    kind: "compared",
    route: "a",
    rulesVersion: "000000000000",
    requestId: "r",
    method: "GET",
    target: "/",
    requestHeaders: [],
    unit: null,
    comparison: { kind: "match" },
    noise: null,
    ticket: null,
    confirms: null,
    old: null,
    new: null,
    ...changes,
  };
}

/** A pair that differs in value at these paths. */
export function differingAt(templates: readonly string[], changes: Partial<Compared> = {}): Compared {
  const differences = templates.map(differenceAt);
  return comparedOf({ comparison: { kind: "mismatch", differences }, ...changes });
}

export function valueAt(template: string): Place {
  return { template, kind: "value" };
}

function differenceAt(template: string): Difference {
  return { place: template, template, kind: "value", old: '"a"', new: '"b"', relation: null };
}
