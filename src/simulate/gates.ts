/** What gates and people say in a simulation: nobody is asked, so it is assumed, and said. */

import type { GateAnswer } from "../model/rollout-state.ts";
import type { Gate, Rollout } from "../model/ruleset.ts";
import { isWithin } from "../model/time-window.ts";

/** What is assumed. */
export interface Assumptions {
  /** Gates by name; milliseconds since the start from which one says yes, infinity: never. Absent: yes at once. */
  readonly gates: ReadonlyMap<string, number>;
  /** So long after all else is there a step that needs approval is approved. */
  readonly approveAfterMs: number;
}

/** The answers of a step's gates so long after the simulation's start; windows go by the log's clock. */
export function answerGates(
  names: readonly string[],
  gates: Rollout["gates"],
  assumed: Assumptions["gates"],
  startMs: number,
  elapsedMs: number,
): readonly GateAnswer[] {
  return names.map((name) => ({ name, ...answerOf(name, gates[name], assumed, startMs, elapsedMs) }));
}

function answerOf(
  name: string,
  gate: Gate | undefined,
  assumed: Assumptions["gates"],
  startMs: number,
  elapsedMs: number,
): Pick<GateAnswer, "answer" | "why"> {
  const fromMs = assumed.get(name);
  if (fromMs !== undefined) {
    return elapsedMs >= fromMs ? { answer: "yes", why: "as told" } : { answer: "no", why: "as told" };
  }
  if (gate?.kind === "window") {
    const isOpen = isWithin(gate.window, startMs + elapsedMs);
    return { answer: isOpen ? "yes" : "no", why: `${isOpen ? "within" : "outside of"} ${gate.window.text}` };
  }
  return { answer: "yes", why: "assumed" };
}
