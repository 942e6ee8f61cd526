/**
 * Tells somebody else's URL of promotions and rollbacks: signed, in order, again until it is taken. It reads
 * the audit trail behind whoever writes it, so that nothing ever waits for it, and goes on after a restart.
 */

import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";

import type { AuditEntry } from "../model/reports.ts";

const TOLD: ReadonlySet<string> = new Set(["promote", "rollback", "reset", "pause", "resume", "completed"]);
const CURSOR = "webhook.delivered";
const TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 5 * 60_000;
/** Then nobody is there to be told, and what is newer matters more. */
const GIVE_UP_AFTER_MS = 24 * 3_600_000;
/** Who refuses (4xx) will hardly change their mind, and a rollback may wait behind. */
const MOST_REFUSALS = 4;
/** No answer of theirs is of interest beyond its status. */
const MAX_ANSWER_BYTES = 16 * 1024;

/** Too slow, too early, too many: they say "later". */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

interface Trouble {
  readonly why: string;
  readonly isRefusal: boolean;
}

export interface WebhookOptions {
  readonly url: string;
  /** Signs what is sent; null: unsigned. */
  readonly secret: string | null;
}

export interface WebhookTools {
  /** Oldest first. */
  readonly entriesAfter: (id: number) => Promise<readonly AuditEntry[]>;
  /** Id of the newest entry; 0: there is none. */
  readonly newestId: () => Promise<number>;
  readonly meta: (key: string) => Promise<string | undefined>;
  readonly setMeta: (key: string, value: string) => Promise<void>;
  readonly onEntry: (listener: () => void) => () => void;
  /** For people: a delivery that fails (once for each entry), and one that was given up. */
  readonly warn: (text: string) => void;
  readonly nowMs: () => number;
  /** Between attempts; tests shorten it. */
  readonly firstRetryMs?: number;
}

export class Webhook {
  readonly #options: WebhookOptions;
  readonly #tools: WebhookTools;
  readonly #stop = new AbortController();
  readonly #agent = new Agent({ connections: 1, keepAliveTimeout: 1_000 });
  readonly #unsubscribe: () => void;
  #wake = Promise.withResolvers<void>();

  constructor(options: WebhookOptions, tools: WebhookTools) {
    this.#options = options;
    this.#tools = tools;
    this.#unsubscribe = tools.onEntry(() => this.#wake.resolve());
  }

  /** What happens from now on will be told; before the first `run` of all, nothing is kept. Rejects with the store. */
  async begin(): Promise<void> {
    await this.#cursor();
  }

  /** Delivers until `stop`. Never rejects. */
  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#wake = Promise.withResolvers();
      try {
        await this.#deliverAll();
      } catch (error) {
        // The store could not be read: what is in it is not lost.
        this.#tools.warn(`webhook: ${messageOf(error)}`);
        this.#wake.resolve();
        await this.#rest(LONGEST_RETRY_MS / 10);
      }
      await Promise.race([this.#wake.promise, aborted(this.#stop.signal)]);
    }
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#stop.abort();
    await this.#agent.destroy();
  }

  async #deliverAll(): Promise<void> {
    const { setMeta, entriesAfter } = this.#tools;
    let cursor = await this.#cursor();
    // The trail comes in pages.
    for (let page = await entriesAfter(cursor); page.length > 0; page = await entriesAfter(cursor)) {
      for (const entry of page) {
        if (TOLD.has(entry.action)) await this.#deliver(entry);
        if (this.#stop.signal.aborted) return;
        cursor = entry.id;
        await setMeta(CURSOR, String(cursor));
      }
    }
  }

  /** Id of the last entry that was told. */
  async #cursor(): Promise<number> {
    const { meta, setMeta, newestId } = this.#tools;
    const kept = await meta(CURSOR);
    if (kept !== undefined) return Number(kept);
    // The first time ever: what happened before is nobody's news.
    const newest = await newestId();
    await setMeta(CURSOR, String(newest));
    return newest;
  }

  /** Returns when it was taken, or given up, or at `stop`. */
  async #deliver(entry: AuditEntry): Promise<void> {
    const { nowMs, warn, firstRetryMs = FIRST_RETRY_MS } = this.#tools;
    const begunMs = nowMs();
    let waitMs = firstRetryMs;
    let refusals = 0;
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      const trouble = await this.#post(entry);
      if (trouble === null || this.#stop.signal.aborted) return;
      if (trouble.isRefusal) refusals++;
      const what = `webhook: ${entry.action} of ${entry.route} (${entry.id}) was not taken: ${trouble.why}`;
      if (refusals >= MOST_REFUSALS || nowMs() - begunMs >= GIVE_UP_AFTER_MS) {
        warn(`${what}; given up after ${attempt} attempts`);
        return;
      }
      if (attempt === 1) {
        const howLong = trouble.isRefusal ? `up to ${MOST_REFUSALS - 1} times` : "for a day";
        warn(`${what}; tried again ${howLong}`);
      }
      await this.#rest(waitMs);
      waitMs = Math.min(2 * waitMs, LONGEST_RETRY_MS);
    }
  }

  /** Null: taken (2xx). */
  async #post(entry: AuditEntry): Promise<Trouble | null> {
    const body = JSON.stringify({ event: entry.action, ...entry });
    const { url, secret } = this.#options;
    const seconds = Math.floor(Date.parse(entry.at) / 1000);
    const headers: Record<string, string> = {
      "content-type": "application/json",
      "user-agent": "cutover-webhook",
      "x-cutover-event": entry.action,
      // The same for every attempt: who has seen it can tell.
      "x-cutover-delivery": String(entry.id),
    };
    if (secret !== null) headers["x-cutover-signature"] = signature(secret, seconds, body);
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.#stop.signal]);
      const options = { method: "POST", headers, body, signal, dispatcher: this.#agent } as const;
      const answer = await request(url, options);
      await answer.body.dump({ limit: MAX_ANSWER_BYTES });
      const { statusCode } = answer;
      if (statusCode >= 200 && statusCode < 300) return null;
      const isRefusal = statusCode >= 400 && statusCode < 500 && !PASSING.has(statusCode);
      return { why: `it answered ${statusCode}`, isRefusal };
    } catch (error) {
      return { why: messageOf(error), isRefusal: false };
    }
  }

  async #rest(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#stop.signal, ref: false });
    } catch {
      // stopped meanwhile, which the loops look at
    }
  }
}

/** `t=<unix seconds>,v1=<HMAC-SHA256 of "<t>.<body>" in hex>`: the time is the event's, and part of what is signed. */
export function signature(secret: string, seconds: number, body: string): string {
  const mac = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return `t=${seconds},v1=${mac}`;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
