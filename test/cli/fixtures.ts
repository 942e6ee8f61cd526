/** A stand-in for a gateway's admin port, and a way to run a command line against it. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { printableLines } from "../../src/cli/output.ts";
import { runCommandLine } from "../../src/cli/program.ts";
import type { AuditEntry, MismatchCluster, MismatchSample, RetroReport } from "../../src/model/reports.ts";

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
  /** From now on it takes requests and answers none. */
  hold(): void;
  close(): Promise<void>;
}

/** Answers each request with what `respond` returns. */
export async function fakeAdmin(respond: (heard: Heard) => Canned): Promise<FakeAdmin> {
  const heard: Heard[] = [];
  let isHeld = false;
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
    if (isHeld) return;
    const canned = respond(entry);
    response.writeHead(canned.status, { "content-type": canned.contentType ?? "application/json" });
    response.end(canned.body);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  // A test that fails before it closes this must not keep the process.
  server.unref();
  await promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    hold() {
      isHeld = true;
    },
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

/** Nothing in a text moves a cursor, changes a terminal or reorders a line; colours are allowed where said. */
export function assertHarmless(text: string, colours = false): void {
  const begin = String.fromCharCode(0x1b);
  const bare = colours ? text.split(begin).map(withoutColour).join("") : text;
  assert.equal(bare, printableLines(bare));
}

function withoutColour(part: string, index: number): string {
  if (index === 0) return part;
  const colour = /^\[\d+m/.exec(part)?.[0];
  assert.ok(
    colour !== undefined,
    `an escape sequence that is no colour: ${JSON.stringify(part.slice(0, 20))}`,
  );
  return part.slice(colour.length);
}

/** So long ago as ISO 8601. */
export function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}

/** A cluster as the admin API lists it, with whatever a test wants to be different. */
export function cluster(changes: Partial<MismatchCluster> = {}): MismatchCluster {
  return {
    id: "0a1b2c3d4e5f",
    route: "profiles",
    place: "$.user.name",
    kind: "value",
    count: 1_234,
    overcount: 0,
    share: 0.1234,
    firstAt: ago(200),
    lastAt: ago(1),
    noise: null,
    relation: null,
    transient: null,
    example: { old: '"Ada"', new: '"ADA"' },
    samples: [17, 3],
    ...changes,
  };
}

/** A stored pair whose JSON bodies differ in one place. */
export function sample(changes: Partial<MismatchSample> = {}): MismatchSample {
  const headers = { "content-type": "application/json" };
  return {
    id: 17,
    at: ago(90),
    route: "profiles",
    rulesVersion: "0123456789ab",
    clusters: ["0a1b2c3d4e5f"],
    requestId: "r-1",
    method: "GET",
    target: "/profiles/7?full=1",
    requestHeaders: { accept: "application/json" },
    differences: [
      {
        place: "$.user.name",
        template: "$.user.name",
        kind: "value",
        old: '"Ada"',
        new: '"ADA"',
        relation: "case",
      },
    ],
    old: { status: 200, headers, body: '{"user":{"name":"Ada"},"n":1}', whole: true, bodyBytes: 29 },
    new: { status: 200, headers, body: '{"n":1,"user":{"name":"ADA"}}', whole: true, bodyBytes: 29 },
    ...changes,
  };
}

export function retro(changes: Partial<RetroReport> = {}): RetroReport {
  return {
    rules: "0123456789ab",
    ignoring: null,
    samples: 45,
    stillMismatch: 41,
    nowMatch: 3,
    cannotTell: 1,
    clusters: [
      { id: "0a1b2c3d4e5f", route: "profiles", place: "$.user.name", kind: "value", before: 40, after: 37 },
      { id: "ffffffffffff", route: "profiles", place: "$.total", kind: "type", before: 6, after: 6 },
      { id: "aaaaaaaaaaaa", route: "profiles", place: "$.etag", kind: "value", before: 2, after: 0 },
    ],
    ...changes,
  };
}

/** A line of the audit trail, with whatever a test wants to be different. */
export function auditEntry(id: number, changes: Partial<AuditEntry> = {}): AuditEntry {
  return {
    id,
    at: "2026-01-02T03:04:05.678Z",
    route: "profiles",
    action: "promote",
    by: "rollout",
    reason: "baked 10 min, errors 0/812 new vs 13/81,234 old",
    from: "step 1 (canary 1%, shadow 100%)",
    to: "step 2 (canary 5%, shadow 100%)",
    evidence: {
      summary: "errors 0/812 new vs 13/81,234 old",
      samples: { old: 81_234, new: 812 },
      errors: { old: 13, new: 0 },
      evidence: { errors: 0.02 },
      rulesVersion: "0123456789ab",
    },
    ...changes,
  };
}
