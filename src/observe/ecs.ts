/**
 * Log lines in the names of the Elastic Common Schema; what it has no name for is under `cutover.`. By hand: the
 * package @elastic/ecs-pino-format maps Node's request and response objects, which the access log does not hold.
 * Flat names with dots, as ECS's loggers write `log.level`: Elasticsearch makes objects of them.
 */

/** 8.11's fields are 9's too. */
const ECS_VERSION = "8.11.0";
const NS_PER_MS = 1e6;

type Fields = Readonly<Record<string, unknown>>;
type Line = Record<string, unknown>;

export interface LoggedLine {
  readonly level: "info" | "warn";
  /** ISO 8601. */
  readonly time: string;
  readonly msg: string;
  readonly fields: Fields;
}

/** One field of ours by its name there. */
interface Renaming {
  readonly to: string;
  readonly convert?: (value: number) => number;
}

const nanoseconds = (ms: number): number => Math.round(ms * NS_PER_MS);

/** Of the access log. */
const ACCESS_NAMES: Readonly<Record<string, Renaming>> = {
  method: { to: "http.request.method" },
  path: { to: "url.path" },
  status: { to: "http.response.status_code" },
  failure: { to: "error.type" },
  durationMs: { to: "event.duration", convert: nanoseconds },
  backendMs: { to: "cutover.backend.duration", convert: nanoseconds },
  requestId: { to: "http.request.id" },
  traceId: { to: "trace.id" },
  bytesIn: { to: "http.request.body.bytes" },
  bytesOut: { to: "http.response.body.bytes" },
};

/** Of events. */
const EVENT_NAMES: Readonly<Record<string, Renaming>> = {
  reason: { to: "event.reason" },
  requestId: { to: "http.request.id" },
  why: { to: "error.message" },
  errors: { to: "error.message" },
};

type Outcome = "success" | "failure" | "unknown";

/** ECS's fixed words for what kind of event it is. */
interface Category {
  readonly category: "configuration" | "database" | "process" | "web";
  readonly type: "access" | "change" | "end" | "error" | "info" | "start";
  readonly outcome: Outcome;
}

const CHANGED: Category = { category: "configuration", type: "change", outcome: "success" };

const CATEGORIES: Readonly<Record<string, Category>> = {
  listening: { category: "process", type: "start", outcome: "success" },
  draining: { category: "process", type: "change", outcome: "success" },
  stopped: { category: "process", type: "end", outcome: "success" },
  "thread-replaced": { category: "process", type: "change", outcome: "failure" },
  reload: CHANGED,
  "reload-failed": { ...CHANGED, outcome: "failure" },
  rollback: CHANGED,
  reset: CHANGED,
  promote: CHANGED,
  completed: CHANGED,
  pause: CHANGED,
  resume: CHANGED,
  pin: CHANGED,
  unpin: CHANGED,
  shed: { category: "web", type: "info", outcome: "failure" },
  mismatch: { category: "web", type: "info", outcome: "unknown" },
  "store-damaged": { category: "database", type: "error", outcome: "failure" },
};

const OTHER: Category = { category: "process", type: "info", outcome: "unknown" };

/** A line as it is written; null and absent fields are left out, as ECS has it. */
export function ecsLine({ level, time, msg, fields }: LoggedLine): Line {
  const isAccess = msg === "request";
  const { category, type, outcome } = isAccess ? accessCategory(fields) : (CATEGORIES[msg] ?? OTHER);
  const line: Line = {
    // In this order, so that people can read it: time, level, message.
    "@timestamp": time,
    "log.level": level,
    message: isAccess ? accessText(fields) : eventText(msg, fields),
    "ecs.version": ECS_VERSION,
    "service.name": "cutover",
    "event.kind": "event",
    "event.module": "cutover",
    "event.dataset": isAccess ? "cutover.access" : "cutover.event",
    "event.action": msg,
    "event.category": [category],
    "event.type": isAccess && outcome === "failure" ? [type, "error"] : [type],
    "event.outcome": outcome,
  };
  const names = isAccess ? ACCESS_NAMES : EVENT_NAMES;
  for (const [name, value] of Object.entries(fields)) {
    const renaming = names[name];
    if (renaming === undefined) putOwn(line, `cutover.${snakeCase(name)}`, value);
    else if (value !== null && value !== undefined) line[renaming.to] = renamed(renaming, value);
  }
  return line;
}

function renamed({ convert }: Renaming, value: unknown): unknown {
  return convert !== undefined && typeof value === "number" ? convert(value) : value;
}

/** Objects (a rollback's evidence) become names with dots; lists of texts stay lists. */
function putOwn(line: Line, name: string, value: unknown): void {
  if (value === null || value === undefined) return;
  if (typeof value !== "object" || Array.isArray(value)) {
    line[name] = value;
    return;
  }
  for (const [key, inner] of Object.entries(value)) putOwn(line, `${name}.${snakeCase(key)}`, inner);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A client that left makes no failure; whether the answer would have been well nobody knows. */
function accessCategory({ status, failure }: Fields): Category {
  const outcome = failure === "client_gone" ? "unknown" : failed(status, failure) ? "failure" : "success";
  return { category: "web", type: "access", outcome };
}

function failed(status: unknown, failure: unknown): boolean {
  return (typeof failure === "string" && failure !== "") || (typeof status === "number" && status >= 500);
}

function accessText({ method, path, status, side, reason }: Fields): string {
  return `${method} ${path} ${status} ${side} (${reason})`;
}

function eventText(msg: string, { route, reason, why }: Fields): string {
  const subject = typeof route === "string" ? `${msg} ${route}` : msg;
  const because = [reason, why].find((each) => typeof each === "string");
  return because === undefined ? subject : `${subject}: ${because}`;
}
