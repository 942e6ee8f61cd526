/** Writes how far rollouts have come: never in the way of a tick, all of them in one transaction. */

import type { RolloutRecord, Store } from "./store-types.ts";

export interface KeeperTools {
  readonly store: Pick<Store, "keepRollouts" | "dropRollouts">;
  readonly storeFailed: (error: unknown) => void;
}

/** What is to be written now; `failed` puts it back. */
export interface Due {
  readonly records: readonly RolloutRecord[];
  readonly failed: () => void;
}

export class RolloutKeeper {
  readonly #tools: KeeperTools;
  readonly #dropped = new Set<string>();
  #underWay: Promise<void> | null = null;

  constructor(tools: KeeperTools) {
    this.#tools = tools;
  }

  /** The store forgets this route's rollout: at the next `keep`, or as soon as the store can. */
  drop(route: string): void {
    this.#dropped.add(route);
  }

  /** It is in the rules again. */
  keepAgain(route: string): void {
    this.#dropped.delete(route);
  }

  /** Writes what is due; while an earlier write is under way it does nothing. Never rejects. */
  keep(collect: () => Due): Promise<void> {
    this.#underWay ??= this.#write(collect()).finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  /** Both are sent off at once: a move that is stored meanwhile must come after what was true before it. */
  async #write({ records, failed }: Due): Promise<void> {
    const { store, storeFailed } = this.#tools;
    const dropped = [...this.#dropped];
    const forget = (): void => {
      for (const route of dropped) this.#dropped.delete(route);
    };
    await Promise.all([
      dropped.length === 0 ? null : store.dropRollouts(dropped).then(forget, storeFailed),
      records.length === 0
        ? null
        : store.keepRollouts(records).catch((error: unknown) => {
            failed();
            storeFailed(error);
          }),
    ]);
  }
}
