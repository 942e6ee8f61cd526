/**
 * Events in the names of the Elastic Common Schema; what it has no name for is under `cutover.`. By hand: the
 * package @elastic/ecs-pino-format maps Node's request and response objects, which nothing here holds.
 * Flat names with dots, as ECS's loggers write `log.level`: Elasticsearch makes objects of them.
 */

/** 8.11's fields are 9's too. */
export const ECS_VERSION = "8.11.0";

type Fields = Readonly<Record<string, unknown>>;
type Line = Record<string, unknown>;

export interface LoggedLine {
  readonly level: "info" | "warn";
  /** ISO 8601. */
  readonly time: string;
  readonly msg: string;
  readonly fields: Fields;
}

/** Fields of ours by their names there. */
const NAMES: Readonly<Record<string, string>> = {
  reason: "event.reason",
  requestId: "http.request.id",
  why: "error.message",
  errors: "error.message",
};

/** ECS's fixed words for what kind of event it is. */
interface Category {
  readonly category: "configuration" | "database" | "process" | "web";
  readonly type: "change" | "end" | "error" | "info" | "start";
  readonly outcome: "success" | "failure" | "unknown";
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
  "log-lost": { category: "process", type: "change", outcome: "failure" },
  mismatch: { category: "web", type: "info", outcome: "unknown" },
  "store-damaged": { category: "database", type: "error", outcome: "failure" },
};

const OTHER: Category = { category: "process", type: "info", outcome: "unknown" };

/** An event's line as it is written; null and absent fields are left out, as ECS has it. */
export function ecsLine({ level, time, msg, fields }: LoggedLine): Line {
  const { category, type, outcome } = CATEGORIES[msg] ?? OTHER;
  const line: Line = {
    // In this order, so that people can read it: time, level, message.
    "@timestamp": time,
    "log.level": level,
    message: eventText(msg, fields),
    "ecs.version": ECS_VERSION,
    "service.name": "cutover",
    "event.kind": "event",
    "event.module": "cutover",
    "event.dataset": "cutover.event",
    "event.action": msg,
    "event.category": [category],
    "event.type": [type],
    "event.outcome": outcome,
  };
  for (const [name, value] of Object.entries(fields)) {
    const known = NAMES[name];
    if (known === undefined) putOwn(line, `cutover.${snakeCase(name)}`, value);
    else if (value !== null && value !== undefined) line[known] = value;
  }
  return line;
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

function eventText(msg: string, { route, reason, why }: Fields): string {
  const subject = typeof route === "string" ? `${msg} ${route}` : msg;
  const because = [reason, why].find((each) => typeof each === "string");
  return because === undefined ? subject : `${subject}: ${because}`;
}
