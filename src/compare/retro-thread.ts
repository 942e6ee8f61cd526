/**
 * The entry of a thread that judges stored pairs again and ends: parsing what strangers wrote is no work for the
 * control thread. workerData: `RetroInput`. Posts one RetroReport; an Error that it ends with names what is wrong
 * with the path to ignore.
 */

import { parentPort, workerData } from "node:worker_threads";

import { giveWay } from "../give-way.ts";
import { clusterId } from "../model/clusters.ts";
import type { MismatchSample } from "../model/reports.ts";
import type { Compare } from "../model/ruleset.ts";
import { type Ignoring, judgeAgain } from "./retro.ts";

interface RetroInput {
  readonly samples: readonly MismatchSample[];
  /** By route; routes that are not compared are left out. */
  readonly compares: Readonly<Record<string, Compare>>;
  readonly ignoring: Ignoring | null;
  readonly rulesVersion: string;
}

if (parentPort === null)
  throw new Error("src/compare/retro-thread.ts runs as a worker thread, not by itself");
giveWay();
const { samples, compares, ignoring, rulesVersion } = workerData as RetroInput;
const compareOf = (route: string): Compare | null =>
  Object.hasOwn(compares, route) ? (compares[route] ?? null) : null;
parentPort.postMessage(judgeAgain(samples, compareOf, clusterId, ignoring, rulesVersion));
