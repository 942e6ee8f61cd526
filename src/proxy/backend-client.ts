/** Connections of one data thread to one backend. */

import type { Duplex } from "node:stream";
import { RetryBudget } from "../model/retry-budget.ts";
import type { Backend, HostPolicy } from "../model/ruleset.ts";
import type { Call, CallEvents } from "./backend/call.ts";
import { Pool } from "./backend/pool.ts";
import { ProxyError } from "./classify.ts";
import type { Deadlines } from "./deadlines.ts";
import type { LegRequest } from "./leg-shapes.ts";

/** A URL to which no connection could be made is asked last for so long, where there are others. */
const UNREACHABLE_REST_MS = 1_000;

/** One URL of a backend. */
export class Endpoint {
  readonly origin: string;
  readonly #host: string;
  readonly #hostPolicy: HostPolicy;
  readonly #pool: Pool;
  /** Dispatched and not ended, the waiting ones too. */
  outstanding = 0;
  /** Upgraded connections: they take none of the pool's, but they are work. */
  tunnels = 0;
  /** Asked last until then. */
  restUntilMs = 0;

  constructor(url: string, backend: Backend, deadlines: Deadlines) {
    const { maxConnections, tls, timeouts } = backend;
    this.origin = url;
    this.#host = new URL(url).host;
    this.#hostPolicy = backend.host;
    this.#pool = new Pool(url, { tls, maxConnections, times: timeouts, deadlines });
  }

  /** Sends a request; `over` must be called once when it is over. */
  dispatch(request: LegRequest, events: CallEvents): Call {
    const { method, target, headers, body, upgrade } = request;
    const host = hostFor(this.#hostPolicy, request.clientHost, this.#host);
    this.outstanding++;
    return this.#pool.dispatch({ method, target, headers, host, body, upgrade }, events);
  }

  /** `unreachableMs`: when no connection could be made; null: one could. */
  over(unreachableMs: number | null = null): void {
    this.outstanding--;
    if (unreachableMs !== null) this.restUntilMs = unreachableMs + UNREACHABLE_REST_MS;
  }

  noteTunnel(socket: Duplex): void {
    this.tunnels++;
    socket.once("close", () => this.tunnels--);
  }

  /** Lets requests in flight end. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** Where a request may go: hands out the endpoint with the fewest requests outstanding among the healthy. */
export class BackendClient {
  readonly backend: Backend;
  /** Of repeats after a stale connection. */
  readonly retries = new RetryBudget();
  readonly #endpoints: readonly Endpoint[];
  /** One word an endpoint: 1 while its health check fails. Written by control. */
  readonly #unhealthy: Int32Array;

  constructor(backend: Backend, health: SharedArrayBuffer, deadlines: Deadlines) {
    this.backend = backend;
    this.#unhealthy = new Int32Array(health);
    this.#endpoints = backend.urls.map((url) => new Endpoint(url, backend, deadlines));
  }

  get hasOthers(): boolean {
    return this.#endpoints.length > 1;
  }

  /** The endpoint to ask. Throws a ProxyError where none can take more. */
  take(nowMs: number): Endpoint {
    const endpoint = this.#choose(nowMs);
    if (endpoint.outstanding >= this.backend.maxConnections + this.backend.maxWaiting) {
      throw new ProxyError(
        "connection_limit_reached",
        `${this.backend.name} has ${endpoint.outstanding} requests outstanding already`,
      );
    }
    return endpoint;
  }

  /** Lets requests in flight end. */
  async close(): Promise<void> {
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.close()));
  }

  #choose(nowMs: number): Endpoint {
    let best = this.#endpoints[0] as Endpoint;
    if (this.#endpoints.length === 1) return best;
    let bestScore = Number.POSITIVE_INFINITY;
    for (const [index, endpoint] of this.#endpoints.entries()) {
      // Unhealthy ones only when all are: a check that errs must not take the whole backend away.
      const isUnhealthy = Atomics.load(this.#unhealthy, index) !== 0;
      // A URL that refuses connections has few outstanding, and would draw all requests to itself.
      const penalty = (isUnhealthy ? 1e9 : 0) + (endpoint.restUntilMs > nowMs ? 1e6 : 0);
      const score = endpoint.outstanding + endpoint.tunnels + penalty;
      if (score < bestScore) {
        bestScore = score;
        best = endpoint;
      }
    }
    return best;
  }
}

function hostFor(policy: HostPolicy, clientHost: string, endpointHost: string): string {
  if (policy.kind === "name") return policy.name;
  // HTTP/1.0 clients may leave Host out; a backend needs one.
  return policy.kind === "backend" || clientHost === "" ? endpointHost : clientHost;
}
