/** What a run has found, as the verdicts and the report read it. */

import type { PeerKind } from "./peer.ts";
import type { Scenario } from "./scenarios.ts";

/** The gateway with the shape `plain`, in a scenario of another shape. */
export const PLAIN_BESIDE = "gateway, plain";
export const GATEWAY = "gateway";

/** One round of one contestant. */
export interface Round {
  /** Processor time of all its threads for one request. */
  readonly cpuUs: number;
  readonly perSecond: number;
  /** Processor time for a second: 1 is a core that never rests. */
  readonly busy: number;
  readonly failures: number;
  readonly requests: number;
  /** Of them and their copies: how many the backends counted. */
  readonly toNew: number;
  readonly toOld: number;
  /** Connections that it opened to the backends. */
  readonly connections: number;
  readonly paced: Paced | null;
}

/** Milliseconds at a fixed rate. */
export interface Paced {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly failures: number;
}

export interface Row {
  readonly name: string;
  readonly kind: PeerKind;
  readonly remark: string | null;
  readonly rounds: readonly Round[];
  readonly peakMiB: number;
  readonly report: string | null;
}

/** A proxy that did not take part, or not to the end. */
export interface Absent {
  readonly name: string;
  readonly why: string;
}

export interface Found {
  readonly scenario: Scenario;
  readonly rows: readonly Row[];
  readonly lacks: readonly Absent[];
  readonly failures: readonly Absent[];
}

/** The gateway with one data thread and with two. */
export interface Threads {
  readonly one: readonly Round[];
  readonly two: readonly Round[];
  /** Most memory at two threads, plain and with a shadow, in MiB. */
  readonly plainMiB: number;
  readonly shadowMiB: number;
  /** Whether two threads had two cores, and load and backends others. */
  readonly hadCores: boolean;
}
