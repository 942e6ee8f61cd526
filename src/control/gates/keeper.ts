/** Keeps asking the gates that rollouts wait for at present, and remembers what they last said. */

import type { GateSaid } from "../../model/gate-test.ts";
import { type GateAnswer, shortDuration } from "../../model/rollout-state.ts";
import type { Gate } from "../../model/ruleset.ts";

/** Gates that cost nothing to ask. */
const OWN_EVERY_MS = 1_000;
/** What a gate said is worth so many of its intervals, and SLACK_MS. */
const LASTS_INTERVALS = 2;
const SLACK_MS = 5_000;

export interface GateKeeperTools {
  readonly ask: (route: string, gate: Gate) => Promise<GateSaid>;
  /** A clock that does not jump. */
  readonly nowMs: () => number;
}

interface Watched {
  readonly id: string;
  readonly everyMs: number;
  readonly timer: NodeJS.Timeout;
  /** Null: no question is under way. */
  asking: Promise<void> | null;
  said: (GateSaid & { readonly atMs: number }) | null;
}

export class GateKeeper {
  readonly #tools: GateKeeperTools;
  readonly #watched = new Map<string, Watched>();

  constructor(tools: GateKeeperTools) {
    this.#tools = tools;
  }

  /** From now on these gates of the route are asked, and no others of it. Safe to repeat. */
  want(route: string, gates: Readonly<Record<string, Gate>>): void {
    const wanted = new Set(Object.keys(gates).map((name) => keyOf(route, name)));
    for (const [key, watched] of this.#watched) {
      if (!key.startsWith(keyOf(route, "")) || wanted.has(key)) continue;
      clearInterval(watched.timer);
      this.#watched.delete(key);
    }
    for (const [name, gate] of Object.entries(gates)) this.#watch(route, name, gate);
  }

  /** What these gates of the route last said; one that was not asked yet, or not for too long, has an error. */
  answers(route: string, names: readonly string[]): readonly GateAnswer[] {
    return names.map((name) => {
      const watched = this.#watched.get(keyOf(route, name));
      if (watched === undefined || watched.said === null)
        return { name, answer: "error", why: "not asked yet" };
      const { answer, why, atMs } = watched.said;
      const ageMs = this.#tools.nowMs() - atMs;
      if (ageMs <= LASTS_INTERVALS * watched.everyMs + SLACK_MS) return { name, answer, why };
      return { name, answer: "error", why: `no answer for ${shortDuration(ageMs)}; the last one: ${why}` };
    });
  }

  /** Asks them all now, where no question is under way, and resolves when they have answered. */
  async refresh(route: string): Promise<void> {
    const all = [...this.#watched].filter(([key]) => key.startsWith(keyOf(route, "")));
    await Promise.all(all.map(([, watched]) => this.#asked.get(watched)?.()));
  }

  stop(): void {
    for (const { timer } of this.#watched.values()) clearInterval(timer);
    this.#watched.clear();
  }

  /** How each is asked; apart from Watched, which is data. */
  readonly #asked = new WeakMap<Watched, () => Promise<void>>();

  #watch(route: string, name: string, gate: Gate): void {
    const key = keyOf(route, name);
    const id = JSON.stringify(gate);
    const before = this.#watched.get(key);
    if (before?.id === id) return;
    if (before !== undefined) clearInterval(before.timer);
    const everyMs = "everyMs" in gate ? gate.everyMs : OWN_EVERY_MS;
    const once = async (): Promise<void> => {
      const said = await this.#tools.ask(route, gate);
      watched.said = { ...said, atMs: this.#tools.nowMs() };
    };
    // A gate that hangs is asked again when it has answered: at most one question at a time.
    const ask = (): Promise<void> => {
      watched.asking ??= once().finally(() => {
        watched.asking = null;
      });
      return watched.asking;
    };
    const timer = setInterval(() => void ask(), everyMs);
    timer.unref();
    const watched: Watched = { id, everyMs, timer, asking: null, said: null };
    this.#watched.set(key, watched);
    this.#asked.set(watched, ask);
    void ask();
  }
}

/** Names of routes hold no spaces. */
function keyOf(route: string, gate: string): string {
  return `${route} ${gate}`;
}
