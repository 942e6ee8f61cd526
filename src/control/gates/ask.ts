/** Asks one gate once. Whatever goes wrong is an error, which is never a yes. */

import { stat } from "node:fs/promises";
import { query } from "jsonpath-rfc9535";

import { type GateSaid, testValue } from "../../model/gate-test.ts";
import { parsePath } from "../../model/jsonpath.ts";
import { shortDuration } from "../../model/rollout-state.ts";
import type { Gate, GateTest } from "../../model/ruleset.ts";
import { isWithin, opensInMs } from "../../model/time-window.ts";

export interface GateTools {
  /** Wall clock, milliseconds since 1970. */
  readonly wallMs: () => number;
  /** Whether the route's rollback was rehearsed and its backends are well. */
  readonly preflight: () => Promise<GateSaid>;
}

/** The gate's answer now. Never rejects; ends within the gate's own time limit. */
export async function askGate(gate: Gate, tools: GateTools): Promise<GateSaid> {
  try {
    switch (gate.kind) {
      case "http":
        return readPath(await fetched(gate.url, gate.timeoutMs), gate.path, gate.test);
      case "prometheus":
        return readSeries(await fetched(queryUrl(gate.url, gate.query), gate.timeoutMs), gate.test);
      case "file":
        return await askFile(gate.path, gate.present);
      case "window": {
        const nowMs = tools.wallMs();
        if (isWithin(gate.window, nowMs)) return { answer: "yes", why: `within ${gate.window.text}` };
        const wait = shortDuration(opensInMs(gate.window, nowMs));
        return { answer: "no", why: `outside ${gate.window.text}, opens in ${wait}` };
      }
      case "preflight":
        return await tools.preflight();
    }
  } catch (error) {
    return { answer: "error", why: error instanceof Error ? error.message : String(error) };
  }
}

function readPath(answer: unknown, path: string, test: GateTest): GateSaid {
  // The library misreads some filters; parsePath writes them so that it does not.
  const parsed = parsePath(path);
  const found = query(answer as Parameters<typeof query>[0], parsed.kind === "query" ? parsed.text : path);
  if (found.length !== 1) {
    return { answer: "error", why: `${path} names ${found.length} values of its answer, and must name one` };
  }
  return testValue(path, found[0], test);
}

function queryUrl(base: string, text: string): string {
  const url = new URL("api/v1/query", base.endsWith("/") ? base : `${base}/`);
  url.searchParams.set("query", text);
  return url.href;
}

/** The answer of Prometheus' query API: a scalar, or a vector of one series. */
function readSeries(answer: unknown, test: GateTest): GateSaid {
  const data = field(answer, "data");
  const result = field(data, "result");
  const kind = field(data, "resultType");
  if (field(answer, "status") !== "success" || !Array.isArray(result)) {
    return { answer: "error", why: "its answer is not one of Prometheus' query API" };
  }
  if (kind === "scalar") return testValue("the query", sampleValue(result), test);
  if (kind !== "vector")
    return { answer: "error", why: `the query gives a ${String(kind)}: ask for one number` };
  if (result.length === 0) {
    const why = "the query gives 0 series: nothing matches; where that means 0 write `… or vector(0)`";
    return { answer: "error", why };
  }
  if (result.length !== 1) {
    return { answer: "error", why: `the query gives ${result.length} series: aggregate to one` };
  }
  return testValue("the query", sampleValue(field(result[0], "value")), test);
}

/** A sample is a time and a text: what is no number ("+Inf", "NaN", ""; Number("") is 0) stays what it says. */
function sampleValue(sample: unknown): unknown {
  const text: unknown = Array.isArray(sample) ? sample[1] : undefined;
  if (typeof text !== "string" || text.trim() === "") return text;
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

async function askFile(path: string, wantsPresent: boolean): Promise<GateSaid> {
  const present = await exists(path);
  const why = present ? `${path} is there` : `${path} is not there`;
  return { answer: present === wantsPresent ? "yes" : "no", why };
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    // Anything else, such as a folder that may not be read, says nothing about the file.
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return false;
    throw error;
  }
}

/** Its client is loaded where there are gates. */
async function fetched(url: string, timeoutMs: number): Promise<unknown> {
  const { fetchJson } = await import("./fetch.ts");
  return fetchJson(url, timeoutMs);
}
