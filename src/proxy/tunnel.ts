/** An upgraded connection: bytes both ways, at the pace of whoever reads, until both ends have closed. */

import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Upgrade } from "../model/ruleset.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";

/** Who or what closed it first. */
export type EndedBy = "client" | "backend" | "idle" | "max" | "rollback" | "drain";

/** One end has said that it is done: the other gets so long a silence to finish, not the whole idle time. */
const HALF_CLOSED_IDLE_MS = 30_000;
/** When the gateway itself closes it: for what was taken already to arrive. */
const CLOSING_MS = 500;
/** A peer that vanished without a word is noticed by the system. */
const TCP_KEEP_ALIVE_MS = 60_000;

export class Tunnel {
  readonly #client: Socket;
  readonly #backend: Duplex;
  readonly #deadlines: Deadlines;
  readonly #max: Deadline;
  #idle: Deadline;
  #endedBy: EndedBy | null = null;
  #closed = false;
  #closing = false;
  readonly #onClosed: (() => void)[] = [];
  bytesIn = 0;
  bytesOut = 0;

  /** Begins to carry bytes at once; what either socket holds already goes first. */
  constructor(
    client: Socket,
    backend: Duplex,
    { idleMs, maxMs }: Pick<Upgrade, "idleMs" | "maxMs">,
    deadlines: Deadlines,
  ) {
    this.#client = client;
    this.#backend = backend;
    this.#deadlines = deadlines;
    this.#idle = deadlines.set(idleMs, () => this.end("idle"));
    this.#max = deadlines.set(maxMs, () => this.end("max"));
    client.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    // An end of one direction is no end of the other.
    backend.allowHalfOpen = true;
    client.allowHalfOpen = true;
    client.on("data", (chunk: Buffer) => {
      this.bytesIn += chunk.length;
      if (!this.#closing) this.#idle.refresh();
    });
    backend.on("data", (chunk: Buffer) => {
      this.bytesOut += chunk.length;
      if (!this.#closing) this.#idle.refresh();
    });
    this.#watch(client, backend, "client");
    this.#watch(backend, client, "backend");
    client.pipe(backend);
    backend.pipe(client);
    if (client.destroyed) this.#lost(backend, "client");
    if (backend.destroyed) this.#lost(client, "backend");
  }

  get endedBy(): EndedBy | null {
    return this.#endedBy;
  }

  /** Calls back once when both sockets are closed. */
  onClosed(listener: () => void): void {
    if (this.#closed) listener();
    else this.#onClosed.push(listener);
  }

  /** Closes both ends; what was passed on already is still sent. Safe to repeat. */
  end(by: EndedBy): void {
    if (this.#closed || this.#closing) return;
    this.#closing = true;
    this.#endedBy ??= by;
    for (const socket of [this.#client, this.#backend]) {
      socket.unpipe();
      socket.resume(); // what still comes is thrown away, so that the end of it is seen
      socket.end();
    }
    this.#idle.clear();
    this.#idle = this.#deadlines.set(CLOSING_MS, () => {
      this.#client.destroy();
      this.#backend.destroy();
    });
  }

  #watch(socket: Duplex, other: Duplex, name: "client" | "backend"): void {
    socket.on("end", () => this.#halfClosed(name));
    // "close" follows: what broke is one peer's own affair, and the other learns of it there.
    socket.on("error", () => {});
    socket.on("close", () => {
      if (!socket.readableEnded || !socket.writableFinished) this.#lost(other, name);
      this.#settle();
    });
  }

  /** `pipe` passes the end on once all before it has been written. */
  #halfClosed(name: "client" | "backend"): void {
    if (this.#closing || this.#endedBy !== null) return;
    this.#endedBy = name;
    this.#idle.clear();
    this.#idle = this.#deadlines.set(HALF_CLOSED_IDLE_MS, () => this.end("idle"));
  }

  /** One end broke off: so does the other, or it would take what it has for the whole. */
  #lost(other: Duplex, name: "client" | "backend"): void {
    this.#endedBy ??= name;
    if (other.destroyed) {
      this.#settle();
      return;
    }
    if (other instanceof Socket && !(other instanceof TLSSocket)) other.resetAndDestroy();
    else other.destroy();
  }

  #settle(): void {
    if (this.#closed || !this.#client.destroyed || !this.#backend.destroyed) return;
    this.#closed = true;
    this.#endedBy ??= "client";
    this.#idle.clear();
    this.#max.clear();
    for (const listener of this.#onClosed) listener();
  }
}
