/** A stand-in for a gateway's admin port, and a way to run a command line against it. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { runCommandLine } from "../../src/cli/program.ts";
import type { RouteStatus, StatusReport } from "../../src/model/reports.ts";

export interface Heard {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

export interface Canned {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
}

export interface FakeAdmin {
  readonly url: string;
  readonly heard: Heard[];
  close(): Promise<void>;
}

/** Answers each request with what `respond` returns. */
export async function fakeAdmin(respond: (heard: Heard) => Canned): Promise<FakeAdmin> {
  const heard: Heard[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const entry: Heard = {
      method: request.method ?? "",
      path: request.url ?? "",
      authorization: request.headers.authorization,
      body: text === "" ? null : JSON.parse(text),
    };
    heard.push(entry);
    const canned = respond(entry);
    response.writeHead(canned.status, { "content-type": canned.contentType ?? "application/json" });
    response.end(canned.body);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

export function ok(value: unknown): Canned {
  return { status: 200, body: JSON.stringify(value) };
}

export function problem(status: number, detail: string, extra: object = {}): Canned {
  const body = JSON.stringify({ type: "about:blank", title: "Problem", status, detail, ...extra });
  return { status, body, contentType: "application/problem+json" };
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process; `columns` makes the output a terminal. */
export async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  columns: number | null = null,
): Promise<Ran> {
  let [out, err] = ["", ""];
  const terminal = columns === null ? {} : { isTTY: true, columns, rows: 24 };
  const streams = {
    out: { write: (text: string) => (out += text), ...terminal },
    err: { write: (text: string) => (err += text) },
  };
  const code = await runCommandLine(args, streams, env);
  return { code, out, err };
}

/** A healthy route, with whatever a test wants to be different. */
export function routeStatus(name: string, changes: Partial<RouteStatus> = {}): RouteStatus {
  return {
    name,
    state: "serving",
    canary: 0.05,
    shadow: 1,
    step: null,
    latched: false,
    rollback: null,
    requests: { old: 9500, new: 500 },
    errors: { old: 1, new: 0 },
    latencyMs: { old: { p50: 3, p99: 9 }, new: { p50: 2, p99: 8 } },
    comparisons: { match: 940, mismatch: 3, noise: 1, transient: 0, uncompared: 6 },
    shadows: { sent: 950, shed: 0, too_large: 0, timeout: 0, failed: 0 },
    fallbacks: 0,
    evidence: { errors: 0.12, "client-errors": 0 },
    verdict: "hold",
    waitingFor: "more samples",
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
