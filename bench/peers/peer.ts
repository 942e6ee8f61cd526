/** What the rig asks of every proxy that it measures: how to start it for one shape of work. */

/**
 * What a proxy is set up to do. plain: everything to old. canary: 5% of the users in x-user to new. keys: the users
 * of a million-line list to new. shadow: everything to old, a copy to new. routes: a thousand paths. logged: plain,
 * with an access log of every request.
 */
export type Shape = "plain" | "canary" | "keys" | "shadow" | "routes" | "logged";

/** native: C or C++. node, go: the peers that the gateway shall beat by 1.3. least: what Node can do at best. */
export type PeerKind = "gateway" | "native" | "node" | "go" | "least";

/** Where a proxy runs. Ports are of 127.0.0.1. */
export interface Ground {
  /** Its own, for configuration, state and logs. */
  readonly folder: string;
  readonly listenPort: number;
  readonly oldPort: number;
  readonly newPort: number;
  /** For an admin port, where it has one. */
  readonly adminPort: number;
  /** Of the gateway; a peer has one worker always. */
  readonly threads: number;
}

/** How to start a proxy in the foreground, as one process. */
export interface Plan {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Written into the folder before it starts: name → text. */
  readonly files: Readonly<Record<string, string>>;
  /** Names of files in the folder that grow with every request; they are emptied between rounds. */
  readonly logs?: readonly string[];
  /** One of the logs: where its standard output goes. */
  readonly stdoutTo?: string;
  /** What a reader of the figures must know, as "weighted at random, not by key". */
  readonly remark?: string;
  /** Asked after the last round, while it still runs: what it says itself of its work, in words. */
  readonly report?: () => Promise<string>;
}

/** The peer has no equal of this shape. */
export interface Lack {
  readonly lacks: string;
}

export interface Peer {
  readonly name: string;
  readonly kind: PeerKind;
  readonly version: string;
  /** Absent: it forwards request bodies. */
  readonly noBodies?: true;
  plan(shape: Shape, ground: Ground): Plan | Lack;
}

/** The routes of the shape `routes`, each with a path of its own. */
export const ROUTE_COUNT = 1_000;
export const CANARY_PERCENT = 5;
export const KEY_COUNT = 1_000_000;

export const routePath = (route: number): string => `/area-${route}/`;
export const keyOf = (user: number): string => `user-${user}`;
export const urlOf = (port: number): string => `http://127.0.0.1:${port}`;

/** So many of something, made from their numbers. */
export function each<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
