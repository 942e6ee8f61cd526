/** The pre-flight gate: is the way back known to work, and is there somebody to talk to on both sides? */

import { once } from "node:events";
import { connect } from "node:net";

import type { GateSaid } from "../../model/gate-test.ts";
import type { Backend } from "../../model/ruleset.ts";

const CONNECT_TIMEOUT_MS = 3_000;

export interface PreflightFacts {
  /** When an operator last rolled this route back, as ISO 8601; null: never. */
  readonly rehearsedAt: string | null;
  readonly backends: readonly Backend[];
  /** What the active health check says of an endpoint; null: it has none. */
  readonly isHealthy: (backend: string, endpoint: number) => boolean | null;
}

/** Yes, or everything that is missing. Endpoints without a health check must accept a connection. */
export async function preflight(route: string, facts: PreflightFacts): Promise<GateSaid> {
  const faults: string[] = [];
  if (facts.rehearsedAt === null) {
    faults.push(
      `rollback was never rehearsed (\`cutover rollback ${route}\`, then \`cutover reset ${route}\`)`,
    );
  }
  const endpoints = facts.backends.flatMap(({ name, urls }) =>
    urls.map((url, index) => ({ name, url, index })),
  );
  const unwell = await Promise.all(
    endpoints.map(async ({ name, url, index }) => {
      const healthy = facts.isHealthy(name, index);
      if (healthy === true || (healthy === null && (await accepts(url)))) return null;
      return `${name} ${url} ${healthy === null ? "accepts no connection" : "is unhealthy"}`;
    }),
  );
  faults.push(...unwell.filter((fault) => fault !== null));
  if (faults.length > 0) return { answer: "no", why: faults.join("; ") };
  return { answer: "yes", why: `rollback rehearsed ${facts.rehearsedAt}, backends well` };
}

async function accepts(url: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port) || (protocol === "https:" ? 443 : 80),
  });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) });
    return true;
  } catch {
    return false; // refused, unreachable, too late: all of them mean that nobody is there
  } finally {
    socket.destroy();
  }
}
