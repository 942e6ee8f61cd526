/** Where log lines go: one JSON object a line on stdout, from every thread straight to the file descriptor. */

import { pino } from "pino";
import { ecsLine } from "./ecs.ts";

/**
 * Lines from several threads meet on one pipe. A write of up to PIPE_BUF (4,096 bytes) is not torn apart by
 * another; buffers are cut in characters, and a character of a log line takes two bytes at the most here.
 */
const MAX_WRITE_CHARS = 2000;
/** Waiting for a reader that does not read: beyond it lines are dropped, and the gateway goes on. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** json: the names of our own; ecs: those of the Elastic Common Schema. */
export type LogFormat = "json" | "ecs";

type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  info(fields: Fields, msg: string): void;
  warn(fields: Fields, msg: string): void;
  flush(done: () => void): void;
}

type Destination = ReturnType<typeof pino.destination>;

/** A log on stdout. */
export function createLog(format: LogFormat): Log {
  const destination = pino.destination({
    fd: 1,
    sync: false,
    maxWrite: MAX_WRITE_CHARS,
    maxLength: MAX_WAITING_BYTES,
  });
  return format === "ecs" ? ecsLog(destination) : jsonLog(destination);
}

/** `level` and `time` first, then the fields and `msg`, as INTERFACE names them. */
function jsonLog(destination: Destination): Log {
  return pino(
    {
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    destination,
  );
}

/** Without pino, which writes the message last; people who read ECS look for it behind the level. */
function ecsLog(destination: Destination): Log {
  const write = (level: "info" | "warn", fields: Fields, msg: string): void => {
    const line = ecsLine({ level, time: new Date().toISOString(), msg, fields });
    destination.write(`${JSON.stringify(line)}\n`);
  };
  return {
    info: (fields, msg) => write("info", fields, msg),
    warn: (fields, msg) => write("warn", fields, msg),
    flush: (done) => destination.flush(() => done()),
  };
}

/** Resolves when what was written has left the process, or the reader is gone. */
export function flushLog(log: Log): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  log.flush(() => resolve());
  return promise;
}
