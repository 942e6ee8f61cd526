/** What a simulation assumed, and what its log cannot tell: sentences for people. */

import { shortDuration } from "../model/rollout-state.ts";
import type { Gate, Route, Ruleset } from "../model/ruleset.ts";
import { amount, nameOf, percentOf } from "./fault-notes.ts";
import type { Recording, RouteTape } from "./intake.ts";
import type { SimulationOptions } from "./options.ts";
import type { LogSummary } from "./read-log.ts";

/** Of the log as a whole. */
export function logNotes(
  ruleset: Ruleset,
  recording: Recording,
  log: LogSummary,
  { runs, assumed, faults }: SimulationOptions,
): string[] {
  const notes: string[] = [];
  const { unmatched, timed, tapes, seconds } = recording;
  if (unmatched > 0) {
    const [match, are] = unmatched === 1 ? ["matches", "is"] : ["match", "are"];
    notes.push(`${amount(unmatched, "request")} ${match} no route of the rules and ${are} left out`);
  }
  if (log.outOfOrder > 0) {
    const [were, counts] =
      log.outOfOrder === 1 ? ["was", "it counts when it came"] : ["were", "they count when they came"];
    notes.push(`${amount(log.outOfOrder, "line")} ${were} out of order by more than a minute; ${counts}`);
  }
  for (const fault of faults) {
    if (fault.fromMs >= seconds * 1000)
      notes.push(
        `--inject ${nameOf(fault)} never happens: it begins after ${shortDuration(fault.fromMs)}, and the log ends after ${shortDuration(seconds * 1000)}`,
      );
  }
  const withHosts = ruleset.routes.filter(({ match }) => match.some(({ hosts }) => hosts !== null));
  if (withHosts.length > 0)
    notes.push(`the log does not say the host: match.hosts of ${names(withHosts)} was taken to match`);
  const byHeaders = ruleset.routes.filter(({ match }) =>
    match.some(({ headers }) => Object.keys(headers).length > 0),
  );
  if (byHeaders.length > 0) {
    notes.push(
      `match.headers of ${names(byHeaders)}: the log has none, so only what it names the route of is there`,
    );
  }
  if (timed === 0 && tapes.some(({ route }) => route.guard?.latency != null)) {
    notes.push("the log has no durations: latency is not judged");
  }
  if (runs === 0) notes.push("--runs 0: neither false rollbacks nor detection were simulated");
  if (tapes.some(({ route }) => route.rollout?.steps.some(({ approve }) => approve))) {
    const when =
      assumed.approveAfterMs === 0 ? "at once" : `${assumed.approveAfterMs / 60_000} min after all else`;
    notes.push(`steps that need approval were approved ${when}`);
  }
  return notes;
}

/** Of one route. */
export function routeNotes({ route, tape, byNew }: RouteTape, options: SimulationOptions): string[] {
  const { assumed, factors } = options;
  const { rollout, canary, guard } = route;
  if (tape.requests === 0) return ["no request of this log is for this route"];
  if (route.new === null) return ["it serves from old alone: there is nothing to simulate"];
  const notes: string[] = [];
  if (byNew > 0) {
    const share = percentOf(byNew / tape.requests);
    notes.push(`${share} of its answers in the log are new's: they are taken as if old had given them`);
  }
  if (rollout === null) notes.push("no rollout: its shares stay as they are for the whole log");
  else notes.push(...rolloutNotes(rollout, assumed.gates));
  if (guard === null) notes.push("not guarded: nothing rolls it back");
  const shows =
    route.compare !== null &&
    (rollout?.steps.some(({ shadowPpm }) => shadowPpm > 0) ?? route.shadow.sharePpm > 0);
  if (shows) notes.push("the log has no answers to shadows: every pair was taken to match");
  if (canary.always.length + canary.never.length > 0) {
    notes.push(
      "canary.always and canary.never look at headers, which the log does not have: they were left out",
    );
  }
  if (route.key.length > 0 && tape.keyed === 0) {
    notes.push("the log does not say who requests are from: each was drawn on its own");
  } else if (tape.keyed > 0 && tape.keyed < tape.requests) {
    const keyless = tape.requests - tape.keyed;
    const have = keyless === 1 ? "has" : "have";
    notes.push(`${amount(keyless)} of its requests ${have} no key in the log: each was drawn on its own`);
  }
  if (tape.errors === 0 && factors.some(({ kind }) => kind === "times")) {
    notes.push("the log has no errors to multiply: write a share as the factor, such as 10%");
  }
  return notes;
}

function rolloutNotes(
  { start, gates }: NonNullable<Route["rollout"]>,
  told: ReadonlyMap<string, number>,
): string[] {
  const notes: string[] = [];
  if (start === "paused") notes.push("start: paused; it was begun with the log's first request");
  const assumedYes = Object.entries(gates).filter(([name, gate]) => !told.has(name) && !isWindow(gate));
  if (assumedYes.length > 0) {
    const list = assumedYes.map(([name]) => name).join(", ");
    notes.push(`gates were assumed to say yes: ${list} (--gate NAME=no, or yes@3h)`);
  }
  return notes;
}

function isWindow({ kind }: Gate): boolean {
  return kind === "window";
}

function names(routes: readonly Route[]): string {
  return routes.map(({ name }) => name).join(", ");
}
