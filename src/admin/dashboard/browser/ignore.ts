/** How the rules hide one place of a route: the lines to add, and the command that finds where. */

import { shellQuoted } from "../../../model/curl.ts";
import type { Difference } from "../../../model/reports.ts";
import { statusAdvice } from "../../../model/status-advice.ts";

export interface IgnoreAdvice {
  /** Null: no path can name the place, so the command refuses it. */
  readonly command: string | null;
  /** Of the route in the rules; null: it is not to be hidden, and `better` says why. */
  readonly yaml: string | null;
  /** What is better than to hide it; null: nothing is known. */
  readonly better: string | null;
}

export function ignoreAdvice(
  route: string,
  difference: Pick<Difference, "template" | "kind" | "relation" | "old" | "new">,
): IgnoreAdvice {
  const { template, kind, relation } = difference;
  const name = `- name: ${JSON.stringify(route)}`;
  const command = `cutover ignore ${shellQuoted(route)} ${shellQuoted(template)}`;
  const lines = (compare: string): string => `${name}\n  compare:\n    ${compare}`;
  if (template === "status") {
    const advice = statusAdvice(difference.old, difference.new);
    if (advice?.kind === "equal") return { command: null, yaml: lines(advice.rule), better: null };
    return { command: null, yaml: null, better: advice?.why ?? "the rules have no name for such a status" };
  }
  if (template === "body" || /^line\b/.test(template))
    return { command: null, yaml: lines("body: off"), better: null };
  if (template.startsWith("header:")) {
    const header = template.slice("header:".length);
    return {
      command,
      yaml: lines(`headers: [ … ]   # all that are there but ${JSON.stringify(header)}`),
      better: null,
    };
  }
  const better =
    kind === "order"
      ? `only the order differs: unordered: [${yamlText(template)}] goes on comparing the items`
      : relation === null
        ? null
        : `new follows old here (${relation}): to hide it hides other changes of the place too`;
  return { command, yaml: lines(`ignore:\n      - ${yamlText(template)}   # add this line`), better };
}

/** A dollar that would begin a variable is written twice. */
function yamlText(path: string): string {
  return JSON.stringify(path.replace(/\$(?=[${])/g, "$$$$"));
}
