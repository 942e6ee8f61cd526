/** Staged rollouts, connected to what they ask and what they move. */

import type { Announcer } from "../control/announcer.ts";
import type { Books } from "../control/books.ts";
import { evidenceOfBook } from "../control/evidence-snapshot.ts";
import { askGate } from "../control/gates/ask.ts";
import { GateKeeper } from "../control/gates/keeper.ts";
import { type PreflightFacts, preflight } from "../control/gates/preflight.ts";
import type { HealthBoard } from "../control/health.ts";
import type { Statistics } from "../control/rollout-tools.ts";
import { Rollouts } from "../control/rollouts.ts";
import { judgeBook, restoreBook, shownOfBook, stepChanged } from "../control/steps.ts";
import type { Store } from "../control/store-types.ts";
import type { Backend, Ruleset } from "../model/ruleset.ts";
import { say } from "./say.ts";

export interface RolloutParts {
  readonly store: Store;
  readonly books: Books;
  readonly announcer: Announcer;
  readonly health: HealthBoard;
  readonly isLatched: (route: string) => boolean;
  /** Those in force. */
  readonly ruleset: () => Ruleset;
  readonly nowMs: () => number;
  readonly nowIso: () => string;
}

export function createRollouts(parts: RolloutParts): Rollouts {
  const { store, books, announcer, isLatched, nowMs, nowIso } = parts;
  const gates = new GateKeeper({
    ask: (route, gate) =>
      askGate(gate, {
        wallMs: Date.now,
        preflight: async () => preflight(route, await preflightFacts(route, parts)),
      }),
    nowMs,
  });
  const statistics: Statistics = {
    judge: judgeBook,
    stepChanged,
    shownOf: shownOfBook,
    restoreShown: restoreBook,
    evidence: (book, summary) => evidenceOfBook(book, summary, parts.ruleset().version),
  };
  return new Rollouts({
    store,
    books,
    late: announcer.late,
    gates,
    statistics,
    isLatched,
    nowMs,
    nowIso,
    announce: (entry) => announcer.announce(entry),
    log: (msg, fields) => announcer.log(msg, fields),
    say: (text) => say(text),
    storeFailed: (error) => announcer.storeFailed(error),
  });
}

async function preflightFacts(name: string, parts: RolloutParts): Promise<PreflightFacts> {
  const { routes, backends } = parts.ruleset();
  const route = routes.find((each) => each.name === name);
  const rehearsed = await parts.store.newestAudit({ route: name, action: "rollback", by: "operator" });
  const asked = [route?.old, route?.new].flatMap((backend): Backend[] => {
    const found = typeof backend === "string" ? backends[backend] : undefined;
    return found === undefined ? [] : [found];
  });
  const words = parts.health.buffers(backends);
  return {
    rehearsedAt: rehearsed?.at ?? null,
    backends: asked,
    isHealthy: (backend, endpoint) => {
      const buffer = words[backend];
      if (buffer === undefined || backends[backend]?.health == null) return null;
      return Atomics.load(new Int32Array(buffer), endpoint) === 0;
    },
  };
}
