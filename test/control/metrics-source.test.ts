import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Recorder } from "../../src/board/recorder.ts";
import { Books, countComparison, countTransient } from "../../src/control/books.ts";
import { Latches } from "../../src/control/latches.ts";
import { LateWrites } from "../../src/control/late-writes.ts";
import { createMetricsSource } from "../../src/control/metrics-source.ts";
import { RulesKeeper } from "../../src/control/rules-keeper.ts";
import { countDelay, countUncompared } from "../../src/control/tallies.ts";
import { CODES } from "../../src/model/failures.ts";
import { REASON_INDEX } from "../../src/model/reasons.ts";
import { UNCOMPARED_REASONS } from "../../src/model/uncompared.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { assertHistograms, type Exposition, readExposition } from "../observe/exposition.ts";
import { readOpenMetrics } from "../observe/openmetrics.ts";
import { NO_ROLLOUTS } from "./fake-rollouts.ts";
import { createFakeStore } from "./fake-store.ts";
import { compared, mismatchAt } from "./findings.ts";

const RULES = `version: 1
backends:
  legacy: { url: http://127.0.0.1:9001 }
  modern: { url: http://127.0.0.1:9002 }
routes:
  - { name: profiles, match: { path: "/p/**" }, old: legacy, new: modern, canary: 25% }
  - { name: orders, match: { path: "/o/**" }, old: legacy, new: modern, canary: 5% }
`;
const OK = CODES.indexOf("2xx");
const TRACE = "0af7651916cd43dd8448eb211c80319c";

const folder = await mkdtemp(join(tmpdir(), "cutover-metrics-"));
await writeFile(join(folder, "rules.yaml"), RULES);
const rules = new RulesKeeper({
  paths: [folder],
  env: {},
  keyFileSecret: "secret",
  putInForce: async () => {},
  onReloaded: () => {},
  onFailed: () => {},
  onWarnings: () => {},
  nowMs: () => 1_777_000_000_000,
});
const { routes } = await rules.load();
after(async () => {
  rules.close();
  await rm(folder, { recursive: true, force: true });
});

function ours({ types, lines }: Exposition): Exposition {
  const isOurs = (name: string) => name.startsWith("cutover_");
  return {
    types: new Map([...types].filter(([name]) => isOurs(name))),
    lines: lines.filter((l) => isOurs(l.name)),
  };
}

/** The control room's numbers over two data threads, and a reader of what Prometheus is shown of them. */
function open() {
  const books = new Books(2, 0);
  books.follow(routes, 0);
  const store = createFakeStore();
  const told = {
    announce: () => {},
    storeFailed: (error: unknown) => assert.fail(String(error)),
  };
  const latches = new Latches({
    store,
    books,
    rollouts: NO_ROLLOUTS,
    late: new LateWrites(told),
    rulesVersion: () => rules.ruleset.version,
    nowMs: () => 0,
    nowIso: () => "2026-05-01T10:00:00.000Z",
    log: () => {},
    ...told,
  });
  const replacements = new Map([["data", 2]]);
  const metrics = createMetrics(
    createMetricsSource({
      books,
      latches,
      rollouts: { of: () => null },
      rules,
      store,
      replacements: () => replacements,
      spans: () => [["exported", 7]],
    }),
  );
  const scrape = async () => {
    for (const book of [...books.all, books.unmatched]) book.account.read(0);
    // Without prom-client's own: what it shows depends on when the garbage was last collected.
    const exposition = ours(readExposition((await metrics.render()).text));
    const value = (name: string, labels: Readonly<Record<string, string>> = {}) =>
      exposition.lines.find(
        (line) =>
          line.name === name && Object.entries(labels).every(([label, text]) => line.labels[label] === text),
      )?.value;
    return { exposition, value };
  };
  const book = (name: string) => books.named(name) ?? assert.fail(`no book of ${name}`);
  /** The same for a scraper that asks for OpenMetrics. */
  const scrapeOpen = async () => {
    for (const book of [...books.all, books.unmatched]) book.account.read(0);
    return readOpenMetrics((await metrics.render("application/openmetrics-text")).text);
  };
  return { books, book, latches, scrape, scrapeOpen };
}

test("what two threads counted is shown added up, by route, side, reason and code", async () => {
  const { books, book, scrape } = open();
  for (const thread of [0, 1]) {
    const recorder = new Recorder(book("profiles").tile, thread);
    recorder.began("new");
    recorder.request("new", REASON_INDEX["canary-share"], OK, 3_000);
    recorder.request("new", REASON_INDEX["canary-share"], OK, 30_000);
    recorder.request("old", REASON_INDEX.fallback, CODES.indexOf("http_response_timeout"), 11_000_000);
    recorder.fallback();
    recorder.shadow("too_large");
    recorder.comparison("match");
    new Recorder(books.unmatched.tile, thread).request("old", REASON_INDEX.unmatched, OK, 1_000);
  }
  countComparison(book("profiles"), mismatchAt(["$.name"]));
  const { value, exposition } = await scrape();
  const route = "profiles";
  const drawn = { route, side: "new", reason: "canary-share", code: "2xx" };
  assert.equal(value("cutover_requests_total", drawn), 4);
  assert.equal(
    value("cutover_requests_total", { route, reason: "fallback", code: "http_response_timeout" }),
    2,
  );
  assert.equal(value("cutover_requests_total", { route: "unmatched", reason: "unmatched" }), 2);
  assert.equal(value("cutover_requests_total", { route: "orders", code: "4xx" }), undefined, "not foreseen");
  assert.equal(value("cutover_fallbacks_total", { route }), 2);
  assert.equal(value("cutover_shadow_total", { route, result: "too_large" }), 2);
  assert.equal(value("cutover_comparisons_total", { route, result: "match" }), 2);
  assert.equal(value("cutover_mismatch_ratio", { route }), 1 / 3);
  assert.equal(value("cutover_inflight_requests", { side: "new" }), 2);
  const duration = "cutover_request_duration_seconds";
  const fresh = { route, side: "new" };
  assert.equal(value(`${duration}_bucket`, { ...fresh, le: "0.005" }), 2);
  assert.equal(value(`${duration}_bucket`, { ...fresh, le: "0.025" }), 2);
  assert.equal(value(`${duration}_bucket`, { ...fresh, le: "0.05" }), 4);
  assert.equal(value(`${duration}_bucket`, { ...fresh, le: "+Inf" }), 4);
  assert.equal(value(`${duration}_sum`, fresh), 0.066);
  assert.equal(value(`${duration}_bucket`, { route, side: "old", le: "10.0" }), 0);
  assert.equal(value(`${duration}_sum`, { route, side: "old" }), 22);
  assert.equal(assertHistograms(exposition), 6, "two sides of two routes and of the unmatched");
});

test("what the rules foresee is there as 0, so that the first failure is a rise", async () => {
  const { scrape } = open();
  const { exposition } = await scrape();
  const of = (wanted: string) =>
    exposition.lines
      .filter(({ name, labels }) => name === "cutover_requests_total" && labels.route === wanted)
      .map(({ labels: { side, reason, code }, value }) => `${side} ${reason} ${code} ${value}`);
  const expected = ["old default-old", "old rolled-back", "old fallback", "new canary-share"];
  const sorted = expected.flatMap((each) => [`${each} 2xx 0`, `${each} 5xx 0`]).sort();
  assert.deepEqual(of("profiles").sort(), sorted);
  assert.deepEqual(of("orders").sort(), sorted);
  assert.deepEqual(of("unmatched"), [], "they have no backend");
});

test("a bucket of durations leads to the trace of a sampled request", async () => {
  const { book, scrapeOpen } = open();
  const recorder = new Recorder(book("profiles").tile, 1);
  const place = recorder.request("new", REASON_INDEX["canary-share"], OK, 30_000);
  recorder.exemplars.note(place, 30_000, TRACE, 5_000);
  const family = (await scrapeOpen()).get("cutover_request_duration_seconds");
  const shown = family?.lines.filter(({ exemplar }) => exemplar !== null) ?? [];
  assert.deepEqual(
    shown.map(({ labels, exemplar }) => [labels, exemplar?.labels, exemplar?.value]),
    [[{ route: "profiles", side: "new", le: "0.05" }, { trace_id: TRACE }, 0.03]],
  );
  assert.ok(Math.abs((shown[0]?.exemplar?.timestamp ?? 0) - Date.now() / 1000) < 60);
});

test("the guard's limits are shown as they are written, for those that are guarded", async () => {
  const { scrape } = open();
  const { exposition } = await scrape();
  const limits = exposition.lines
    .filter(({ name, labels }) => name === "cutover_guard_limit" && labels.route === "orders")
    .map(({ labels: { metric, kind }, value }) => `${metric} ${kind} ${value}`);
  assert.deepEqual(limits, [
    "errors max 0.05",
    "errors ratio 2",
    "client-errors ratio 2",
    "killSwitch running 5",
  ]);
});

test("the sum of durations is right also where many long waits end between two scrapes", async () => {
  const { book, scrape } = open();
  const recorder = new Recorder(book("orders").tile, 0);
  for (let i = 0; i < 4000; i += 1) recorder.request("new", 0, OK, 30e6);
  const { value } = await scrape();
  assert.equal(value("cutover_request_duration_seconds_sum", { route: "orders", side: "new" }), 120_000);
});

test("a rollback shows as latched, with no share to new, counted by cause", async () => {
  const { book, latches, scrape } = open();
  const before = await scrape();
  assert.equal(before.value("cutover_canary_share_ratio", { route: "profiles" }), 0.25);
  assert.equal(before.value("cutover_rollback_latched", { route: "profiles" }), 0);
  assert.equal(before.value("cutover_rollback_info"), undefined, "nothing is rolled back");
  for (const cause of ["killSwitch", "errors", "client-errors", "operator"])
    assert.equal(before.value("cutover_rollbacks_total", { route: "profiles", cause }), 0, cause);
  assert.equal(before.value("cutover_rollbacks_total", { cause: "latency" }), undefined, "not guarded");
  await latches.rollback(book("profiles"), {
    cause: "killSwitch",
    by: "guard",
    reason: "r",
    summary: "five times running",
  });
  const { value, exposition } = await scrape();
  assert.deepEqual(
    exposition.lines.filter(({ name }) => name === "cutover_rollback_info"),
    [{ name: "cutover_rollback_info", labels: { route: "profiles", cause: "killSwitch" }, value: 1 }],
  );
  assert.equal(value("cutover_canary_share_ratio", { route: "profiles" }), 0);
  assert.equal(value("cutover_rollback_latched", { route: "profiles" }), 1);
  assert.equal(value("cutover_rollbacks_total", { route: "profiles", cause: "killSwitch" }), 1);
  assert.equal(value("cutover_canary_share_ratio", { route: "orders" }), 0.05);
  assert.equal(value("cutover_guard_evidence", { route: "orders", metric: "errors" }), 0);
});

test("what could not be compared is told by its reason, wherever it was found", async () => {
  const { book, scrape } = open();
  const recorder = new Recorder(book("profiles").tile, 1);
  recorder.uncompared("shed");
  recorder.uncompared("shed");
  recorder.uncompared("too_large");
  countComparison(book("profiles"), compared({ kind: "uncompared", why: "too_deep" }));
  countUncompared(book("profiles"), "too_deep");
  const { value, exposition } = await scrape();
  const of = (reason: string) => value("cutover_uncompared_total", { route: "profiles", reason });
  assert.deepEqual(["shed", "too_large", "too_deep", "streaming"].map(of), [2, 1, 1, 0]);
  assert.equal(value("cutover_comparisons_total", { route: "profiles", result: "uncompared" }), 4);
  assert.equal(
    exposition.lines.filter(
      ({ name, labels }) => name === "cutover_uncompared_total" && labels.route === "orders",
    ).length,
    UNCOMPARED_REASONS.length,
  );
});

test("ratios are of the pairs that could be compared, and delays of those that were equal the second time", async () => {
  const { book, scrape } = open();
  const profiles = book("profiles");
  for (let i = 0; i < 6; i += 1) new Recorder(profiles.tile, 0).comparison("match");
  countComparison(profiles, mismatchAt(["$.name"]));
  countComparison(profiles, compared({ kind: "uncompared", why: "decode_failed" }));
  const transient = mismatchAt(["$.lag"]);
  for (const afterMs of [240, 2_000, 90_000]) {
    countTransient(profiles, transient);
    countDelay(profiles, afterMs);
  }
  const { value, exposition } = await scrape();
  const route = "profiles";
  assert.equal(value("cutover_mismatch_ratio", { route }), 1 / 10);
  assert.equal(value("cutover_noise_ratio", { route }), 0);
  assert.equal(value("cutover_comparisons_total", { route, result: "transient" }), 3);
  const delay = "cutover_transient_delay_seconds";
  assert.deepEqual(
    ["0.1", "0.25", "2.5", "60.0", "+Inf"].map((le) => value(`${delay}_bucket`, { route, le })),
    [0, 1, 2, 2, 3],
  );
  assert.equal(value(`${delay}_sum`, { route }), 92.24);
  assert.equal(value(`${delay}_count`, { route: "orders" }), undefined, "there nothing is asked again");
  assertHistograms(exposition);
});

test("the rules in force, the state of the store and replaced threads are shown", async () => {
  const { scrape } = open();
  const { value } = await scrape();
  assert.equal(value("cutover_rules_last_reload_success"), 1);
  assert.equal(value("cutover_rules_last_reload_timestamp_seconds"), 1_777_000_000);
  assert.equal(value("cutover_rules_info", { version: rules.ruleset.version }), 1);
  assert.equal(value("cutover_store_damaged"), 0);
  assert.equal(value("cutover_thread_replacements_total", { thread: "data" }), 2);
});
