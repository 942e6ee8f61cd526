/** The export of traces, where it is asked for. */

import type { GatewayOptions } from "../gateway-options.ts";
import type { SharePpm } from "../model/ruleset.ts";
import { TraceThread } from "../workers/trace-thread.ts";
import { say } from "./say.ts";

/** Longest wait for the collector at the end. */
const FLUSH_LIMIT_MS = 2_000;
/** Trouble with a collector is said once in so long, not for every batch. */
const SAY_EVERY_MS = 60_000;

export interface Traces {
  readonly thread: TraceThread;
  readonly sharePpm: SharePpm;
}

/** Null: no spans are exported, and nothing of OpenTelemetry is loaded. Rejects with a TraceExportError. */
export async function startTraces(
  { traces, env }: Pick<GatewayOptions, "traces" | "env">,
  built: AsyncDisposableStack,
  onReplaced: (why: string) => void,
): Promise<Traces | null> {
  if (traces === null) return null;
  let saidMs = Number.NEGATIVE_INFINITY;
  const thread = await TraceThread.start({
    url: `${traces.url}/v1/traces`,
    env: exportVariables(env),
    onReplaced,
    onTrouble: (why) => {
      const nowMs = performance.now();
      if (nowMs - saidMs < SAY_EVERY_MS) return;
      saidMs = nowMs;
      say(`traces: ${traces.url} did not take all spans: ${printable(why)}; traffic is not touched by that`);
    },
  });
  built.defer(async () => {
    const left = await thread.stop(FLUSH_LIMIT_MS);
    if (left > 0) say(`traces: ${left} spans were not exported before the end`);
  });
  return { thread, sharePpm: traces.sharePpm };
}

/** OpenTelemetry's own, and how this Node trusts certificates. */
const FOR_EXPORT = /^(OTEL_|NODE_|SSL_CERT_)/;

/** The thread is given these alone: it needs no tokens of ours. */
function exportVariables(env: GatewayOptions["env"]): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (FOR_EXPORT.test(name) && value !== undefined) given[name] = value;
  }
  return given;
}

/** Parts of it may be a collector's own words. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 300);
}
