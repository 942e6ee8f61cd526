/**
 * The entry of a comparison thread: takes pairs from the data-plane threads, one at a time and turn by turn,
 * and posts what it found to control. Nothing that a pair holds ends it.
 *
 * workerData: `{ queue, progress }`. `queue` is a SharedArrayBuffer of two 32-bit counters: pairs waiting, bytes
 * waiting. Whoever posts a pair adds to them first, and sheds where they are too high; this thread subtracts when it is
 * done. `progress` says what it is at (board/progress.ts).
 * Messages in: `{ kind: "port", port }` for each data-plane thread, `{ kind: "stop" }`. Pairs come over those
 * ports as `{ kind: "pair", pair }`. Messages out: `Compared` (model/pair.ts).
 */

import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { type CompareSetup, noteBegun, noteDone } from "../board/progress.ts";
import { giveWay } from "../give-way.ts";
import type { Compared, Pair, Place } from "../model/pair.ts";
import { type CompiledCompare, compileCompare } from "./compare.ts";
import { examinePair, unexamined } from "./examine.ts";
import { createThrottle, type Throttle } from "./throttle.ts";

type FromControl = { readonly kind: "port"; readonly port: MessagePort } | { readonly kind: "stop" };
type FromData = { readonly kind: "pair"; readonly pair: Pair };

const PAIRS_WAITING = 0;
const BYTES_WAITING = 1;

/** Routes × versions in use at one time; versions of old rules go first. */
const MAX_COMPILED = 256;

/** After that many the thread's own faults would only fill the log with the same. */
const MAX_WARNINGS = 20;

/** Samples that a route may send in a second, and as many of what is rare among them: each is copied to control,
 * which keeps a few. */
const MAX_SAMPLES_PER_SECOND = 50;

/** The pairs of one data-plane thread. A port hands over up to a thousand messages at once: without lines and
 * turns, one busy thread would keep the others waiting, and `stop` too. */
interface Line {
  readonly port: MessagePort;
  readonly pairs: Pair[];
}

function serve(control: MessagePort, queue: Int32Array, progress: SharedArrayBuffer): void {
  const compiled = new Map<string, CompiledCompare>();
  const samples = createThrottle(MAX_SAMPLES_PER_SECOND);
  const lines = new Set<Line>();
  /** The lines with somebody in them. An immediate is due exactly while there are any. */
  const turns: Line[] = [];

  const takeTurn = (): void => {
    const line = turns.shift();
    const pair = line?.pairs.shift();
    if (line !== undefined && line.pairs.length > 0) turns.push(line);
    if (turns.length > 0) setImmediate(takeTurn);
    if (pair === undefined) return;
    noteBegun(progress, pair.route);
    try {
      control.postMessage(examine(pair, compiled, samples));
    } finally {
      leave(queue, pair);
      noteDone(progress);
    }
  };

  const listen = (port: MessagePort): void => {
    const line: Line = { port, pairs: [] };
    lines.add(line);
    port.on("message", ({ pair }: FromData) => {
      if (line.pairs.push(pair) > 1) return;
      if (turns.push(line) === 1) setImmediate(takeTurn);
    });
    // What its thread sent before it ended keeps its turns.
    port.on("close", () => lines.delete(line));
  };

  const stop = (): void => {
    for (const { pairs } of turns) for (const pair of pairs) leave(queue, pair);
    turns.length = 0;
    for (const { port } of lines) {
      port.removeAllListeners("message");
      port.close();
    }
    // Nothing is left to listen to, so the thread ends by itself, its last messages delivered.
    control.close();
  };

  control.on("message", (message: FromControl) => {
    if (message.kind === "port") listen(message.port);
    else stop();
  });
}

/** Compares one pair. Whatever goes wrong is this pair's alone. */
function examine(pair: Pair, compiled: Map<string, CompiledCompare>, samples: Throttle): Compared {
  try {
    const mayShow = (places: readonly Place[]): boolean =>
      samples.admit(pair.route, places, performance.now());
    return examinePair(pair, compiledFor(pair, compiled), mayShow);
  } catch (error) {
    warn(pair, error);
    return unexamined(pair);
  }
}

let warnings = 0;

function warn(pair: Pair, error: unknown): void {
  if (warnings++ >= MAX_WARNINGS) return;
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`a pair of route ${JSON.stringify(pair.route)} could not be compared: ${why}`, {
    code: "CUTOVER_COMPARE",
  });
}

/** The pair's `compare`, compiled once for route and version; the least lately used of too many is dropped. */
function compiledFor(pair: Pair, compiled: Map<string, CompiledCompare>): CompiledCompare {
  const name = `${pair.rulesVersion}/${pair.route}`;
  const ready = compiled.get(name) ?? compileCompare(pair.compare);
  compiled.delete(name);
  compiled.set(name, ready);
  const oldest = compiled.keys().next();
  if (compiled.size > MAX_COMPILED && !oldest.done) compiled.delete(oldest.value);
  return ready;
}

function leave(queue: Int32Array, pair: Pair): void {
  Atomics.sub(queue, PAIRS_WAITING, 1);
  const again = pair.again?.body.byteLength ?? 0;
  Atomics.sub(queue, BYTES_WAITING, pair.old.body.byteLength + pair.new.body.byteLength + again);
}

if (parentPort === null) throw new Error("src/compare/thread.ts runs as a worker thread, not by itself");
giveWay();
const { queue, progress }: CompareSetup = workerData;
serve(parentPort, new Int32Array(queue), progress);
