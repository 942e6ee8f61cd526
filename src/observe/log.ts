/** Log lines of events: one JSON object a line. */

import { pino } from "pino";
import { ecsLine } from "./ecs.ts";

/** json: the names of our own; ecs: those of the Elastic Common Schema. */
export type LogFormat = "json" | "ecs";

type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  info(fields: Fields, msg: string): void;
  warn(fields: Fields, msg: string): void;
}

/** Takes a line, which ends with a newline. */
type Write = (line: string) => void;

export function createLog(format: LogFormat, write: Write): Log {
  return format === "ecs" ? ecsLog(write) : jsonLog(write);
}

/** `level` and `time` first, then the fields and `msg`, as INTERFACE names them. */
function jsonLog(write: Write): Log {
  return pino(
    {
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    { write },
  );
}

/** Without pino, which writes the message last; people who read ECS look for it behind the level. */
function ecsLog(write: Write): Log {
  const put = (level: "info" | "warn", fields: Fields, msg: string): void => {
    const line = ecsLine({ level, time: new Date().toISOString(), msg, fields });
    write(`${JSON.stringify(line)}\n`);
  };
  return {
    info: (fields, msg) => put("info", fields, msg),
    warn: (fields, msg) => put("warn", fields, msg),
  };
}
