/** A real gateway in a process of its own, for behaviour tests. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { AuditEntry, RouteStatus, StatusReport } from "../../src/model/reports.ts";
import { until } from "./until.ts";

export const COMMAND = new URL("../../bin/cutover.js", import.meta.url).pathname;
export const TOKEN = "test-token";

export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface TestGatewayOptions {
  /** The rules file's text. */
  readonly rules: string;
  /** Further flags. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A folder that outlives this gateway (for restarts); default: one of its own. */
  readonly folder?: string;
  /** What `serve` reads in place of rules.yaml, which is then not written. */
  readonly paths?: readonly string[];
  /** The program's entry file; default: this checkout's. */
  readonly command?: string;
}

export class TestGateway implements AsyncDisposable {
  readonly folder: string;
  readonly #ownsFolder: boolean;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  /** Both its pipes are closed, after it has ended. */
  readonly #allRead: Promise<void>;
  #log: Interface | null = null;
  #readsLog = true;
  /** Log lines so far, oldest first. */
  readonly lines: LogLine[] = [];
  stderr = "";
  proxyUrl = "";
  adminUrl = "";

  private constructor(folder: string, ownsFolder: boolean, child: ChildProcess) {
    this.folder = folder;
    this.#ownsFolder = ownsFolder;
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once("exit", () => resolve()));
    this.#allRead = new Promise((resolve) => child.once("close", () => resolve()));
  }

  static async start(options: TestGatewayOptions): Promise<TestGateway> {
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "cutover-test-")));
    if (options.paths === undefined) await writeFile(join(folder, "rules.yaml"), options.rules);
    const flags = [
      "--listen",
      "127.0.0.1:0",
      "--admin",
      "127.0.0.1:0",
      "--drain-delay",
      "0ms",
      "--threads",
      "2",
    ];
    const child = spawn(
      process.execPath,
      [
        options.command ?? COMMAND,
        "serve",
        ...(options.paths ?? [join(folder, "rules.yaml")]),
        "--state",
        join(folder, "state"),
        ...flags,
        ...(options.flags ?? []),
      ],
      {
        env: { ...process.env, CUTOVER_ADMIN_TOKEN: TOKEN, ...options.env },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const gateway = new TestGateway(folder, options.folder === undefined, child);
    try {
      await gateway.#listening();
    } catch (error) {
      await gateway[Symbol.asyncDispose]();
      throw error;
    }
    return gateway;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get rulesFile(): string {
    return join(this.folder, "rules.yaml");
  }

  /** Replaces the rules file's text and waits until these rules are in force. */
  async reloadWith(rules: string): Promise<void> {
    await this.reloaded(() => replaceFile(this.rulesFile, rules));
  }

  /**
   * Makes a change of the files and waits until what they say is in force, on every thread: that the version
   * says, while a route's own share is told before the threads have it.
   */
  async reloaded(change: () => Promise<unknown>): Promise<void> {
    const before = (await this.status()).rules.version;
    await change();
    await until("the new rules are in force", async () => (await this.status()).rules.version !== before);
  }

  async status(): Promise<StatusReport> {
    return (await this.admin("GET", "/api/v1/status")).body as StatusReport;
  }

  async route(name: string): Promise<RouteStatus> {
    const { body } = await this.admin("GET", `/api/v1/routes/${name}`);
    return body as RouteStatus;
  }

  /** Waits for an event of this name in the log; with `seen`, for one after so many lines. */
  logged(msg: string, seen = 0): Promise<LogLine> {
    return until(`${msg} is logged`, () => this.lines.slice(seen).find((line) => line.msg === msg));
  }

  /** An operator's action on a route, such as "rollback". */
  async act(route: string, action: string, reason: string): Promise<{ status: number; body: unknown }> {
    return this.admin("POST", `/api/v1/routes/${route}/${action}`, { reason });
  }

  /** Waits until a route's rollback is on disk, which its line in the audit trail says; resolves to that. */
  rollbackStored(route: string): Promise<AuditEntry> {
    return until(`the rollback of ${route} is stored`, async () =>
      (await this.audit()).find((entry) => entry.route === route && entry.action === "rollback"),
    );
  }

  async audit(): Promise<AuditEntry[]> {
    return (await this.admin("GET", "/api/v1/audit")).body as AuditEntry[];
  }

  async admin(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const answer = await fetch(this.adminUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        // A kept connection may be closed by the gateway while this process stands still, and is then used once more.
        connection: "close",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text,
    };
  }

  /** Value of a metric with these labels, summed; 0 without a line. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const { body } = await this.admin("GET", "/metrics");
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    let sum = 0;
    for (const line of String(body).split("\n")) {
      const parts = /^([a-z_:]+)(\{.*\})? (\S+)$/.exec(line);
      if (parts?.[1] !== name || !wanted.every((label) => (parts[2] ?? "").includes(label))) continue;
      sum += Number(parts[3]);
    }
    return sum;
  }

  /** Stops reading the log, as one does who is stuck; or goes on. */
  readLog(reads: boolean): void {
    this.#readsLog = reads;
    if (reads) this.#log?.resume();
    else this.#log?.pause();
  }

  /** Never reads it again: what is cut off at its end is no line. */
  leaveLog(): void {
    this.#readsLog = false;
    this.#log?.close();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code once the process is gone and all that it wrote is read; null: ended by a signal. */
  async exit(): Promise<number | null> {
    await this.#ended;
    if (this.#readsLog) await this.#allRead;
    return this.#child.exitCode;
  }

  /** kill -9: nothing is said, nothing is flushed. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exit();
  }

  async stop(): Promise<number | null> {
    this.signal("SIGTERM");
    return this.exit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    if (this.#ownsFolder) await rm(this.folder, { recursive: true, force: true });
  }

  async #listening(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.#log = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    let cut: string | null = null;
    this.#log.on("line", (text) => {
      // What a kill cuts off is the last that there is.
      if (cut !== null) throw new Error(`no line of the log: ${cut}`);
      const line = parsedLine(text);
      if (line === null) {
        cut = text;
        return;
      }
      this.lines.push(line);
      if (line.msg === "listening" || line["event.action"] === "listening") resolve(line);
    });
    this.#child.on("close", (code) => reject(new Error(`the gateway ended with ${code}:\n${this.stderr}`)));
    const line = await promise;
    // By the names of --log-format ecs, where that was asked for.
    this.proxyUrl = String(line.proxy ?? line["cutover.proxy"]);
    this.adminUrl = String(line.admin ?? line["cutover.admin"]);
  }
}

/** Null: it is no JSON. */
function parsedLine(text: string): LogLine | null {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return null;
  }
}

/** As an editor saves that writes beside and renames: nobody reads half of it. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}~`, text);
  await rename(`${path}~`, path);
}

/** Rules with one route `r` for everything, from old to new; `fields` are its further lines (two spaces deep). */
export function rulesFor(oldUrl: string, newUrl: string, fields: string): string {
  const lines = fields.split("\n").map((line) => `    ${line}`);
  return [
    "version: 1",
    "backends:",
    `  legacy: { url: "${oldUrl}" }`,
    `  modern: { url: "${newUrl}" }`,
    "defaults: { old: legacy, new: modern }",
    "routes:",
    "  - name: r",
    '    match: { path: "/**" }',
    ...lines,
    "",
  ].join("\n");
}

/** Rules with a route for each name, under its path `/name/**`; the values are further lines of the route. */
export function rulesWith(oldUrl: string, newUrl: string, routes: Readonly<Record<string, string>>): string {
  const blocks = Object.entries(routes).map(([name, fields]) =>
    [
      `  - name: ${name}`,
      `    match: { path: "/${name}/**" }`,
      ...fields.split("\n").map((line) => `    ${line}`),
    ].join("\n"),
  );
  return [
    "version: 1",
    "backends:",
    `  legacy: { url: "${oldUrl}" }`,
    `  modern: { url: "${newUrl}" }`,
    "defaults: { old: legacy, new: modern }",
    "routes:",
    ...blocks,
    "",
  ].join("\n");
}
