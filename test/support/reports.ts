/** What a gateway says of itself and its routes, as tests want it said. */

import type { RouteStatus, StatusReport } from "../../src/model/reports.ts";

/** A route that nobody has used yet, with whatever a test wants to be different. */
export function untouchedRoute(name: string, changes: Partial<RouteStatus> = {}): RouteStatus {
  return {
    name,
    state: "serving",
    canary: 0.05,
    shadow: 0,
    step: null,
    steps: null,
    bake: null,
    gates: [],
    pins: 0,
    latched: false,
    rollback: null,
    requests: { old: 0, new: 0 },
    errors: { old: 0, new: 0 },
    latencyMs: { old: null, new: null },
    comparisons: { match: 0, mismatch: 0, noise: 0, transient: 0, uncompared: 0 },
    uncompared: {
      too_large: 0,
      aborted: 0,
      shed: 0,
      timeout: 0,
      failed: 0,
      streaming: 0,
      decode_failed: 0,
      too_deep: 0,
    },
    shadows: { sent: 0, shed: 0, too_large: 0, timeout: 0, failed: 0 },
    fallbacks: 0,
    evidence: { errors: 0, "client-errors": 0 },
    verdict: "hold",
    waitingFor: "more samples",
    ...changes,
  };
}

/** A healthy route with traffic. */
export function routeStatus(name: string, changes: Partial<RouteStatus> = {}): RouteStatus {
  const untouched = untouchedRoute(name);
  return {
    ...untouched,
    shadow: 1,
    requests: { old: 9500, new: 500 },
    errors: { old: 1, new: 0 },
    latencyMs: { old: { p50: 3, p99: 9 }, new: { p50: 2, p99: 8 } },
    comparisons: { match: 940, mismatch: 3, noise: 1, transient: 0, uncompared: 6 },
    uncompared: { ...untouched.uncompared, too_large: 4, decode_failed: 2 },
    shadows: { ...untouched.shadows, sent: 950 },
    evidence: { errors: 0.12, "client-errors": 0 },
    ...changes,
  };
}

/** The same route after the guard took it back. */
export function rolledBack(name: string): RouteStatus {
  return routeStatus(name, {
    state: "rolled-back",
    canary: 0,
    latched: true,
    rollback: {
      cause: "killSwitch",
      at: "2026-01-02T03:04:05.678Z",
      by: "guard",
      reason: "killSwitch",
      evidence: {
        summary: "new failed 5 times running where old answered well",
        samples: { old: 1150, new: 61 },
        errors: { old: 4, new: 7 },
        evidence: { errors: 0.9 },
        rulesVersion: "0123456789ab",
      },
    },
    waitingFor: "cutover reset",
  });
}

export function statusReport(routes: RouteStatus[], changes: Partial<StatusReport> = {}): StatusReport {
  return {
    rules: { version: "0123456789ab", loadedAt: "2026-01-02T03:00:00.000Z", error: null },
    threads: 2,
    uptimeSeconds: 3_700,
    draining: false,
    store: "ok",
    backends: [],
    routes,
    ...changes,
  };
}
