/** What a rollout leaves open, as far as the gateway can tell. */

import { inlineText } from "./markdown.ts";
import { thousands } from "./report-words.ts";
import type { RouteStatus } from "./reports.ts";
import { stepNumber, type Trail } from "./rollout-trail.ts";

/** Markdown list items; never empty. */
export function openQuestions(status: RouteStatus, trail: Trail): string[] {
  const questions = [
    ...ofState(status),
    ...ofGates(status),
    ...ofComparison(status),
    ...ofPins(status),
    ...ofShortcuts(trail),
  ];
  return questions.length === 0
    ? ["None that the gateway knows of."]
    : questions.map((question) => `- ${question}`);
}

function ofState({ state, requests }: RouteStatus): string[] {
  if (state === "rolled-back") return ["Is the cause of the rollback mended? Until a reset nothing moves."];
  if (state === "paused" || state === "baking") return ["It has not come to its end yet."];
  return state === "completed" && requests.new === 0
    ? ["New has answered nobody since the gateway was started."]
    : [];
}

function ofGates({ gates }: RouteStatus): string[] {
  return gates
    .filter(({ answer }) => answer !== "yes")
    .map(({ name, answer, why }) => `The gate ${inlineText(name)} says ${answer}: ${inlineText(why)}.`);
}

function ofComparison({ comparisons }: RouteStatus): string[] {
  const { match, mismatch, noise, transient, uncompared } = comparisons;
  const compared = match + mismatch + noise + transient;
  const questions: string[] = [];
  if (mismatch > 0) {
    questions.push(
      `${thousands(mismatch)} of ${thousands(compared)} compared pairs differ: are all of these differences meant?`,
    );
  }
  if (uncompared > 0)
    questions.push(`${thousands(uncompared)} pairs could not be compared: nothing is known of them.`);
  return questions;
}

function ofPins({ pins }: RouteStatus): string[] {
  if (pins === 0) return [];
  return [
    `${thousands(pins)} ${pins === 1 ? "key is" : "keys are"} pinned to a side, whatever the share is.`,
  ];
}

/** Where a person went past what the steps would have shown. */
function ofShortcuts({ moves }: Trail): string[] {
  return moves.flatMap(({ entry }) => {
    const [from, to] = [stepNumber(entry.from), stepNumber(entry.to)];
    if (entry.by !== "operator" || from === null || to === null || to <= from + 1) return [];
    const passed = to === from + 2 ? `Step ${from + 1} was` : `Steps ${from + 1} to ${to - 1} were`;
    return [`${passed} passed over by an operator: ${inlineText(entry.reason)}`];
  });
}
