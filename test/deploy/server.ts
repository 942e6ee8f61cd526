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

export interface PrometheusServer extends AsyncDisposable {
  /** Its value now; rejects with Prometheus's own words for a query that is wrong. */
  query(expr: string): Promise<Series[]>;
  /** Over the last `seconds`, a value a second. */
  queryRange(expr: string, seconds: number): Promise<Series[]>;
  rules(): Promise<RuleHealth[]>;
}

/** Starts `program` with this configuration (JSON is YAML); resolves when it answers queries. */
export async function startPrometheus(program: string, config: unknown): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-prometheus-"));
  const file = join(folder, "prometheus.yml");
  await writeFile(file, JSON.stringify(config));
  const child = spawn(
    program,
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      "--web.listen-address=127.0.0.1:0",
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
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
    said = `${said}${line}\n`.slice(-4_000);
    address = /msg="Listening on" address=(\S+)/.exec(line)?.[1] ?? address;
    if (line.includes("Server is ready") && address !== "") resolve(`http://${address}`);
  });
  child.once("error", reject);
  child.once("exit", (code) => reject(new Error(`Prometheus ended with ${code}:\n${said}`)));
  return promise;
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
  };
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
