/**
 * Upgrades. A request that asks for one goes through the corridor like any other, with an answer object over
 * the bare socket: a refusal is relayed as the HTTP answer that it is, a 101 of the backend makes a tunnel.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { admit } from "../model/admission.ts";
import type { Decision } from "../model/decide.ts";
import { createFacts } from "../model/facts.ts";
import { findRoute } from "../model/router.ts";
import type { Side, Upgrade } from "../model/ruleset.ts";
import { DEFAULT_UPGRADE, isSwitchTo, protocolToAsk } from "../model/upgrade.ts";
import { ServerResponse as HttpAnswer } from "../node-http.ts";
import { connectionOf } from "./client-connection.ts";
import type { DataDesk } from "./desk.ts";
import type { RouteRoom, Snapshot } from "./rooms.ts";
import { type EndedBy, Tunnel } from "./tunnel.ts";

/** After a refusal, so long a client may go on sending before the connection is cut. */
const LINGER_MS = 2_000;

/** For node:http's `shouldUpgradeCallback`: false serves the request as if it had not asked. */
export function mayUpgrade(desk: DataDesk, req: IncomingMessage): boolean {
  // Behind another request on its connection: the answers must go out in order, and by HTTP.
  if (connectionOf(req.socket)?.newest) return false;
  const { method = "", url = "", httpVersion, rawHeaders } = req;
  const request = { method, target: url, version: httpVersion, rawHeaders };
  const admission = admit(request);
  if (admission.kind === "refused") return false;
  const { compiled } = desk.snapshot;
  const { target, host } = admission;
  const match = findRoute(compiled.router, createFacts(method, target, rawHeaders, "", host));
  const route = match === null ? null : compiled.ruleset.routes[match.routeIndex];
  return protocolToAsk(request, route ? route.upgrade : DEFAULT_UPGRADE) !== null;
}

/** An answer over a socket that node:http's parser has let go of; the connection ends with it. */
export class UpgradeResponse extends HttpAnswer {
  readonly clientSocket: Socket;
  readonly #desk: DataDesk;
  readonly #passOnDrain = (): boolean => this.emit("drain");

  /** `head`: what the client has sent beyond its request; it is the new protocol's. */
  constructor(desk: DataDesk, req: IncomingMessage, socket: Socket, head: Buffer) {
    super(req);
    this.#desk = desk;
    this.clientSocket = socket;
    this.shouldKeepAlive = false;
    socket.on("error", () => {}); // "close" follows
    socket.setTimeout(0);
    if (head.length > 0) socket.unshift(head);
    this.assignSocket(socket);
    socket.on("drain", this.#passOnDrain);
    this.on("finish", () => this.#endConnection());
  }

  /** Gives the socket up, for a tunnel. */
  release(): Socket {
    this.clientSocket.off("drain", this.#passOnDrain);
    this.detachSocket(this.clientSocket);
    return this.clientSocket;
  }

  #endConnection(): void {
    const socket = this.release();
    this.emit("close");
    socket.end();
    socket.resume(); // thrown away unread: nothing behind a refused upgrade is ever taken for a request
    const deadline = this.#desk.deadlines.set(LINGER_MS, () => socket.destroy());
    socket.on("end", () => socket.destroy());
    socket.on("close", () => deadline.clear());
  }
}

/** One request for an upgrade on its way, and the tunnel that came of it. */
export class UpgradeAttempt {
  /** As the client wrote it. */
  readonly protocol: string;
  readonly #desk: DataDesk;
  readonly #res: UpgradeResponse;
  readonly #settings: Upgrade;
  #tunnel: Tunnel | null = null;

  constructor(desk: DataDesk, res: UpgradeResponse, settings: Upgrade, protocol: string) {
    this.#desk = desk;
    this.#res = res;
    this.#settings = settings;
    this.protocol = protocol;
  }

  get bytesIn(): number {
    return this.#tunnel?.bytesIn ?? 0;
  }

  get bytesOut(): number {
    return this.#tunnel?.bytesOut ?? 0;
  }

  get endedBy(): EndedBy | null {
    return this.#tunnel?.endedBy ?? null;
  }

  /** Calls back when the tunnel has ended; false: there is none. */
  whenEnded(listener: () => void): boolean {
    if (this.#tunnel === null) return false;
    this.#tunnel.onClosed(listener);
    return true;
  }

  /** Whether the head of a 101 switches to what was asked for. */
  accepts(rawHeaders: readonly string[]): boolean {
    return isSwitchTo(this.protocol, rawHeaders);
  }

  /** Tells the client of the switch and connects the two. `headers`: flat, those that the client may see. */
  open(side: Side, from: UpgradeOrigin, headers: readonly string[], backend: Duplex): void {
    const res = this.#res;
    const client = res.release();
    res.statusCode = 101;
    client.write(Buffer.from(switchingHead(this.protocol, headers), "latin1"));
    const tunnel = new Tunnel(client, backend, this.#settings, this.#desk.deadlines);
    const entry = {
      tunnel,
      side,
      recorder: from.room?.recorder ?? from.snapshot.unmatched.recorder,
      takenBack: takenBackBy(from, side, this.#settings),
    };
    this.#tunnel = tunnel;
    this.#desk.tunnels.add(entry);
    tunnel.onClosed(() => this.#desk.tunnels.remove(entry));
  }
}

/** What of an exchange a tunnel goes on to need. */
export interface UpgradeOrigin {
  readonly snapshot: Snapshot;
  readonly room: RouteRoom | null;
  readonly decision: Decision;
}

/** Null: an ordinary request. */
export function attemptOf(
  desk: DataDesk,
  res: ServerResponse,
  room: RouteRoom | null,
): UpgradeAttempt | null {
  if (!(res instanceof UpgradeResponse)) return null;
  const settings = room === null ? DEFAULT_UPGRADE : room.compiled.route.upgrade;
  const { method = "", httpVersion, rawHeaders } = res.req;
  const protocol = protocolToAsk({ method, version: httpVersion, rawHeaders }, settings);
  return settings === null || protocol === null ? null : new UpgradeAttempt(desk, res, settings, protocol);
}

function switchingHead(protocol: string, headers: readonly string[]): string {
  let head = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n`;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const lower = name.toLowerCase();
    // A 101 has no body to tell the length of, and Connection is said already.
    if (lower === "content-length" || lower === "connection") continue;
    head += `${name}: ${headers[i + 1]}\r\n`;
  }
  return `${head}\r\n`;
}

/**
 * As for requests: a latch leaves alone who was forced, keys that are pinned to new, and those that stay there. A
 * pin to old takes its key back like a rollback.
 */
function takenBackBy({ room, decision }: UpgradeOrigin, side: Side, settings: Upgrade): () => boolean {
  if (room === null || side === "old" || settings.onRollback === "keep") return () => false;
  if (decision.reason === "forced") return () => false;
  const { tile, compiled, pins } = room;
  const stays = decision.reason === "split-new" && compiled.route.split?.onRollback === "stay";
  return () => {
    // Asked anew each time: pins come and go while a connection is open.
    const pin = decision.who === null ? undefined : pins.get(decision.who.key);
    if (pin === "old") return true;
    return stays || pin === "new" ? tile.closed : tile.latched;
  };
}
