/** Connections of one data thread to one backend. */

import type { Dispatcher } from "undici";
import { Pool } from "undici";
import type { Backend } from "../model/ruleset.ts";
import { dispatchAsterisk } from "./asterisk.ts";
import { ProxyError } from "./classify.ts";

/** Requests that may wait for a connection, a thread. Beyond it new ones are refused at once. */
const MAX_WAITING = 1024;
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
}

/** Where a request may go: hands out the endpoint with the fewest requests outstanding among the healthy. */
export class BackendClient {
  readonly backend: Backend;
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
    }));
  }

  /**
   * Sends a request and calls the handler as undici does. Throws a ProxyError where it cannot be taken.
   * `makeHandler` learns the endpoint's host and gets the function to call when the exchange is over.
   */
  dispatch(
    options: Dispatcher.DispatchOptions,
    setHost: (host: string) => void,
    makeHandler: (over: () => void) => Dispatcher.DispatchHandler,
  ): void {
    const endpoint = this.#choose();
    if (endpoint.outstanding >= this.backend.maxConnections + MAX_WAITING) {
      throw new ProxyError(
        "connection_limit_reached",
        `${this.backend.name} has ${endpoint.outstanding} requests outstanding already`,
      );
    }
    setHost(endpoint.host);
    endpoint.outstanding++;
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      endpoint.outstanding--;
    };
    try {
      const handler = makeHandler(over);
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
    for (const [index, endpoint] of this.#endpoints.entries()) {
      // Unhealthy ones only when all are: a check that errs must not take the whole backend away.
      const penalty = Atomics.load(this.#unhealthy, index) === 0 ? 0 : 1e9;
      if (endpoint.outstanding + penalty < bestScore) {
        bestScore = endpoint.outstanding + penalty;
        best = endpoint;
      }
    }
    return best;
  }
}

function poolOptions(backend: Backend): Pool.Options {
  const { tls, timeouts } = backend;
  return {
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
      ...(tls?.ca ? { ca: tls.ca } : {}),
      ...(tls?.cert ? { cert: tls.cert } : {}),
      ...(tls?.key ? { key: tls.key } : {}),
      ...(tls?.serverName ? { servername: tls.serverName } : {}),
    },
  };
}
