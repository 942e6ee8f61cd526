/** One backend's health checks; apart, so that the client is loaded where there are any. */

import { Agent, request } from "undici";
import type { Backend } from "../model/ruleset.ts";
import { tlsOptions } from "../model/tls-options.ts";

const CHECK_TIMEOUT_MS = 5_000;

export class HealthProbe {
  readonly #agent: Agent;

  constructor({ timeouts, tls }: Backend) {
    this.#agent = new Agent({
      connect: { timeout: timeouts.connectMs, ...tlsOptions(tls) },
      connections: 1,
    });
  }

  /** A failed check is an answer too: whatever went wrong, the endpoint did not answer well. */
  async answersWell(url: string): Promise<boolean> {
    try {
      const { statusCode, body } = await request(url, {
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
        headers: { "user-agent": "cutover-health" },
      });
      await body.dump();
      return statusCode >= 200 && statusCode < 400;
    } catch {
      return false;
    }
  }

  /** Checks under way fail, as they should. */
  destroy(): void {
    this.#agent.destroy().catch(() => {});
  }
}
