/** What a data thread keeps of one client's connection, so that nothing has to be kept or listened to for each request. */

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** What is served on it, as far as it needs to know. */
interface Serving {
  readonly res: ServerResponse;
}

export class ClientConnection<Served extends Serving = Serving> {
  /** The newest answer that node:http was given a request for; null: it has gone out. */
  #newest: ServerResponse | null = null;
  /** The same for the one before it. */
  #before: ServerResponse | null = null;
  /** The request that is served: one at a time. */
  #served: Served | null = null;
  /** Requests that wait for their turn. */
  waiting = 0;

  /** `onLeft`: the connection has ended within a request that is served. */
  constructor(socket: Socket, onLeft: (served: Served) => void) {
    connections.set(socket, this);
    socket.on("close", () => {
      if (this.#served !== null && !this.#served.res.writableFinished) onLeft(this.#served);
    });
  }

  /** A request has come. */
  answering(res: ServerResponse): void {
    this.#before = this.newest;
    this.#newest = res;
  }

  /** The request that came last, while it is being answered. Answers go out in order: with this one, all have. */
  get newest(): ServerResponse | null {
    return this.#newest?.writableFinished === false ? this.#newest : null;
  }

  /** The one that came before `newest`, while it is being answered. */
  get beforeNewest(): ServerResponse | null {
    return this.#before?.writableFinished === false ? this.#before : null;
  }

  begin(served: Served): void {
    this.#served = served;
  }

  end(served: Served): void {
    // The next one may have begun: an answer can have gone out before all is done about it.
    if (this.#served === served) this.#served = null;
  }

  /** Nothing is held of what has been answered. */
  rest(): void {
    this.#newest = this.newest;
    this.#before = this.beforeNewest;
  }
}

const connections = new WeakMap<Duplex, ClientConnection>();

/** Undefined for anything but the socket of a client's connection. */
export function connectionOf(socket: Duplex): ClientConnection | undefined {
  return connections.get(socket);
}
