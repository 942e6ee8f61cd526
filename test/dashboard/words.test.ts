import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fieldTree, partsOf } from "../../src/admin/dashboard/browser/field-tree.ts";
import { ignoreAdvice } from "../../src/admin/dashboard/browser/ignore.ts";
import { sideBySide } from "../../src/admin/dashboard/browser/side-by-side.ts";
import { joined, livePoint, lonely, timelineOf } from "../../src/admin/dashboard/browser/timeline.ts";
import {
  differing,
  loadedBy,
  opinionOf,
  portion,
  storyOf,
  takenBack,
  visible,
} from "../../src/admin/dashboard/browser/words.ts";
import { formatMeasured } from "../../src/model/figures.ts";
import type { HistoryPoint, HistoryReport } from "../../src/model/history-report.ts";
import type { AnswerSample, AuditEntry, MismatchCluster } from "../../src/model/reports.ts";
import { addIgnore } from "../../src/rules/edit.ts";
import { untouchedRoute } from "../support/reports.ts";

const ROUTE = untouchedRoute("profiles", {
  shadow: 1,
  requests: { old: 95, new: 5 },
  evidence: { errors: 0.1 },
  waitingFor: "nothing: the shares are set in the rules; errors 0/5 new vs 0/95 old",
});

const answer = (body: string, type = "application/json"): AnswerSample => ({
  status: 200,
  headers: { "content-type": type },
  body,
  whole: true,
  bodyBytes: body.length,
});

test("nothing that turns text around or cannot be seen is shown as it is", () => {
  assert.equal(visible("a\u202eb\u0007c\u200bd"), "a\\u202eb\\x07c\\u200bd");
  assert.equal(visible("x".repeat(500)).length, 401);
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      (text) => !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(visible(text)),
    ),
  );
});

test("new is never called as good as old while its answers differ, or evidence rises", () => {
  assert.deepEqual(opinionOf({ ...ROUTE, verdict: "pass" }), {
    tone: "good",
    words: "new is as good as old",
  });
  const comparisons = { match: 90, mismatch: 10, noise: 0, transient: 0, uncompared: 0 };
  const differing = opinionOf({ ...ROUTE, verdict: "pass", comparisons });
  assert.deepEqual(differing, {
    tone: "bad",
    words: "10% of new's answers differ, and no limit is set for that",
  });
  const judged = opinionOf({ ...ROUTE, verdict: "pass", comparisons, evidence: { mismatches: 0 } });
  assert.equal(judged.tone, "unsure");
  assert.equal(opinionOf({ ...ROUTE, verdict: "pass", evidence: { errors: 0.7 } }).tone, "bad");
  assert.equal(opinionOf({ ...ROUTE, evidence: {} }).words, "no guard watches new");
  assert.equal(opinionOf({ ...ROUTE, latched: true }).tone, "bad");
});

test("what other rules of comparison found says nothing of new any more", () => {
  const comparisons = { match: 200, mismatch: 9_000, noise: 0, transient: 0, uncompared: 0 };
  const at = "2026-11-21T12:00:00.000Z";
  const mended = { ...ROUTE, comparisons, comparisonsSince: { at, compared: 200, mismatches: 0 } };
  assert.equal(opinionOf({ ...mended, verdict: "pass" }).words, "new is as good as old");
  assert.equal(differing(mended), "(0% of 200 pairs since the rules of comparison changed)");
  const fresh = { ...mended, comparisonsSince: { at, compared: 0, mismatches: 0 } };
  assert.equal(opinionOf(fresh).words, "no sign that new is worse");
  assert.equal(differing(fresh), "(no pairs since the rules of comparison changed)");
  const same = { ...mended, comparisonsSince: { at, compared: 9_200, mismatches: 9_000 } };
  assert.equal(differing(same), "(97.8% of 9,200 pairs)");
});

test("what a route waits for is told before what it has seen", () => {
  assert.deepEqual(storyOf(ROUTE), {
    next: "nothing moves by itself: the rules set the shares",
    seen: "errors 0/5 new vs 0/95 old",
  });
  const waitingFor = "5% for 12 min: errors 3/18 new vs 6/345 old; needs 18 min of baking and approval";
  assert.deepEqual(storyOf({ ...ROUTE, state: "baking", step: 1, steps: 3, waitingFor }), {
    next: "goes on after: 18 min of baking and approval",
    seen: "5% for 12 min: errors 3/18 new vs 6/345 old",
  });
});

test("a rollback is told with its time, however long ago, by whom and what for", () => {
  const at = "2026-11-21T12:00:00.000Z";
  const evidence = {
    summary: "",
    samples: { old: 0, new: 0 },
    errors: { old: 0, new: 0 },
    evidence: {},
    rulesVersion: "",
  };
  const nowMs = Date.parse(at) + 120_000;
  const told = (cause: string, by: "guard" | "operator"): string =>
    takenBack({ cause, at, by, reason: "", evidence }, nowMs).replace(/^.*?\(/, "(");
  assert.equal(told("errors", "guard"), "(2 min ago), by the guard: errors");
  assert.equal(told("operator", "operator"), "(2 min ago), by the operator");
});

test("rules are loaded by whoever did it last: the start of the gateway, too", () => {
  const nowMs = Date.parse("2026-11-21T12:10:00.000Z");
  const entry: AuditEntry = {
    id: 3,
    at: "2026-11-21T12:00:00.000Z",
    route: null,
    action: "reload",
    by: "rules",
    reason: "the files changed",
    from: "0123456789ab",
    to: "ba9876543210",
    evidence: null,
  };
  const told = (uptimeSeconds: number, audit: readonly AuditEntry[]): string => {
    const rules = { version: "ba9876543210", loadedAt: entry.at, error: null };
    const report = {
      rules,
      threads: 2,
      uptimeSeconds,
      draining: false,
      store: "ok",
      backends: [],
      routes: [],
    };
    return loadedBy(report, audit, nowMs);
  };
  assert.equal(told(3_600, [entry]), "rules: the files changed");
  assert.match(told(300, [entry]), /^the start of the gateway; before, at .*, rules: the files changed$/);
  assert.equal(told(300, []), "the start of the gateway");
});

test("an effect names share, route and requests a second", () => {
  assert.equal(portion("profiles", 0.25, 480), "25% of profiles, about 120 requests a second,");
  assert.equal(portion("profiles", 0.25, 4), "25% of profiles, about 1 request a second,");
  assert.equal(portion("profiles", 0.25, 0), "25% of profiles (no requests at present)");
  assert.equal(formatMeasured(0.9999), ">99.9%");
});

test("two bodies beside each other hold every line of both, in order", () => {
  const line = fc.constantFrom("a", "b", "c", "  x: 1", "");
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), fc.array(line, { maxLength: 12 }), (left, right) => {
      const { rows } = sideBySide(
        answer(left.join("\n"), "text/plain"),
        answer(right.join("\n"), "text/plain"),
      );
      const side = (which: "old" | "new"): string[] =>
        rows.flatMap((row) => {
          if (row.kind === "skipped") return Array.from({ length: row.lines }, () => "…");
          if (row.kind === "same") return [row.text];
          const piece = row[which];
          return piece === null ? [] : [piece.before + piece.differs + piece.after];
        });
      const wanted = (lines: readonly string[], shown: readonly string[]): boolean => {
        const all = lines.length === 0 ? [""] : lines;
        return (
          shown.length === all.length && shown.every((text, index) => text === "…" || text === all[index])
        );
      };
      return wanted(left, side("old")) && wanted(right, side("new"));
    }),
  );
});

test("great bodies are cut, and it is said", () => {
  const long = answer(Array.from({ length: 5_000 }, (_, index) => `line ${index}`).join("\n"), "text/plain");
  const { rows, isCut } = sideBySide(long, { ...long, body: (long.body ?? "").replaceAll("line", "row") });
  assert.ok(isCut);
  assert.ok(rows.length <= 600);
});

test("places are a tree of fields; what is no path stands for itself", () => {
  assert.deepEqual(partsOf("$.items[*].price"), ["$", ".items", "[*]", ".price"]);
  assert.deepEqual(partsOf("$['a.b']..c"), ["$", "['a.b']", "..c"]);
  assert.deepEqual(partsOf("header:etag"), ["header:etag"]);
  const cluster = (place: string, count: number): MismatchCluster => ({
    id: place.padEnd(12).slice(0, 12),
    route: "profiles",
    place,
    kind: "value",
    count,
    overcount: 0,
    share: 0.1,
    firstAt: "",
    lastAt: "",
    noise: null,
    relation: null,
    transient: null,
    example: { old: null, new: null },
    samples: [],
  });
  const [status, root] = fieldTree([cluster("$.a.b", 3), cluster("$.a.c", 7), cluster("status", 9)]);
  assert.equal(status?.name, "status");
  assert.equal(root?.most, 7);
  assert.deepEqual(
    root?.fields[0]?.fields.map(({ name }) => name),
    [".c", ".b"],
  );
  fc.assert(fc.property(fc.string(), (path) => partsOf(`$${path}`).join("") === `$${path}`));
});

test("the lines that ignore a place are lines that the rules take", () => {
  const { yaml, command } = ignoreAdvice("profiles", {
    template: "$.a['x y']",
    kind: "value",
    relation: null,
    old: "1",
    new: "2",
  });
  assert.match(command ?? "", /^cutover ignore profiles /);
  assert.ok(yaml !== null);
  const text = `version: 1\nbackends: { a: { url: "http://127.0.0.1:1" } }\nroutes:\n${yaml.replace(/^/gm, "  ")}\n`;
  assert.equal(addIgnore(text, "profiles", "$.a['x y']").kind, "already");
  const lists = { old: "[1,2]", new: "[2,1]" };
  const order = ignoreAdvice("profiles", { template: "$.tags", kind: "order", relation: null, ...lists });
  assert.match(order.better ?? "", /unordered/);
});

test("statuses that differ are declared equal by their own numbers, and a failure of new is not to be hidden", () => {
  const advice = (old: string | null, fresh: string | null) =>
    ignoreAdvice("profiles", { template: "status", kind: "status", relation: null, old, new: fresh });
  const moved = advice("200", "204");
  assert.deepEqual([moved.command, moved.better], [null, null]);
  assert.match(moved.yaml ?? "", /\n {4}status: \{ equal: \[\{ old: 200, new: 204 \}\] \}$/);
  const failed = advice("200", "500");
  assert.deepEqual([failed.command, failed.yaml], [null, null]);
  assert.match(failed.better ?? "", /^new answers 500 where old answers 200: that is a failure of new/);
  assert.equal(advice(null, "2\n00").yaml, null);
});

const point = (atMs: number, seconds: number, old: number): HistoryPoint => ({
  at: new Date(atMs).toISOString(),
  seconds,
  requests: { old, new: 0 },
  errors: { old: 0, new: 0 },
  p50Ms: { old: null, new: null },
  p99Ms: { old: null, new: null },
  comparisons: { match: 3, mismatch: 1, noise: 0, transient: 0, uncompared: 5 },
  canary: 0.05,
  shadow: 1,
  evidence: { errors: 0.2 },
  latched: false,
});

test("what the page has seen goes on where the gateway's history ends, and a gap stays a gap", () => {
  const report: HistoryReport = {
    route: "profiles",
    points: [point(0, 5, 10), point(5_000, 5, 20)],
    limits: { mismatches: null, errors: null },
    markers: [],
  };
  const points = joined(report, [point(4_000, 2, 999), point(10_000, 2, 8), point(60_000, 2, 8)]);
  const { times, perSecond, mismatches } = timelineOf(points, 0);
  assert.deepEqual(perSecond.old, [2, 4, 4, null, 4]);
  assert.equal(times.length, 5);
  assert.ok(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0)));
  assert.equal(mismatches[0], 0.25);
});

test("after a restart no stretch is made up from counters that began anew", () => {
  const before = { atMs: 0, route: ROUTE };
  const restarted = { ...ROUTE, requests: { old: 1, new: 0 } };
  assert.equal(livePoint(before, { atMs: 2_000, route: restarted }), null);
  const later = { ...ROUTE, requests: { old: 105, new: 5 } };
  assert.deepEqual(livePoint(before, { atMs: 2_000, route: later })?.requests, { old: 10, new: 0 });
});

test("a value between gaps is told from those that a line joins", () => {
  assert.deepEqual(lonely([1, null, 2, 3, null, undefined, 4]), [0, 6]);
  assert.equal(lonely([null, 1, 2]), null);
  assert.equal(lonely([]), null);
  assert.deepEqual(lonely([0]), [0]);
});
