/** A real Prometheus in a process and a folder of its own, which reads its targets twice a second. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Its values, oldest first; one for an instant query. */
  readonly values: readonly number[];
}

export interface RuleHealth {
  readonly name: string;
  readonly type: "alerting" | "recording";
  readonly health: "ok" | "err" | "unknown";
  readonly lastError?: string;
  readonly alerts?: readonly { readonly annotations: Readonly<Record<string, string>> }[];
}

/** A request in a bucket, by which its trace is found. */
export interface StoredExemplar {
  readonly seriesLabels: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timestampSeconds: number;
}

/** Of one target, as Prometheus sees it. */
export interface TargetHealth {
  readonly health: "up" | "down" | "unknown";
  readonly lastError: string;
}

export interface PrometheusServer extends AsyncDisposable {
  /** Its value now; rejects with Prometheus's own words for a query that is wrong. */
  query(expr: string): Promise<Series[]>;
  /** Over the last `seconds`, a value a second. */
  queryRange(expr: string, seconds: number): Promise<Series[]>;
  rules(): Promise<RuleHealth[]>;
  /** Of the last minute; none where Prometheus was not started to store them. */
  exemplars(selector: string): Promise<StoredExemplar[]>;
  targets(): Promise<TargetHealth[]>;
}

/** On a busy machine; else it takes a second. */
const START_TIMEOUT_MS = 40_000;

/** Starts `program` with this configuration (JSON is YAML) and further flags; resolves when it answers queries. */
export async function startPrometheus(
  program: string,
  config: unknown,
  flags: readonly string[] = [],
): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-prometheus-"));
  const file = join(folder, "prometheus.yml");
  await writeFile(file, JSON.stringify(config));
  const child = spawn(
    program,
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      "--web.listen-address=127.0.0.1:0",
      ...flags,
    ],
    // Its own clean-up takes a while; in a test that ends badly it must not outlive it by much.
    { cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
  );
  const dispose = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const url = await listening(child);
    return { ...api(url), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The address, once it is ready to serve. */
async function listening(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let said = "";
  let address = "";
  let isReady = false;
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
    said = `${said}${line}\n`.slice(-4_000);
    // Two of its threads say the two, on a busy machine in either order.
    address = /msg="Listening on" address=(\S+)/.exec(line)?.[1] ?? address;
    isReady ||= line.includes("Server is ready");
    if (isReady && address !== "") resolve(`http://${address}`);
  });
  const timer = setTimeout(
    () => reject(new Error(`Prometheus is not ready after ${START_TIMEOUT_MS} ms:\n${said}`)),
    START_TIMEOUT_MS,
  );
  child.once("error", reject);
  child.once("exit", (code) => reject(new Error(`Prometheus ended with ${code}:\n${said}`)));
  return promise.finally(() => clearTimeout(timer));
}

function api(url: string): Omit<PrometheusServer, typeof Symbol.asyncDispose> {
  const get = async (path: string, parameters: Readonly<Record<string, string>> = {}): Promise<unknown> => {
    const answer = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const { status, error, data } = (await answer.json()) as {
      status: string;
      error?: string;
      data: unknown;
    };
    if (status !== "success") throw new Error(`${parameters.query ?? path}\n${error}`);
    return data;
  };
  return {
    query: async (expr) => seriesOf(await get("query", { query: expr })),
    queryRange: async (expr, seconds) => {
      const end = Date.now() / 1_000;
      const range = { start: String(end - seconds), end: String(end), step: "1" };
      return seriesOf(await get("query_range", { query: expr, ...range }));
    },
    rules: async () => {
      const { groups } = (await get("rules")) as { groups: { rules: RuleHealth[] }[] };
      return groups.flatMap(({ rules }) => rules);
    },
    exemplars: async (selector) => {
      const end = Date.now() / 1_000;
      const range = { start: String(end - 60), end: String(end + 60) };
      return exemplarsOf(await get("query_exemplars", { query: selector, ...range }));
    },
    targets: async () => {
      const { activeTargets } = (await get("targets")) as { activeTargets: TargetHealth[] };
      return activeTargets;
    },
  };
}

function exemplarsOf(data: unknown): StoredExemplar[] {
  const series = (data ?? []) as {
    seriesLabels: Record<string, string>;
    exemplars: { labels: Record<string, string>; value: string; timestamp: number }[];
  }[];
  return series.flatMap(({ seriesLabels, exemplars }) =>
    exemplars.map(({ labels, value, timestamp }) => ({
      seriesLabels,
      labels,
      value: Number(value),
      timestampSeconds: timestamp,
    })),
  );
}

type Point = readonly [timeSeconds: number, value: string];

function seriesOf(data: unknown): Series[] {
  const { resultType, result } = data as { resultType: string; result: unknown };
  if (resultType === "scalar") return [{ metric: {}, values: [numberOf(result as Point)] }];
  return (result as { metric: Record<string, string>; value?: Point; values?: Point[] }[]).map(
    ({ metric, value, values }) => ({
      metric,
      values: (values ?? (value === undefined ? [] : [value])).map(numberOf),
    }),
  );
}

function numberOf([, value]: Point): number {
  return Number(value.replace("Inf", "Infinity"));
}
