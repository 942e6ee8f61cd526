/** The endpoints: what each asks of the desk, and how its answer looks. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { MismatchSample, RouteStatus } from "../model/reports.ts";
import { explainRequest, optionalReason, readJson, requiredReason } from "./body.ts";
import type { ActionResult, Desk } from "./desk.ts";
import type { EventStreams } from "./events.ts";
import { Problem, quoted } from "./problem.ts";
import type { Entry, Guarding } from "./router.ts";

const DEFAULT_AUDIT_LIMIT = 100;
const MAX_AUDIT_LIMIT = 1_000;

export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly names: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** A whole answer; undefined: the handler answers by itself (a stream). */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export type Handler = (call: Call) => Reply | undefined | Promise<Reply | undefined>;

/** The table of all endpoints. */
export function endpoints(desk: Desk, events: EventStreams): readonly Entry<Handler>[] {
  const table: readonly Entry<Handler>[] = [
    get("/healthz", "probe", () => text(200, "alive\n")),
    get("/readyz", "probe", () => (desk.ready() ? text(200, "ready\n") : text(503, "not ready\n"))),
    get("/metrics", "metrics", async () => {
      const { contentType, text: body } = await desk.metrics();
      return { status: 200, contentType, body };
    }),
    get("/", "open", () => text(200, index(table))),
    get("/api/v1/status", "open", () => json(desk.status())),
    get("/api/v1/routes/:name", "open", (call) => json(routeOf(desk, call))),
    get("/api/v1/mismatches", "guarded", async ({ query }) =>
      json((await desk.mismatches(routeFilter(query))).map(withoutBodies)),
    ),
    get("/api/v1/mismatches/:id", "guarded", async (call) => json(await mismatchOf(desk, call))),
    get("/api/v1/audit", "guarded", async ({ query }) =>
      json(await desk.audit({ route: routeFilter(query), limit: limitOf(query) })),
    ),
    get("/api/v1/events", "guarded", ({ request, response }) => {
      if (request.method === "HEAD") return { status: 200, contentType: "text/event-stream", body: "" };
      events.open(request, response);
      return undefined;
    }),
    post("/api/v1/routes/:name/rollback", async (call) => {
      const { name } = routeOf(desk, call);
      return done(await desk.rollback(name, requiredReason(await readJson(call.request))));
    }),
    // A latch outlives its route in the rules, so the route need not be one that status lists.
    post("/api/v1/routes/:name/reset", async ({ request, names: { name = "" } }) => {
      const result = await desk.reset(name, requiredReason(await readJson(request)));
      if (!result.ok && result.missing === true) throw noRoute(name);
      return done(result);
    }),
    ...["promote", "pause", "resume"].map((action) =>
      post(`/api/v1/routes/:name/${action}`, async (call) => {
        const { name } = routeOf(desk, call);
        await readJson(call.request);
        throw new Problem(409, `${name} has no rollout: its shares are set in the rules`);
      }),
    ),
    post("/api/v1/rollback", async ({ request }) =>
      done(await desk.rollbackAll(requiredReason(await readJson(request)))),
    ),
    post("/api/v1/reload", async ({ request }) => reload(desk, optionalReason(await readJson(request)))),
    post("/api/v1/drain", async ({ request }) => done(desk.drain(optionalReason(await readJson(request))))),
    post("/api/v1/store/reset", async ({ request }) =>
      done(await desk.resetStore(requiredReason(await readJson(request)))),
    ),
    post("/api/v1/explain", async ({ request }) =>
      json(desk.explain(explainRequest(await readJson(request)))),
    ),
  ];
  return table;
}

function get(path: string, guarding: Guarding, handler: Handler): Entry<Handler> {
  return { method: "GET", path, guarding, handler };
}

function post(path: string, handler: Handler): Entry<Handler> {
  return { method: "POST", path, guarding: "guarded", handler };
}

function json(value: unknown): Reply {
  return { status: 200, contentType: "application/json; charset=utf-8", body: `${JSON.stringify(value)}\n` };
}

function text(status: number, body: string): Reply {
  return { status, contentType: "text/plain; charset=utf-8", body };
}

function done(result: ActionResult): Reply {
  if (result.ok) return json(result);
  throw new Problem(409, result.why);
}

async function reload(desk: Desk, reason: string): Promise<Reply> {
  const report = await desk.reload(reason);
  if (report.ok) return json(report);
  const count = report.errors.length === 1 ? "an error" : `${report.errors.length} errors`;
  throw new Problem(422, `the rules have ${count}: the last good ones go on serving`, {
    extra: { ...report },
  });
}

function routeOf(desk: Desk, { names }: Call): RouteStatus {
  const name = names.name ?? "";
  const route = desk.route(name);
  if (route !== undefined) return route;
  throw noRoute(name);
}

function noRoute(name: string): Problem {
  return new Problem(
    404,
    `no route is named ${quoted(name)}: \`cutover status\` (GET /api/v1/status) lists them`,
  );
}

async function mismatchOf(desk: Desk, { names }: Call): Promise<MismatchSample> {
  const id = names.id ?? "";
  const sample = /^\d{1,15}$/.test(id) ? await desk.mismatch(Number(id)) : undefined;
  if (sample !== undefined) return sample;
  throw new Problem(
    404,
    `no mismatch has the id ${quoted(id)}: GET /api/v1/mismatches lists those that are kept`,
  );
}

/** A list of a thousand samples with bodies could be 64 MiB; one sample by its id has them. */
function withoutBodies(sample: MismatchSample): MismatchSample {
  return { ...sample, old: { ...sample.old, body: null }, new: { ...sample.new, body: null } };
}

function routeFilter(query: URLSearchParams): string | null {
  const route = query.get("route");
  return route === "" ? null : route;
}

function limitOf(query: URLSearchParams): number {
  const sent = query.get("limit");
  if (sent === null || sent === "") return DEFAULT_AUDIT_LIMIT;
  const limit = /^\d{1,6}$/.test(sent) ? Number(sent) : 0;
  if (limit >= 1 && limit <= MAX_AUDIT_LIMIT) return limit;
  throw new Problem(400, `limit must be a whole number from 1 to ${MAX_AUDIT_LIMIT}`);
}

function index(table: readonly Entry<Handler>[]): string {
  const lines = table.map(({ method, path, guarding }) => {
    const shown = path.replace(":name", "NAME").replace(":id", "ID");
    return `${method.padEnd(5)}${shown}${guarding === "guarded" ? "   (token)" : ""}`;
  });
  return `cutover, admin API\n\n${lines.join("\n")}\n`;
}
