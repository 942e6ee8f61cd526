/** Active health checks: which endpoints answer. Written to shared memory, where data threads look. */

import type { Backend } from "../model/ruleset.ts";
import type { HealthProbe } from "./health-probe.ts";

/** One failed check may be chance. */
const FAILURES_TO_UNHEALTHY = 2;

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
  #probes: Promise<HealthProbe>[] = [];

  /** Takes the place of the checks before. */
  follow(
    backends: Readonly<Record<string, Backend>>,
    words: Readonly<Record<string, SharedArrayBuffer>>,
  ): void {
    this.stop();
    for (const backend of Object.values(backends)) {
      const buffer = words[backend.name];
      if (backend.health === null || buffer === undefined) continue;
      const probe = probeOf(backend);
      this.#probes.push(probe);
      const unhealthy = new Int32Array(buffer);
      for (const [index, url] of backend.urls.entries()) this.#watch(backend, probe, url, unhealthy, index);
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    for (const probe of this.#probes) void probe.then((each) => each.destroy());
    this.#probes = [];
  }

  #watch(
    backend: Backend,
    probe: Promise<HealthProbe>,
    url: string,
    unhealthy: Int32Array,
    index: number,
  ): void {
    const health = backend.health as NonNullable<Backend["health"]>;
    // A reload starts the checks anew, not what they have found.
    let failures = Atomics.load(unhealthy, index) === 0 ? 0 : FAILURES_TO_UNHEALTHY;
    let underWay = false;
    const check = async (): Promise<void> => {
      if (underWay) return;
      underWay = true;
      failures = (await (await probe).answersWell(url + health.path)) ? 0 : failures + 1;
      underWay = false;
      Atomics.store(unhealthy, index, failures >= FAILURES_TO_UNHEALTHY ? 1 : 0);
    };
    const timer = setInterval(check, health.intervalMs);
    timer.unref();
    this.#timers.push(timer);
    void check();
  }
}

async function probeOf(backend: Backend): Promise<HealthProbe> {
  const { HealthProbe: Probe } = await import("./health-probe.ts");
  return new Probe(backend);
}
