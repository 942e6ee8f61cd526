/** All tables of a database that is open, with their statements prepared. */

import type { DatabaseSync } from "node:sqlite";
import { AuditTable } from "./audit.ts";
import { ClusterTable } from "./clusters.ts";
import { HistoryTable } from "./history.ts";
import { LatchTable } from "./latches.ts";
import { MetaTable } from "./meta.ts";
import { PinTable } from "./pins.ts";
import { RolloutTable } from "./rollouts.ts";
import { type SampleCaps, SampleTable } from "./samples.ts";

export interface Tables {
  readonly latches: LatchTable;
  readonly audit: AuditTable;
  readonly rollouts: RolloutTable;
  readonly pins: PinTable;
  readonly samples: SampleTable;
  readonly clusters: ClusterTable;
  readonly history: HistoryTable;
  readonly meta: MetaTable;
}

/** Prepares every statement: throws what SQLite throws where the tables are not those of the current schema. */
export function tablesOf(database: DatabaseSync, caps: SampleCaps): Tables {
  return {
    latches: new LatchTable(database),
    audit: new AuditTable(database),
    rollouts: new RolloutTable(database),
    pins: new PinTable(database),
    samples: new SampleTable(database, caps),
    clusters: new ClusterTable(database, caps.maxAgeMs),
    history: new HistoryTable(database),
    meta: new MetaTable(database),
  };
}
