/** The messages between the store's thread and its client. */

import type { StoreHealth } from "../store-types.ts";
import type { DatabaseOptions, StateDatabase } from "./database.ts";

/** What the client may ask of the thread: the methods of the database by name. */
export type Operation =
  | "latches"
  | "latch"
  | "unlatch"
  | "append"
  | "rollouts"
  | "moveRollout"
  | "keepRollouts"
  | "dropRollouts"
  | "pins"
  | "pin"
  | "unpin"
  | "audit"
  | "newestAudit"
  | "auditAfter"
  | "addSamples"
  | "samples"
  | "sample"
  | "sampleOfCluster"
  | "clusterSamples"
  | "mergeClusterSamples"
  | "dropSamples"
  | "saveClusters"
  | "clusters"
  | "addHistory"
  | "history"
  | "markers"
  | "meta"
  | "setMeta"
  | "reset"
  | "close";

export type Arguments<O extends Operation> = Parameters<StateDatabase[O]>;
export type Result<O extends Operation> = ReturnType<StateDatabase[O]>;

export interface ThreadData {
  readonly folder: string;
  readonly options: DatabaseOptions;
}

export interface Request {
  readonly id: number;
  readonly operation: Operation;
  readonly arguments: readonly unknown[];
}

/** A StoreError in transit: structured clones lose the class. */
export interface Failure {
  readonly operation: string;
  readonly code: string;
  readonly message: string;
}

/** The first answer of a thread has id 0 and says how opening went. Every answer carries the health after it. */
export type Answer =
  | { readonly id: number; readonly ok: true; readonly health: StoreHealth; readonly value: unknown }
  | {
      readonly id: number;
      readonly ok: false;
      readonly health: StoreHealth | null;
      readonly failure: Failure;
    };
