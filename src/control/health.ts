/** Active health checks: which endpoints answer. Written to shared memory, where data threads look. */

import { Agent, request } from "undici";
import type { Backend } from "../model/ruleset.ts";
import { tlsOptions } from "../model/tls-options.ts";

/** One failed check may be chance. */
const FAILURES_TO_UNHEALTHY = 2;
const CHECK_TIMEOUT_MS = 5_000;

/** The words of one backend's endpoints, kept while a backend of that name is configured. */
export class HealthBoard {
  readonly #buffers = new Map<string, { readonly urls: string; readonly buffer: SharedArrayBuffer }>();

  /** By backend name; an endpoint list that changed starts anew, as healthy. */
  buffers(backends: Readonly<Record<string, Backend>>): Record<string, SharedArrayBuffer> {
    const result: Record<string, SharedArrayBuffer> = {};
    for (const [name, { urls }] of Object.entries(backends)) {
      const key = urls.join(" ");
      let entry = this.#buffers.get(name);
      if (entry === undefined || entry.urls !== key) {
        entry = { urls: key, buffer: new SharedArrayBuffer(urls.length * 4) };
        this.#buffers.set(name, entry);
      }
      result[name] = entry.buffer;
    }
    return result;
  }
}

/** Checks every endpoint of the backends that ask for it. */
export class HealthChecker {
  #timers: NodeJS.Timeout[] = [];
  #agents: Agent[] = [];

  /** Takes the place of the checks before. */
  follow(
    backends: Readonly<Record<string, Backend>>,
    words: Readonly<Record<string, SharedArrayBuffer>>,
  ): void {
    this.stop();
    for (const backend of Object.values(backends)) {
      const buffer = words[backend.name];
      if (backend.health === null || buffer === undefined) continue;
      const agent = new Agent({
        connect: { timeout: backend.timeouts.connectMs, ...tlsOptions(backend.tls) },
        connections: 1,
      });
      this.#agents.push(agent);
      const unhealthy = new Int32Array(buffer);
      for (const [index, url] of backend.urls.entries()) this.#watch(backend, agent, url, unhealthy, index);
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    for (const agent of this.#agents) agent.destroy().catch(() => {}); // checks under way fail, as they should
    this.#agents = [];
  }

  #watch(backend: Backend, agent: Agent, url: string, unhealthy: Int32Array, index: number): void {
    const health = backend.health as NonNullable<Backend["health"]>;
    // A reload starts the checks anew, not what they have found.
    let failures = Atomics.load(unhealthy, index) === 0 ? 0 : FAILURES_TO_UNHEALTHY;
    let underWay = false;
    const check = async (): Promise<void> => {
      if (underWay) return;
      underWay = true;
      failures = (await answersWell(agent, url + health.path)) ? 0 : failures + 1;
      underWay = false;
      Atomics.store(unhealthy, index, failures >= FAILURES_TO_UNHEALTHY ? 1 : 0);
    };
    const timer = setInterval(check, health.intervalMs);
    timer.unref();
    this.#timers.push(timer);
    void check();
  }
}

/** A failed check is an answer too: whatever went wrong, the endpoint did not answer well. */
async function answersWell(agent: Agent, url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
      headers: { "user-agent": "cutover-health" },
    });
    await body.dump();
    return statusCode >= 200 && statusCode < 400;
  } catch {
    return false;
  }
}
