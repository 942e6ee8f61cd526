/** The rules in force as a data thread serves by them: a room for each route, all of them together a snapshot. */

import type { Recorder } from "../board/recorder.ts";
import type { Tile } from "../board/tile.ts";
import type { CompiledRoute, CompiledRules } from "../model/compiled.ts";
import type { Trust } from "../model/forwarded.ts";
import type { PinnedKeys } from "../model/pins.ts";
import type { Side } from "../model/ruleset.ts";
import type { BackendClient } from "./backend-client.ts";
import type { ClientErrorChecks } from "./client-error-checks.ts";
import type { Rest } from "./rest.ts";

/** A route with all that serving it takes. */
export interface RouteRoom {
  readonly compiled: CompiledRoute;
  /** As they stand now: later changes show in it. */
  readonly pins: PinnedKeys;
  readonly slot: number;
  readonly tile: Tile;
  readonly recorder: Recorder;
  readonly old: BackendClient;
  readonly new: BackendClient | null;
  /** Connections of their own: a shadow that hangs takes none from clients. */
  readonly shadowOld: BackendClient;
  readonly shadowNew: BackendClient | null;
  /** Shadows under way on this thread, with all else that is asked like one. */
  shadowsInFlight: number;
  /** Of those, the second questions to old. */
  noiseInFlight: number;
  /** Questions to old about 4xx of new. */
  readonly clientErrorChecks: ClientErrorChecks;
  /** By the side that the shadows go to. */
  readonly shadowRest: Readonly<Record<Side, Rest>>;
  /** Names of the request's fields that go along with a pair. */
  readonly fieldsToKeep: ReadonlySet<string>;
}

export interface UnmatchedRoom {
  readonly recorder: Recorder;
  readonly backend: BackendClient | null;
}

/** One ruleset in force. A request takes it once and keeps it, also over a reload. */
export interface Snapshot {
  readonly compiled: CompiledRules;
  /** Which peers are trusted proxies. */
  readonly trusts: Trust;
  readonly rooms: readonly RouteRoom[];
  readonly unmatched: UnmatchedRoom;
  /** Every client that it uses, once. */
  readonly clients: readonly HeldClient[];
  /** Requests and shadows that began with it and have not ended. */
  inFlight: number;
  retired: boolean;
}

/** A client shared by the snapshots that configure its backend alike. */
export interface HeldClient {
  readonly id: string;
  readonly client: BackendClient;
  users: number;
}

/** Where a shadow of this route goes; null: it has no such side. */
export function shadowClient(room: RouteRoom, side: Side): BackendClient | null {
  return side === "new" ? room.shadowNew : room.shadowOld;
}
