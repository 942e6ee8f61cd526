/** Connections of one data thread to one backend. */

import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import { Pool } from "undici";
import { RetryBudget } from "../model/retry-budget.ts";
import type { Backend } from "../model/ruleset.ts";
import { tlsOptions } from "../model/tls-options.ts";
import { dispatchAsterisk } from "./asterisk.ts";
import { ProxyError } from "./classify.ts";
import { gatedClient } from "./head-gate.ts";

/** A URL to which no connection could be made is asked last for so long, where there are others. */
const UNREACHABLE_REST_MS = 1_000;
/** A backend's keep-alive hint could raise the idle time to 600 s: stale sockets are cheap to avoid. */
const KEEP_ALIVE_MS = 4_000;
const KEEP_ALIVE_MAX_MS = 55_000;
const MAX_ANSWER_HEAD_BYTES = 64 * 1024;

interface Endpoint {
  readonly pool: Pool;
  readonly origin: string;
  readonly host: string;
  /** Dispatched and not ended, the waiting ones too. */
  outstanding: number;
  /** Upgraded connections: they take none of the pool's, but they are work. */
  tunnels: number;
  /** Asked last until then. */
  restUntilMs: number;
}

/** Tells the client that an exchange is over; `unreachable`: no connection could be made. */
export type Over = (unreachable?: boolean) => void;

/** Where a request may go: hands out the endpoint with the fewest requests outstanding among the healthy. */
export class BackendClient {
  readonly backend: Backend;
  /** Of repeats after a stale connection. */
  readonly retries = new RetryBudget();
  readonly #endpoints: readonly Endpoint[];
  /** One word an endpoint: 1 while its health check fails. Written by control. */
  readonly #unhealthy: Int32Array;

  constructor(backend: Backend, health: SharedArrayBuffer) {
    this.backend = backend;
    this.#unhealthy = new Int32Array(health);
    this.#endpoints = backend.urls.map((url) => ({
      pool: new Pool(url, poolOptions(backend)),
      origin: url,
      host: new URL(url).host,
      outstanding: 0,
      tunnels: 0,
      restUntilMs: 0,
    }));
  }

  get hasOthers(): boolean {
    return this.#endpoints.length > 1;
  }

  /**
   * Sends a request and calls the handler as undici does. Throws a ProxyError where it cannot be taken.
   * `makeHandler` gets the function to call when the exchange is over, and one that takes note of a socket that
   * was upgraded.
   */
  dispatch(
    options: Dispatcher.DispatchOptions,
    setHost: (host: string, origin: string) => void,
    makeHandler: (over: Over, upgraded: (socket: Duplex) => void) => Dispatcher.DispatchHandler,
  ): void {
    const endpoint = this.#choose();
    if (endpoint.outstanding >= this.backend.maxConnections + this.backend.maxWaiting) {
      throw new ProxyError(
        "connection_limit_reached",
        `${this.backend.name} has ${endpoint.outstanding} requests outstanding already`,
      );
    }
    setHost(endpoint.host, endpoint.origin);
    endpoint.outstanding++;
    let isOver = false;
    const over: Over = (unreachable = false) => {
      if (isOver) return;
      isOver = true;
      if (unreachable) endpoint.restUntilMs = performance.now() + UNREACHABLE_REST_MS;
      endpoint.outstanding--;
    };
    // undici takes it from Host, the client's word: each other Host would be another name to verify, and the end of
    // the connection that stood. Named here it never changes, and the gate puts the right one in its place.
    if (this.backend.tls !== null || endpoint.origin.startsWith("https:"))
      Object.assign(options, { servername: endpoint.host });
    try {
      const handler = makeHandler(
        over,
        options.upgrade ? (socket) => noteTunnel(endpoint, socket) : () => {},
      );
      if (options.path === "*")
        dispatchAsterisk(endpoint.origin, this.backend.tls, options.headers as string[], handler);
      else endpoint.pool.dispatch(options, handler);
    } catch (error) {
      over();
      throw error;
    }
  }

  /** Lets requests in flight end. */
  async close(): Promise<void> {
    await Promise.all(this.#endpoints.map(({ pool }) => pool.close()));
  }

  #choose(): Endpoint {
    let best = this.#endpoints[0] as Endpoint;
    if (this.#endpoints.length === 1) return best;
    let bestScore = Number.POSITIVE_INFINITY;
    const nowMs = performance.now();
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

function noteTunnel(endpoint: Endpoint, socket: Duplex): void {
  endpoint.tunnels++;
  socket.once("close", () => endpoint.tunnels--);
}

function poolOptions(backend: Backend): Pool.Options {
  const { tls, timeouts } = backend;
  return {
    factory: gatedClient,
    connections: backend.maxConnections,
    pipelining: 1,
    allowH2: false,
    // The wait for an answer's head is the leg's own deadline: it covers the wait for a connection too.
    headersTimeout: 0,
    bodyTimeout: timeouts.stallMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
    maxHeaderSize: MAX_ANSWER_HEAD_BYTES,
    connect: {
      timeout: timeouts.connectMs,
      ...tlsOptions(tls),
    },
  };
}
