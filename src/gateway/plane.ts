/** The data plane and the comparison thread, started and connected to the control room. */

import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import type { Address, GatewayOptions } from "../gateway-options.ts";
import type { LogWriter } from "../observe/log-writer.ts";
import type { LogLines } from "../proxy/messages.ts";
import { CompareThread } from "../workers/compare-threads.ts";
import { CannotListenError, DataThreads } from "../workers/data-threads.ts";
import type { ControlRoom } from "./control-room.ts";
import type { State } from "./state.ts";
import { startTraces } from "./traces.ts";

export interface Plane {
  readonly port: number;
  /** Threads that died and were replaced, by kind. */
  readonly replacements: ReadonlyMap<string, number>;
  /** Spans by what became of them; empty where none are exported. */
  spans(): Iterable<readonly [result: string, count: number]>;
  drain(): void;
  /** No new connections; resolves when the last request has ended, or with how many the limit cut off. */
  close(timeoutMs: number): Promise<number>;
}

/** Resolves when every data thread accepts connections; throws a CannotListenError. */
export async function startPlane(
  options: GatewayOptions,
  state: State,
  control: ControlRoom,
  threads: number,
  built: AsyncDisposableStack,
): Promise<Plane> {
  await assertFree(options.listen);
  const replacements = new Map([
    ["data", 0],
    ["compare", 0],
  ]);
  const replaced = (kind: string, fields: Readonly<Record<string, unknown>>): void => {
    replacements.set(kind, (replacements.get(kind) ?? 0) + 1);
    control.announcer.warn("thread-replaced", { kind, ...fields });
  };
  /** Empty until the data threads have started: they connect by themselves then. */
  let reconnect = (): void => {};
  let retrace = (): void => {};
  const compareQueue = new SharedArrayBuffer(8);
  const compare = new CompareThread({
    queue: compareQueue,
    onCompared: (compared) => control.comparisons.take(compared),
    onReplaced: (why) => {
      replaced("compare", { why });
      control.comparisons.lost();
      reconnect();
    },
  });
  built.defer(() => compare.terminate());
  const traces = await startTraces(options, built, (why) => {
    replaced("traces", { why });
    retrace();
  });
  if (traces !== null) replacements.set("traces", 0);
  const data = await DataThreads.start({
    threads,
    host: options.listen.host,
    port: options.listen.port,
    setup: {
      bell: control.bell.buffer,
      compareQueue,
      forceToken: options.forceToken,
      responseHeaders: options.responseHeaders,
      accessLog: options.accessLog,
      logFormat: options.logFormat,
      keySalt: state.keySalt,
      traces: traces === null ? null : { sharePpm: traces.sharePpm, counts: traces.thread.counts },
    },
    events: control.rings.map((ring) => ring.buffer),
    log: options.accessLog.kind === "off" ? null : logLines(control.logWriter, threads),
    rules: control.firstRules,
    pins: () => control.pins.acting,
    connectCompare: (port) => compare.connect(port),
    connectTraces: traces === null ? null : () => traces.thread.connect(),
    onReplaced: (thread, why) => replaced("data", { thread, why }),
    onUnconfirmed: (ticket) => control.comparisons.unconfirmed(ticket),
  });
  built.defer(() => data.terminate());
  reconnect = () => data.reconnectCompare();
  retrace = () => data.reconnectTraces();
  control.confirmBy((ticket) => data.confirm(ticket));
  control.pins.actBy((changes) => data.pin(changes));
  await control.serveBy((rules) => data.apply(rules));
  return {
    port: data.port,
    replacements,
    spans: () => traces?.thread.results() ?? [],
    drain: () => data.drain(),
    close: (timeoutMs) => data.close(timeoutMs),
  };
}

function logLines(writer: LogWriter, threads: number): LogLines[] {
  return Array.from({ length: threads }, () => ({
    ring: writer.addRing().buffer,
    alarm: writer.alarm.buffer,
  }));
}

/** How many data threads: one where threads cannot share a port. */
export function threadCount(asked: number | "auto"): number {
  if (process.platform !== "linux" && process.platform !== "freebsd") return 1;
  return asked === "auto" ? availableParallelism() : asked;
}

/** With SO_REUSEPORT a second gateway would bind the same port without an error and take half the traffic. */
async function assertFree({ host, port }: Address): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  probe.on("error", (error: NodeJS.ErrnoException) => {
    reject(new CannotListenError(error.code ?? "", error.message));
  });
  probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
  await promise;
}
