/** Where log lines go: one JSON object a line on stdout, from every thread straight to the file descriptor. */

import { pino } from "pino";

/**
 * Lines from several threads meet on one pipe. A write of up to PIPE_BUF (4,096 bytes) is not torn apart by
 * another; buffers are cut in characters, and a character of a log line takes two bytes at the most here.
 */
const MAX_WRITE_CHARS = 2000;
/** Waiting for a reader that does not read: beyond it lines are dropped, and the gateway goes on. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export type Log = ReturnType<typeof createLog>;

/** `level` and `time` first, then `msg` and its fields, as INTERFACE names them. */
export function createLog() {
  const destination = pino.destination({
    fd: 1,
    sync: false,
    maxWrite: MAX_WRITE_CHARS,
    maxLength: MAX_WAITING_BYTES,
  });
  return pino(
    {
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    destination,
  );
}

/** Resolves when what was written has left the process, or the reader is gone. */
export function flushLog(log: Log): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  log.flush(() => resolve());
  return promise;
}
