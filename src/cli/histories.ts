/** The gateway's own histories of the routes that are watched, asked for in the background. */

import type { HistoryReport } from "../model/history-report.ts";
import type { AdminClient } from "./client.ts";
import { CliError, EXIT_UNREACHABLE } from "./exit.ts";
import { fetchHistory } from "./status-fetch.ts";

export interface Histories {
  /** Asks for those that it has not asked for. Throws what is a defect, once one came to light. */
  want(routes: readonly string[]): void;
  /** All are asked for again. */
  forget(): void;
  /** Why there is none; null: nothing went wrong. */
  note(): string | null;
}

const AT_ONCE = 4;
/** After so many, and nothing else, a token is missing: all others would be refused too. */
const MOST_REFUSALS = 3;

/** Hands each history over as it comes. */
export function historiesOf(
  client: AdminClient,
  take: (route: string, history: HistoryReport) => void,
): Histories {
  const asked = new Set<string>();
  let waiting: string[] = [];
  let running = 0;
  let hasTaken = false;
  let refusals: readonly string[] = [];
  let defect: unknown = null;
  const failed = (error: unknown) => {
    if (!(error instanceof CliError)) {
      defect = error;
      waiting = [];
    } else if (error.exitCode === EXIT_UNREACHABLE) {
      // The next look that succeeds asks for them again.
      asked.clear();
      waiting = [];
    } else refusals = [...refusals, error.message.split("\n")[0] ?? ""];
    if (!hasTaken && refusals.length >= MOST_REFUSALS) waiting = [];
  };
  const work = async (): Promise<void> => {
    for (let route = waiting.shift(); route !== undefined; route = waiting.shift()) {
      try {
        take(route, await fetchHistory(client, route));
        hasTaken = true;
      } catch (error) {
        failed(error);
      }
    }
    running -= 1;
  };
  return {
    want(routes) {
      if (defect !== null) throw defect;
      const fresh = routes.filter((route) => !asked.has(route));
      for (const route of fresh) asked.add(route);
      waiting.push(...fresh);
      while (running < AT_ONCE && waiting.length > 0) {
        running += 1;
        void work();
      }
    },
    forget() {
      asked.clear();
      refusals = [];
    },
    note: () =>
      hasTaken || refusals.length === 0 ? null : `the charts begin with this watch: ${refusals[0]}`,
  };
}
