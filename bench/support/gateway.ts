/** A gateway in a process of its own, for measurements: its log goes to a file, so that reading it costs nobody. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReloadReport, StatusReport } from "../../src/model/reports.ts";
import { until } from "../../test/support/until.ts";
import { pin } from "./linux.ts";

const CHECKOUT = new URL("../..", import.meta.url).pathname;
const TOKEN = "bench-token";
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };

/** The answer of such a gateway's admin API, as it comes. */
export function askAdmin(adminUrl: string, path: string): Promise<Response> {
  return fetch(adminUrl + path, { headers: AUTHORIZED });
}

export interface BenchGatewayOptions {
  readonly rules: string;
  readonly threads: number;
  /** Where all its threads run; null: anywhere. */
  readonly core?: number | null;
  readonly accessLog?: string;
  readonly nodeFlags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Another checkout to run, to measure a change against; default: this one. */
  readonly checkout?: string;
}

export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

export class BenchGateway implements AsyncDisposable {
  readonly folder: string;
  readonly #child: ChildProcess;
  proxyUrl = "";
  adminUrl = "";

  private constructor(folder: string, child: ChildProcess) {
    this.folder = folder;
    this.#child = child;
  }

  static async start(options: BenchGatewayOptions): Promise<BenchGateway> {
    const folder = mkdtempSync(join(tmpdir(), "cutover-bench-"));
    writeFileSync(join(folder, "rules.yaml"), options.rules);
    const command = join(options.checkout ?? CHECKOUT, "bin/cutover.js");
    const log = openSync(join(folder, "log"), "a");
    const child = spawn(
      process.execPath,
      [...(options.nodeFlags ?? []), command, "serve", join(folder, "rules.yaml"), ...flags(folder, options)],
      {
        env: { ...process.env, CUTOVER_ADMIN_TOKEN: TOKEN, ...options.env },
        stdio: ["ignore", log, "inherit"],
      },
    );
    closeSync(log);
    const gateway = new BenchGateway(folder, child);
    await gateway.#listening();
    if (options.core != null) pin(gateway.pid, options.core);
    return gateway;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Log lines so far, oldest first. */
  get lines(): LogLine[] {
    const whole = readFileSync(join(this.folder, "log"), "utf8").split("\n").slice(0, -1);
    return whole.map((line) => JSON.parse(line) as LogLine);
  }

  async status(): Promise<StatusReport> {
    return (await this.#admin("GET", "/api/v1/status")) as StatusReport;
  }

  async reset(route: string): Promise<void> {
    await this.#admin("POST", `/api/v1/routes/${route}/reset`);
  }

  async reload(): Promise<ReloadReport> {
    return (await this.#admin("POST", "/api/v1/reload")) as ReloadReport;
  }

  /** An orderly stop; then the folder is removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      await exit;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #admin(method: string, path: string): Promise<unknown> {
    const body = method === "POST" ? { body: JSON.stringify({ reason: "bench" }) } : {};
    const headers = { ...AUTHORIZED, "content-type": "application/json" };
    const answer = await fetch(this.adminUrl + path, { method, headers, ...body });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async #listening(): Promise<void> {
    const line = await until("the gateway listens", () => {
      if (this.#child.exitCode !== null) throw new Error(`the gateway ended with ${this.#child.exitCode}`);
      return this.lines.find(({ msg }) => msg === "listening");
    });
    this.proxyUrl = String(line.proxy);
    this.adminUrl = String(line.admin);
  }
}

function flags(folder: string, { threads, accessLog }: BenchGatewayOptions): string[] {
  return [
    ...["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state", join(folder, "state")],
    ...["--threads", String(threads), "--access-log", accessLog ?? "off"],
    ...["--drain-delay", "0ms", "--drain-timeout", "1s"],
  ];
}
