import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DURATION_BOUNDS_US, SHADOW_RESULTS, SIDES } from "../../src/board/layout.ts";
import { CODES } from "../../src/model/failures.ts";
import { REASONS } from "../../src/model/reasons.ts";
import { UNCOMPARED_REASONS } from "../../src/model/uncompared.ts";
import { boundText } from "../../src/observe/exposition.ts";
import { type MetricLine, readExposition } from "../observe/exposition.ts";
import { readOpenMetrics } from "../observe/openmetrics.ts";
import { TestGateway } from "../support/gateway.ts";
import { type RawBackend, startRawBackend, talk } from "../support/raw.ts";

/** As many as shall be told apart by chance, if anything of a request became a label. */
const REQUESTS = 600;
const AT_ONCE = 12;
const STATUSES = [
  200, 204, 206, 226, 299, 301, 304, 399, 400, 404, 418, 499, 500, 503, 555, 599, 600, 777, 999,
];

const ROUTES = ["keys", "plain", "shadowed"];
const EVERYWHERE = [...ROUTES, "unmatched"];
const METRICS = ["errors", "client-errors", "latency", "mismatches"];
const CAUSES = ["killSwitch", "operator", ...METRICS];
const LE = [...DURATION_BOUNDS_US.map((us) => boundText(us / 1e6)), "+Inf"];

const rulesOf = (url: string): string => `version: 1
backends:
  legacy: { url: "${url}" }
  modern: { url: "${url}" }
unmatched: legacy
defaults: { old: legacy, new: modern }
routes:
  - name: keys
    match: { path: "/keys/**" }
    key: [header:x-user, ip]
    split: { new: [acme], old: [whale] }
    canary: { share: 50%, always: [{ header: x-canary, equals: "true" }], never: [{ header: x-never, equals: "1" }] }
    guard: { latency: { ratio: 3 } }
  - name: plain
    match: { path: "/plain/**" }
    guard: off
  - name: shadowed
    match: { path: "/shadowed/**" }
    shadow: 100%
    guard: { mismatches: { max: 50% } }
`;

/** All label values that the rules and the lists of reasons and failures allow, by metric: nothing of a request. */
const ALLOWED: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  cutover_requests_total: { route: EVERYWHERE, side: SIDES, reason: REASONS, code: CODES },
  cutover_request_duration_seconds_bucket: { route: EVERYWHERE, side: SIDES, le: LE },
  cutover_request_duration_seconds_sum: { route: EVERYWHERE, side: SIDES },
  cutover_request_duration_seconds_count: { route: EVERYWHERE, side: SIDES },
  cutover_inflight_requests: { side: SIDES },
  cutover_upgrades_open: { route: EVERYWHERE, side: SIDES },
  cutover_fallbacks_total: { route: ROUTES },
  cutover_shadow_total: { route: ROUTES, result: SHADOW_RESULTS },
  cutover_comparisons_total: {
    route: ROUTES,
    result: ["match", "mismatch", "noise", "transient", "uncompared"],
  },
  cutover_uncompared_total: { route: ROUTES, reason: UNCOMPARED_REASONS },
  cutover_mismatch_ratio: { route: ROUTES },
  cutover_noise_ratio: { route: ROUTES },
  cutover_canary_share_ratio: { route: ROUTES },
  cutover_guard_evidence: { route: ROUTES, metric: METRICS },
  cutover_guard_limit: {
    route: ROUTES,
    metric: [...METRICS, "killSwitch"],
    kind: ["max", "ratio", "running"],
  },
  cutover_rollback_latched: { route: ROUTES },
  cutover_rollback_info: { route: ROUTES, cause: CAUSES },
  cutover_rollbacks_total: { route: ROUTES, cause: CAUSES },
  cutover_rules_last_reload_success: {},
  cutover_rules_last_reload_timestamp_seconds: {},
  cutover_rules_info: { version: [] },
  cutover_store_damaged: {},
  cutover_thread_replacements_total: { thread: ["data", "compare"] },
};

/** What may come only when it happens; all else is there from the start, and stays as it is. */
const BY_EVENTS = new Set(["cutover_requests_total", "cutover_rollback_info"]);

/** A longest name with its labels and a number; an exemplar besides. */
const MAX_LINE_BYTES = 200;
const MAX_PROCESS_BYTES = 32 * 1024;
const MAX_DESCRIPTION_BYTES = 16 * 1024;

/** Numbers that are the same in each run, so that a failure can be looked at (mulberry32). */
function drawsFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Requests by somebody who wants each to be remembered. */
function hostileRequests(count: number): string[] {
  const draw = drawsFrom(7);
  const pick = <T>(list: readonly T[]): T => list[draw(list.length)] as T;
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => draw(16).toString(16)).join("");
  const word = (): string => `${pick(["a", "Z", "x-", "_", "~", "%0a", "é", '"', "{", "\\"])}${hex(8)}`;
  return Array.from({ length: count }, (_, number) => {
    const method = pick([
      "GET",
      "GET",
      "GET",
      "HEAD",
      "POST",
      "DELETE",
      "OPTIONS",
      "PATCH",
      "PROPFIND",
      "SPLICE",
    ]);
    const folder = pick(["/keys", "/plain", "/shadowed", "", `/${hex(6)}`, "/keys/../plain", "//keys"]);
    const lines = [
      `${method} ${folder}/${encodeURI(word())}?status=${pick(STATUSES)}&${hex(8)}=${hex(8)} HTTP/1.1`,
      `Host: ${pick([`${hex(8)}.example`, "shop.example", "127.0.0.1", `${hex(4)}:80`, "a b", ""])}`,
      "Connection: close",
      `X-User: ${pick(["acme", "whale", hex(12), `${hex(4)} "${hex(4)}"`])}`,
      `${pick(["X-Canary: true", "X-Never: 1", `X-${hex(6)}: ${hex(6)}`])}`,
      `Traceparent: 00-${hex(32)}-${hex(16)}-${pick(["00", "01", "03", "ff", "zz"])}`,
      `X-Request-Id: ${hex(20)}`,
      `X-Cutover-${pick(["Force", "Route", "Side", "Reason", "Rules"])}: ${pick(["new", "old", hex(8)])}`,
      `User-Agent: ${hex(40)}`,
      `Cookie: uid=${hex(16)}`,
    ];
    if (number % 9 === 0) lines[2] = "Connection: upgrade, close";
    if (number % 9 === 0)
      lines.push(`Upgrade: ${pick(["websocket", `${hex(6)}/1.${draw(9)}`, "h2c", "IRC/6.9"])}`);
    if (number % 13 === 0) lines.push(`Transfer-Encoding: ${pick(["chunked, chunked", "gzip", hex(4)])}`);
    if (number % 17 === 0) lines.splice(1, 1);
    return `${lines.join("\r\n")}\r\n\r\n`;
  });
}

async function inTurns<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}

const seriesOf = (lines: readonly MetricLine[]): string[] =>
  lines.map(({ name, labels }) => `${name}${JSON.stringify(Object.entries(labels).sort())}`).sort();

describe("whatever clients and backends send", () => {
  let backend: RawBackend;
  let gateway: TestGateway;
  let linesBefore: readonly MetricLine[];
  let lines: readonly MetricLine[];
  let text = "";

  const scrape = async (): Promise<string> => (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const ours = (all: readonly MetricLine[]) => all.filter(({ name }) => name.startsWith("cutover_"));

  before(async () => {
    backend = await startRawBackend((head, socket) => {
      const status = /status=(\d+)/.exec(head)?.[1] ?? "200";
      const isBare = status === "204" || status === "304";
      const date = head.length.toString(16);
      socket.write(
        Buffer.from(
          `HTTP/1.1 ${status} ${date}\r\nX-${date}: ${date}\r\nServer: ${date}\r\n${isBare ? "" : "Content-Length: 0\r\n"}\r\n`,
          "latin1",
        ),
      );
    });
    gateway = await TestGateway.start({ rules: rulesOf(backend.url), flags: ["--access-log", "off"] });
    linesBefore = ours(readExposition(await scrape()).lines);
    await inTurns(hostileRequests(REQUESTS), AT_ONCE, async (request) => {
      await talk(gateway.proxyUrl, request);
    });
    text = await scrape();
    lines = ours(readExposition(text).lines);
  });

  after(async () => {
    await gateway[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  test("no label holds anything but words of the rules and of the gateway", () => {
    for (const { name, labels } of lines) {
      const allowed =
        ALLOWED[name] ?? assert.fail(`${name} is a metric whose labels nobody has bounded here`);
      assert.deepEqual(Object.keys(labels).sort(), Object.keys(allowed).sort(), name);
      for (const [label, value] of Object.entries(labels)) {
        if (label === "version") assert.match(value, /^[0-9a-f]{12}$/);
        else assert.ok(allowed[label]?.includes(value), `${name}{${label}=${JSON.stringify(value)}}`);
      }
    }
  });

  test("no series is made but those of requests and rollbacks, and none goes", () => {
    const lasting = (all: readonly MetricLine[]) => seriesOf(all.filter(({ name }) => !BY_EVENTS.has(name)));
    assert.deepEqual(lasting(lines), lasting(linesBefore));
    const requests = seriesOf(linesBefore).filter((each) => each.startsWith("cutover_requests_total"));
    for (const series of requests) assert.ok(seriesOf(lines).includes(series), series);
  });

  test("there are no more of them than routes, sides, reasons and codes allow", () => {
    for (const [name, all] of Map.groupBy(lines, (line) => line.name)) {
      const bound = Object.values(ALLOWED[name] ?? {}).reduce(
        (product, values) => product * (values.length || 1),
        1,
      );
      assert.ok(all.length <= bound, `${name}: ${all.length} of ${bound}`);
    }
  });

  test("a scrape is no longer than that, and the next hostile hour makes it no longer", async () => {
    const bound = lines.length * MAX_LINE_BYTES + MAX_PROCESS_BYTES + MAX_DESCRIPTION_BYTES;
    assert.ok(Buffer.byteLength(text) < bound, `${Buffer.byteLength(text)} of ${bound}`);
    const known = new Set(seriesOf(lines));
    // The same again, from other hosts, by other paths and ids: other bytes, the same ways to be answered.
    const again = hostileRequests(REQUESTS)
      .slice(0, 200)
      .map((request) => request.replace(/[0-9a-f]{8,}/g, (hex) => hex.split("").reverse().join("")));
    await inTurns(again, AT_ONCE, async (request) => {
      await talk(gateway.proxyUrl, request);
    });
    const added = seriesOf(ours(readExposition(await scrape()).lines)).filter((each) => !known.has(each));
    assert.ok(added.length <= 10, `only a rarer way to be answered may be new: ${added}`);
  });

  test("OpenMetrics adds an exemplar a bucket at the most, and it is a trace id", async () => {
    const accept = "application/openmetrics-text;version=1.0.0";
    const answer = await fetch(`${gateway.adminUrl}/metrics`, { headers: { accept } });
    assert.equal(
      answer.headers.get("content-type"),
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
    );
    assert.equal(answer.headers.get("vary"), "accept");
    const families = readOpenMetrics(await answer.text());
    const all = [...families.values()].flatMap((family) => family.lines);
    const exemplars = all.filter(({ exemplar }) => exemplar !== null);
    assert.ok(exemplars.length > 0, "sampled requests were among them");
    for (const { name, exemplar } of exemplars) {
      assert.equal(name, "cutover_request_duration_seconds_bucket");
      assert.match(JSON.stringify(exemplar?.labels), /^\{"trace_id":"[0-9a-f]{32}"\}$/);
    }
    assert.deepEqual(
      seriesOf(all.filter(({ name }) => name.startsWith("cutover_"))),
      seriesOf(ours(readExposition(await scrape()).lines)),
    );
  });

  test("it was all of it: every route, many codes, refusals too", () => {
    const requests = lines.filter(({ name, value }) => name === "cutover_requests_total" && value > 0);
    const values = (label: string) => new Set(requests.map(({ labels }) => labels[label]));
    assert.deepEqual([...values("route")].sort(), EVERYWHERE.toSorted());
    for (const code of ["2xx", "3xx", "4xx", "5xx", "http_request_error"])
      assert.ok(values("code").has(code), code);
    for (const reason of ["split-new", "pinned-old", "canary-always", "canary-never", "default-old"])
      assert.ok(values("reason").has(reason), reason);
    const answered = requests.reduce((sum, { value }) => sum + value, 0);
    assert.ok(answered > REQUESTS * 0.6, `${answered} of ${REQUESTS} came so far`);
  });
});
