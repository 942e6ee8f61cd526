/** Starts a backend in a process of its own and tells it what to do. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { pin } from "./linux.ts";

/**
 * stuck: takes requests and never answers. slow: after five seconds. dripping: the head at once, then a byte a second.
 * huge: 100 MB.
 */
export type BackendMode = "well" | "failing" | "stuck" | "slow" | "dripping" | "huge";

/** Monotonic milliseconds: when requests arrived, and when failing answers had been written. */
export interface BackendRecord {
  readonly arrivals: number[];
  readonly failedAt: number[];
}

export type BackendOrder =
  | { readonly kind: "mode"; readonly mode: BackendMode }
  | { readonly kind: "record" }
  | { readonly kind: "report" };

type BackendNews =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "done" }
  | { readonly kind: "report"; readonly record: BackendRecord };

export class Backend implements Disposable {
  readonly #child: ChildProcess;
  readonly url: string;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** `core`: where it runs; null: anywhere. `body`: the JSON that it answers with; absent: 890 bytes of it. */
  static async start(core: number | null = null, body?: string): Promise<Backend> {
    const env = body === undefined ? process.env : { ...process.env, BENCH_BODY: body };
    const child = fork(new URL("./backend-process.ts", import.meta.url), { execArgv: [], env });
    const [news] = (await once(child, "message")) as [BackendNews];
    if (news.kind !== "listening") throw new Error("a backend began with something else than its port");
    if (core !== null) pin(child.pid as number, core);
    return new Backend(child, news.port);
  }

  /** Resolves when it holds. */
  async mode(mode: BackendMode): Promise<void> {
    await this.#ask({ kind: "mode", mode });
  }

  /** Begins a new record. */
  async record(): Promise<void> {
    await this.#ask({ kind: "record" });
  }

  async report(): Promise<BackendRecord> {
    const news = await this.#ask({ kind: "report" });
    if (news.kind !== "report") throw new Error("a backend answered something else than its record");
    return news.record;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }

  async #ask(order: BackendOrder): Promise<BackendNews> {
    const answered = once(this.#child, "message");
    this.#child.send(order);
    const [news] = (await answered) as [BackendNews];
    return news;
  }
}
