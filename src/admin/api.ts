/** The endpoints: what each asks of the desk, and how its answer looks. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { HistoryReport } from "../model/history-report.ts";
import type {
  AuditEntry,
  MismatchCluster,
  MismatchSample,
  PinReport,
  RetroReport,
} from "../model/reports.ts";
import { explainRequest, onlyOptionalReason, onlyReason, readJson } from "./body.ts";
import type { Dashboard, FileReply } from "./dashboard/serve.ts";
import type { ActionResult, Desk } from "./desk.ts";
import type { EventStreams } from "./events.ts";
import { known, noRoute, routeOf } from "./known-route.ts";
import { pinRequest, unpinRequest } from "./pin-body.ts";
import { Problem, quoted } from "./problem.ts";
import { promoteRequest } from "./promotion-body.ts";
import { CLUSTER_ID, clusterFilter, hoursOf, limitOf, routeFilter } from "./query.ts";
import type { Entry, Guarding } from "./router.ts";

/** Of a path to be ignored; the rules take no longer one. */
const MAX_PATH_CHARS = 500;

const RETRY_SOON = { headers: { "retry-after": "5" } };

const SAMPLE_ID = /^\d{1,15}$/;

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
  readonly body: string | Buffer;
  /** Besides the usual ones, or in their place. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type Handler = (call: Call) => Reply | undefined | Promise<Reply | undefined>;

/** The table of all endpoints. */
export function endpoints(desk: Desk, events: EventStreams, dashboard: Dashboard): readonly Entry<Handler>[] {
  const table: readonly Entry<Handler>[] = [
    get("/healthz", "probe", () => text(200, "alive\n")),
    get("/readyz", "probe", () => (desk.ready() ? text(200, "ready\n") : text(503, "not ready\n"))),
    get("/metrics", "metrics", async ({ request }) => {
      const { contentType, text: body } = await desk.metrics(request.headers.accept);
      return { status: 200, contentType, body, headers: { vary: "accept" } };
    }),
    get("/", "page", ({ request }) => dashboard.page(request)),
    get("/assets/:file", "metrics", ({ request, names }) => asset(dashboard, request, names.file ?? "")),
    get("/api/v1", "open", () => text(200, index(table))),
    get("/api/v1/status", "open", () => json(desk.status())),
    get("/api/v1/routes/:name", "open", (call) => json(routeOf(desk, call))),
    get("/api/v1/mismatches", "guarded", async ({ query }) => json(await clusters(desk, query))),
    get("/api/v1/mismatches/:id", "guarded", async (call) => json(await sampleOf(desk, call))),
    get("/api/v1/samples", "guarded", async ({ query }) => json(await samples(desk, query))),
    get("/api/v1/retro", "guarded", async ({ query }) => json(await retro(desk, query))),
    get("/api/v1/history", "guarded", async ({ query }) => json(await history(desk, query))),
    get("/api/v1/audit", "guarded", async ({ query }) => json(await audit(desk, query))),
    get("/api/v1/events", "guarded", ({ request, response }) => {
      if (request.method === "HEAD") return { status: 200, contentType: "text/event-stream", body: "" };
      events.open(request, response);
      return undefined;
    }),
    post("/api/v1/routes/:name/rollback", async (call) => {
      const { name } = routeOf(desk, call);
      return done(await desk.rollback(name, onlyReason(await readJson(call.request))));
    }),
    // A latch outlives its route in the rules, so the route need not be one that status lists.
    post("/api/v1/routes/:name/reset", async ({ request, names: { name = "" } }) => {
      const result = await desk.reset(name, onlyReason(await readJson(request)));
      if (!result.ok && result.missing === true) throw noRoute(desk, name);
      return done(result);
    }),
    post("/api/v1/routes/:name/promote", async (call) => {
      const { name } = routeOf(desk, call);
      return done(await desk.promote(name, promoteRequest(await readJson(call.request))));
    }),
    post("/api/v1/routes/:name/pause", async (call) => {
      const { name } = routeOf(desk, call);
      return done(await desk.pause(name, onlyReason(await readJson(call.request))));
    }),
    post("/api/v1/routes/:name/resume", async (call) => {
      const { name } = routeOf(desk, call);
      return done(await desk.resume(name, onlyReason(await readJson(call.request))));
    }),
    post("/api/v1/routes/:name/pins", async (call) => {
      const { name } = routeOf(desk, call);
      return done(await desk.pin(name, pinRequest(await readJson(call.request))));
    }),
    // Pins outlive their route in the rules, as latches do.
    post("/api/v1/routes/:name/unpin", async ({ request, names: { name = "" } }) => {
      const { key, reason } = unpinRequest(await readJson(request));
      const result = await desk.unpin(name, key, reason);
      if (!result.ok && result.missing === true) throw noRoute(desk, name);
      return done(result);
    }),
    get("/api/v1/pins", "guarded", ({ query }) => json(pins(desk, query))),
    // Guarded, unlike the route's status: it holds what operators wrote.
    get("/api/v1/routes/:name/report", "guarded", async ({ names: { name = "" } }) => {
      const report = await desk.report(name);
      if (report === undefined) throw noRoute(desk, name);
      return { status: 200, contentType: "text/markdown; charset=utf-8", body: report };
    }),
    post("/api/v1/rollback", async ({ request }) =>
      done(await desk.rollbackAll(onlyReason(await readJson(request)))),
    ),
    post("/api/v1/reload", async ({ request }) => reload(desk, onlyOptionalReason(await readJson(request)))),
    post("/api/v1/drain", async ({ request }) =>
      done(desk.drain(onlyOptionalReason(await readJson(request)))),
    ),
    post("/api/v1/store/reset", async ({ request }) =>
      done(await desk.resetStore(onlyReason(await readJson(request)))),
    ),
    post("/api/v1/explain", async ({ request }) =>
      json(desk.explain(explainRequest(await readJson(request)))),
    ),
  ];
  return table;
}

/** Not a word of any route is in these files: they need no token, or the page could not ask for one. */
async function asset(dashboard: Dashboard, request: IncomingMessage, name: string): Promise<FileReply> {
  let file: FileReply | undefined;
  try {
    file = await dashboard.asset(name, request);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Problem(503, `the dashboard's files cannot be had: ${why}`, RETRY_SOON);
  }
  if (file !== undefined) return file;
  throw new Problem(404, "the dashboard has no such file: GET / is its page");
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

async function clusters(desk: Desk, query: URLSearchParams): Promise<readonly MismatchCluster[]> {
  const filter = { route: routeFilter(query), limit: limitOf(query) };
  return known(desk, filter.route, await desk.clusters(filter));
}

async function samples(desk: Desk, query: URLSearchParams): Promise<readonly MismatchSample[]> {
  const filter = { route: routeFilter(query), cluster: clusterFilter(query) };
  const found = await desk.samples(filter);
  const isAll = filter.cluster === null || filter.route === null || found.length > 0;
  // Of other clusters there may be some.
  known(desk, filter.route, isAll ? found : await desk.samples({ ...filter, cluster: null }));
  return found;
}

async function audit(desk: Desk, query: URLSearchParams): Promise<readonly AuditEntry[]> {
  const filter = { route: routeFilter(query), limit: limitOf(query) };
  return known(desk, filter.route, await desk.audit(filter));
}

function pins(desk: Desk, query: URLSearchParams): readonly PinReport[] {
  const route = routeFilter(query);
  return known(desk, route, desk.pins(route));
}

/** A sample by its id; by a cluster's id its newest one. */
async function sampleOf(desk: Desk, { names }: Call): Promise<MismatchSample> {
  const id = names.id ?? "";
  // Twelve digits are both: a cluster's id may have no letter, and no gateway has stored so many samples.
  const sample = CLUSTER_ID.test(id)
    ? await desk.sample({ cluster: id })
    : SAMPLE_ID.test(id)
      ? await desk.sample({ sample: Number(id) })
      : undefined;
  if (sample !== undefined) return sample;
  throw new Problem(
    404,
    `no sample is kept under the id ${quoted(id)}: GET /api/v1/mismatches lists the clusters and ` +
      "GET /api/v1/samples the samples that are kept; with `compare.samples: off` or --no-samples there are none",
  );
}

async function retro(desk: Desk, query: URLSearchParams): Promise<RetroReport> {
  const route = routeFilter(query);
  const ignore = query.get("ignore");
  if (ignore !== null && route === null)
    throw new Problem(400, "ignore needs a route: write ?route=NAME&ignore=PATH");
  if (ignore !== null && (ignore === "" || ignore.length > MAX_PATH_CHARS))
    throw new Problem(400, `ignore must be a path of 1 to ${MAX_PATH_CHARS} characters, such as $.updatedAt`);
  // Without the rules of a route there is nothing to judge by.
  if (route !== null && desk.route(route) === undefined) throw noRoute(desk, route);
  const result = await desk.retro({ route, ignore });
  if (result.ok) return result.report;
  throw new Problem(result.status, result.why, result.status === 503 ? RETRY_SOON : {});
}

async function history(desk: Desk, query: URLSearchParams): Promise<HistoryReport> {
  const route = routeFilter(query);
  if (route === null) throw new Problem(400, "say of which route: write ?route=NAME");
  const report = await desk.history(route, hoursOf(query));
  if (report === undefined) throw noRoute(desk, route);
  return report;
}

function index(table: readonly Entry<Handler>[]): string {
  const lines = table.map(({ method, path, guarding }) => {
    const shown = path.replace(":name", "NAME").replace(":id", "ID").replace(":file", "FILE");
    return `${method.padEnd(5)}${shown}${guarding === "guarded" ? "   (token)" : ""}`;
  });
  return `cutover, admin API\n\n${lines.join("\n")}\n`;
}
