/**
 * The rules in force: loads, watches, reloads. A broken file leaves the last good rules serving, and is said
 * once.
 */

import type { Actor, ReloadReport } from "../model/reports.ts";
import type { Ruleset } from "../model/ruleset.ts";
import { diffRulesets } from "../rules/diff.ts";
import { loadRulesInThread } from "../rules/in-thread.ts";
import type { LoadResult } from "../rules/load.ts";
import { type RulesWatcher, watchRules } from "../rules/watch.ts";
import { reloadNotes } from "./reload-notes.ts";

export interface RulesKeeperOptions {
  readonly paths: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Keys the fingerprints of key files; of this process. */
  readonly keyFileSecret: string;
  /** Puts rules in force on every thread; resolves when they are. */
  readonly putInForce: (ruleset: Ruleset) => Promise<void>;
  readonly onReloaded: (report: ReloadReport, by: Actor, reason: string, versionBefore: string) => void;
  readonly onFailed: (errors: readonly string[]) => void;
  readonly onWarnings: (warnings: readonly string[]) => void;
  readonly nowMs: () => number;
}

/** Rules that cannot be loaded; `problems` are texts for people. */
export class RulesError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join("\n\n"));
    this.name = "RulesError";
  }
}

export class RulesKeeper {
  readonly #options: RulesKeeperOptions;
  #ruleset: Ruleset | null = null;
  #loadedMs = 0;
  /** What the rules in force changed when they were loaded. */
  #loaded: Omit<NonNullable<ReloadReport["inForce"]>, "at"> = { by: null, changes: [], notes: [] };
  #error: string | null = null;
  #watcher: RulesWatcher | null = null;
  /** Reloads run one after another. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: RulesKeeperOptions) {
    this.#options = options;
  }

  /** Loads the first rules. Throws a RulesError. */
  async load(): Promise<Ruleset> {
    const result = await this.#read();
    if (!result.ok) throw new RulesError(result.problems.map(({ text }) => text));
    this.#options.onWarnings(result.warnings);
    this.#ruleset = result.ruleset;
    this.#loadedMs = this.#options.nowMs();
    this.#watcher = watchRules(result.watched, () => void this.reload("rules", "the files changed"));
    return result.ruleset;
  }

  /** The rules in force. */
  get ruleset(): Ruleset {
    if (this.#ruleset === null) throw new Error("rules are asked for before they are loaded");
    return this.#ruleset;
  }

  get loadedMs(): number {
    return this.#loadedMs;
  }

  /** Why the files as they stand are not in force; null: they are. */
  get error(): string | null {
    return this.#error;
  }

  reload(by: Actor, reason: string): Promise<ReloadReport> {
    const report = this.#queue.then(() => this.#reload(by, reason));
    this.#queue = report.catch(() => {}); // whoever asked hears of it
    return report;
  }

  close(): void {
    this.#watcher?.close();
  }

  async #reload(by: Actor, reason: string): Promise<ReloadReport> {
    const result = await this.#read();
    this.#watcher?.update(result.watched);
    const before = this.ruleset;
    if (!result.ok) {
      const errors = result.problems.map(({ text }) => text);
      const error = errors.join("\n");
      if (error !== this.#error) this.#options.onFailed(errors);
      this.#error = error;
      return { ok: false, version: before.version, changes: [], errors, notes: [] };
    }
    const { ruleset } = result;
    const wasBroken = this.#error !== null;
    this.#error = null;
    if (ruleset.version === before.version && !wasBroken) {
      // The watcher may have been first, while whoever asks wants to see what they changed.
      const inForce = { at: new Date(this.#loadedMs).toISOString(), ...this.#loaded };
      return { ok: true, version: before.version, changes: [], errors: [], notes: [], inForce };
    }
    const changes = diffRulesets(before, ruleset);
    this.#options.onWarnings(result.warnings);
    await this.#options.putInForce(ruleset);
    this.#ruleset = ruleset;
    this.#loadedMs = this.#options.nowMs();
    const notes = reloadNotes(before, ruleset);
    this.#loaded = { by, changes, notes };
    const report = { ok: true, version: ruleset.version, changes, errors: [], notes };
    this.#options.onReloaded(report, by, reason, before.version);
    return report;
  }

  #read(): Promise<LoadResult> {
    const { paths, env, keyFileSecret } = this.#options;
    return loadRulesInThread(paths, { env, keyFileSecret });
  }
}
