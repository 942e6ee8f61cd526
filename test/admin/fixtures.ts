/** A desk without a gateway behind it, and ways to ask the admin API over real sockets. */

import { once } from "node:events";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import type { TestContext } from "node:test";
import type { Desk } from "../../src/admin/desk.ts";
import { type Admin, type AdminOptions, startAdmin } from "../../src/admin/server.ts";
import type { HistoryReport } from "../../src/model/history-report.ts";
import type {
  AuditEntry,
  Explanation,
  MismatchCluster,
  MismatchSample,
  PinReport,
  RetroReport,
  RouteStatus,
  StatusReport,
} from "../../src/model/reports.ts";

export const TOKEN = "correct-horse-battery-staple";

export interface FakeDesk extends Desk {
  /** What was asked for, e.g. ["rollback", "profiles", "why"]. */
  readonly calls: unknown[][];
  readonly trail: AuditEntry[];
  listeners(): number;
  /** Adds an entry to the trail and tells the listeners. */
  emit(action: string): AuditEntry;
}

export function fakeDesk(more: Partial<Desk> = {}): FakeDesk {
  const calls: unknown[][] = [];
  const trail: AuditEntry[] = [];
  const listeners = new Set<(entry: AuditEntry) => void>();
  const act = async (...call: unknown[]) => {
    calls.push(call);
    return { ok: true, message: "done" } as const;
  };
  return {
    calls,
    trail,
    listeners: () => listeners.size,
    emit(action) {
      const entry = auditEntry(trail.length + 1, action);
      trail.push(entry);
      for (const listener of listeners) listener(entry);
      return entry;
    },
    status: () => ({ routes: [{ name: "profiles" }] }) as StatusReport,
    route: (name) => (name === "profiles" || name === "a/b" ? ({ name } as RouteStatus) : undefined),
    rollback: (route, reason) => act("rollback", route, reason),
    rollbackAll: (reason) => act("rollbackAll", reason),
    reset: (route, reason) => act("reset", route, reason),
    promote: (route, request) => act("promote", route, request),
    pause: (route, reason) => act("pause", route, reason),
    resume: (route, reason) => act("resume", route, reason),
    report: async (route) => (route === "profiles" ? `# ${route}\n` : undefined),
    resetStore: (reason) => act("resetStore", reason),
    pin: (route, pin) => act("pin", route, pin),
    unpin: (route, key, reason) => act("unpin", route, key, reason),
    pins: (route) => {
      calls.push(["pins", route]);
      return [PIN];
    },
    reload: async (reason) => {
      calls.push(["reload", reason]);
      return { ok: true, version: "0123456789ab", changes: [], errors: [], notes: [] };
    },
    drain: (reason) => {
      calls.push(["drain", reason]);
      return { ok: true, message: "draining" };
    },
    explain: (request) => {
      calls.push(["explain", request]);
      return { ...EXPLANATION };
    },
    clusters: async (filter) => {
      calls.push(["clusters", filter]);
      return [CLUSTER];
    },
    samples: async (filter) => {
      calls.push(["samples", filter]);
      return [SAMPLE];
    },
    sample: async (id) => {
      calls.push(["sample", id]);
      return ("sample" in id ? id.sample === SAMPLE.id : id.cluster === CLUSTER.id) ? SAMPLE : undefined;
    },
    retro: async (filter) => {
      calls.push(["retro", filter]);
      return { ok: true, report: RETRO };
    },
    history: async (route, hours) => {
      calls.push(["history", route, hours]);
      return route === "profiles" ? { ...HISTORY, route } : undefined;
    },
    audit: async (filter) => {
      calls.push(["audit", filter]);
      return [...trail].reverse();
    },
    auditAfter: async (id) => trail.filter((entry) => entry.id > id).slice(0, 3),
    onAudit: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    metrics: async () => ({ contentType: "text/plain; version=0.0.4", text: "cutover_x 1\n" }),
    ready: () => true,
    ...more,
  };
}

const EXPLANATION: Explanation = {
  rules: "0123456789ab",
  route: "profiles",
  key: null,
  bucket: null,
  fingerprint: null,
  canary: 0.05,
  side: "old",
  reason: "default-old",
  backend: "legacy",
  shadow: "no",
  steps: [],
};

export const PIN: PinReport = {
  route: "profiles",
  key: "acme",
  side: "old",
  at: "2026-05-01T10:00:00.000Z",
  by: "operator",
  reason: "a test",
  expiresAt: null,
};

export const HISTORY: HistoryReport = {
  route: "profiles",
  points: [],
  limits: { mismatches: 0.01, errors: null },
  markers: [],
};

const ANSWER = { status: 200, headers: {}, body: "secret", whole: true, bodyBytes: 6 };
export const SAMPLE: MismatchSample = {
  id: 7,
  at: "2026-05-01T10:00:00.000Z",
  route: "profiles",
  rulesVersion: "0123456789ab",
  clusters: ["a1b2c3d4e5f6"],
  requestId: "r1",
  method: "GET",
  target: "/profiles/1",
  requestHeaders: {},
  differences: [{ place: "$.name", template: "$.name", kind: "value", old: "a", new: "b", relation: null }],
  old: ANSWER,
  new: ANSWER,
};

export const CLUSTER: MismatchCluster = {
  id: "a1b2c3d4e5f6",
  route: "profiles",
  place: "$.name",
  kind: "value",
  count: 3,
  overcount: 0,
  share: 0.1,
  firstAt: "2026-05-01T10:00:00.000Z",
  lastAt: "2026-05-01T10:00:00.000Z",
  noise: null,
  relation: null,
  transient: null,
  example: { old: "a", new: "b" },
  samples: [7],
};

export const RETRO: RetroReport = {
  rules: "0123456789ab",
  ignoring: null,
  samples: 1,
  stillMismatch: 1,
  nowMatch: 0,
  cannotTell: 0,
  clusters: [],
};

function auditEntry(id: number, action: string): AuditEntry {
  const at = "2026-05-01T10:00:00.000Z";
  return {
    id,
    at,
    route: "profiles",
    action,
    by: "operator",
    reason: "line\nbreak",
    from: null,
    to: null,
    evidence: null,
  };
}

/** An admin API that is closed when the test ends. */
export async function startFor(
  context: TestContext,
  desk: Desk,
  options: Partial<AdminOptions> = {},
): Promise<Admin> {
  const admin = await startAdmin({ host: "127.0.0.1", port: 0, desk, token: TOKEN, ...options });
  context.after(() => admin.close());
  return admin;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  json(): unknown;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly token?: string;
}

/** One request with node:http, which lets a test set Host and anything else. */
export async function ask(admin: Admin, path: string, more: Ask = {}): Promise<Answer> {
  const headers: Record<string, string> = { ...more.headers };
  if (more.token !== undefined) headers.authorization = `Bearer ${more.token}`;
  const request = httpRequest({
    host: "127.0.0.1",
    port: admin.port,
    path,
    method: more.method ?? "GET",
    headers,
    agent: false,
  });
  request.end(more.body);
  const [response] = await once(request, "response");
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, text, json: () => JSON.parse(text) };
}

/** A POST of JSON with the right token. */
export function post(admin: Admin, path: string, body: unknown, more: Ask = {}): Promise<Answer> {
  const headers = { "content-type": "application/json", ...more.headers };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return ask(admin, path, { method: "POST", token: TOKEN, ...more, headers, body: text });
}

/** Sends bytes as they are and returns all that comes back until the other side closes. */
export async function raw(admin: Admin, bytes: string): Promise<string> {
  const socket = connect(admin.port, "127.0.0.1");
  socket.setEncoding("latin1");
  socket.write(bytes);
  let text = "";
  for await (const chunk of socket) text += chunk;
  return text;
}

/** Polls until a condition holds; fails after a generous deadline. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
