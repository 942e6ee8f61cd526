/** What a simulation answers with. Field names are public; times are ISO 8601, ratios 0 to 1. */

import type { Detection, FalseRollbacks } from "./tally.ts";

export interface SimulationReport {
  log: {
    /** Of the first and the last request. */
    from: string;
    to: string;
    requests: number;
    /** Lines that are no requests of any known form, and the first of them with why. */
    unreadable: number;
    examples: readonly string[];
    /** Lines more than a minute earlier than one before them. */
    outOfOrder: number;
    /** Requests that no route of the rules matches. */
    unmatched: number;
  };
  seed: number;
  /** The log is put together anew from blocks of so long. */
  blockSeconds: number;
  /** What was assumed, and what the log does not tell: one sentence each. */
  notes: string[];
  routes: RouteSimulation[];
}

export interface RouteSimulation {
  name: string;
  requests: number;
  /** Of the log's answers. */
  errorRate: number;
  outcome: "completed" | "rolled-back" | "waiting";
  steps: SimulatedStep[];
  rollback: { cause: string; at: string; summary: string } | null;
  falseRollbacks: FalseRollbacks;
  detection: SimulatedDetection[];
  notes: string[];
}

export interface SimulatedStep {
  step: number;
  canary: number;
  shadow: number;
  from: string;
  /** Null: the log ends within it. */
  to: string | null;
  /** What it passed with, what ended it, or what it still needs. */
  why: string;
}

export interface SimulatedDetection extends Detection {
  /** So many times old's errors; or a share of new's answers, such as "10%". */
  readonly factor: number | string;
}
