import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cellText, inlineText } from "../../src/model/markdown.ts";
import { instantMs, longDuration } from "../../src/model/report-words.ts";
import type { AuditEntry, RouteStatus } from "../../src/model/reports.ts";
import { rolloutReport } from "../../src/model/rollout-report.ts";
import { readTrail } from "../../src/model/rollout-trail.ts";
import { auditEntry } from "../cli/fixtures.ts";
import { rolledBack, routeStatus } from "../support/reports.ts";

const GENERATED_AT = "2026-01-05T00:00:00.000Z";
const at = (time: string) => `2026-01-02T${time}.000Z`;

const begun = auditEntry(1, {
  at: at("10:00:00"),
  action: "resume",
  by: "operator",
  reason: "it begins",
  from: "before step 0 (canary 0%, shadow 100%)",
  to: "step 0 (canary 0%, shadow 100%)",
  evidence: null,
});
const first = auditEntry(2, {
  at: at("10:10:00"),
  from: "step 0 (canary 0%, shadow 100%)",
  to: "step 1 (canary 1%, shadow 100%)",
});
const paused = auditEntry(3, {
  at: at("10:15:00"),
  action: "pause",
  by: "operator",
  reason: "lunch",
  from: "step 1 (canary 1%, shadow 100%)",
  to: "step 1 (canary 1%, shadow 100%)",
  evidence: null,
});
const resumed = auditEntry(4, { ...paused, id: 4, at: at("10:45:00"), action: "resume", reason: "eaten" });
const jumped = auditEntry(5, {
  at: at("11:10:00"),
  by: "operator",
  reason: "we are sure",
  from: "step 1 (canary 1%, shadow 100%)",
  to: "step 3 (canary 25%, shadow 100%)",
});
const back = auditEntry(6, {
  at: at("11:20:00"),
  action: "rollback",
  by: "guard",
  reason: "errors: 7 of 61 answers of new failed",
  from: "step 3 (canary 25%, shadow 100%)",
  to: "rolled-back",
});
const reset = auditEntry(7, {
  ...begun,
  id: 7,
  at: at("12:00:00"),
  action: "reset",
  reason: "new is mended",
  from: "rolled-back",
  to: "before step 0",
});
const again = auditEntry(8, { ...begun, id: 8, at: at("12:05:00"), reason: "once more" });
const end = auditEntry(9, {
  at: "2026-01-04T16:05:00.000Z",
  action: "completed",
  from: "step 4 (canary 100%, shadow 0%)",
  to: "completed (canary 100%)",
});
const STORY = [begun, first, paused, resumed, jumped, back, reset, again, end];

const status = (changes: Partial<RouteStatus> = {}) =>
  routeStatus("profiles", { state: "completed", canary: 1, step: 4, steps: 5, waitingFor: "", ...changes });
const report = (entries: readonly AuditEntry[], changes: Partial<RouteStatus> = {}) =>
  rolloutReport({ route: "profiles", status: status(changes), entries, generatedAt: GENERATED_AT });

/** The lines of one section. */
function section(text: string, title: string): string {
  const begin = text.indexOf(`## ${title}\n`);
  assert.ok(begin >= 0, `no section ${title} in\n${text}`);
  const next = text.indexOf("\n## ", begin + 1);
  return text.slice(begin, next < 0 ? undefined : next);
}

test("the report says what came of it, and how long it took since it last began", () => {
  const text = report(STORY.toReversed());
  assert.match(text, /^# Rollout of profiles\n\nAs of 2026-01-05 00:00:00 UTC\.\n/);
  assert.match(text, /\*\*Completed\*\* on 2026-01-04 16:05:00 UTC after 2 d 4 h: new serves 100%\./);
  const latched = rolloutReport({
    route: "profiles",
    status: { ...rolledBack("profiles"), step: 1, steps: 5 },
    entries: STORY.slice(0, 6),
    generatedAt: GENERATED_AT,
  });
  assert.match(latched, /\*\*Rolled back\*\* on 2026-01-02 03:04:05 UTC by guard, cause killSwitch\./);
  assert.match(latched, /- still latched/);
  const baking = report([begun], { state: "baking", step: 0, canary: 0, waitingFor: "10 min of baking" });
  assert.match(
    baking,
    /\*\*Under way\*\* at step 0 \(the last is 4\): new serves 0%\. It waits for: 10 min of baking\./,
  );
});

test("each step says when, for how long without the pauses lost, by whom, why, and what was known", () => {
  const steps = section(report(STORY), "Steps").split("\n");
  assert.equal(
    steps[5],
    "| 2026-01-02 10:10:00 UTC | step 0 (canary 0%, shadow 100%) | step 1 (canary 1%, shadow 100%) | 10 min | rollout | " +
      "baked 10 min, errors 0/812 new vs 13/81,234 old | " +
      "evidence errors 0.02 of 1; rules 0123456789ab |",
  );
  assert.match(
    steps[6] ?? "",
    /\| 60 min, 30 min of it paused \| operator \| we are sure \| errors 0\/812 new vs/,
  );
  // The begin after a reset was preceded by no place of the rollout.
  assert.match(steps[7] ?? "", /before step 0 .* \| – \| operator \| once more \| – \|/);
});

test("rollbacks come with their evidence and their end, pauses with theirs", () => {
  const text = report(STORY);
  const rollbacks = section(text, "Rollbacks");
  assert.match(
    rollbacks,
    /### 2026-01-02 11:20:00 UTC\n\n- by guard: errors: 7 of 61 answers of new failed\n/,
  );
  assert.match(
    rollbacks,
    /- known then: errors 0\/812 new vs 13\/81,234 old; evidence errors 0\.02 of 1; rules/,
  );
  assert.match(rollbacks, /- reset on 2026-01-02 12:00:00 UTC by operator: new is mended/);
  assert.match(section(text, "Pauses"), /\| 30 min \| operator \| lunch \| resume by operator: eaten \|/);
  assert.doesNotMatch(report([begun, end]), /## (?:Pauses|Rollbacks)/);
});

test("what is open is asked, and steps that an operator went past are named", () => {
  const open = section(report(STORY, { pins: 2 }), "Open questions");
  assert.match(open, /- 3 of 944 compared pairs differ: are all of these differences meant\?/);
  assert.match(open, /- 6 pairs could not be compared/);
  assert.match(open, /- 2 keys are pinned to a side/);
  assert.match(open, /- Step 2 was passed over by an operator: we are sure/);
  const gates = [{ name: "lag", answer: "error" as const, why: "no answer within 5 s" }];
  assert.match(
    section(report([begun], { state: "paused", gates }), "Open questions"),
    /not come to its end yet\.\n- The gate lag says error: no answer within 5 s\./,
  );
  const clean = { match: 9, mismatch: 0, noise: 0, transient: 0, uncompared: 0 };
  assert.match(
    section(report([begun, first, end], { comparisons: clean }), "Open questions"),
    /None that the gateway/,
  );
});

test("a route without a rollout, and one without a trail, have a report too", () => {
  const text = report([], { state: "serving", step: null, steps: null });
  assert.match(text, /\*\*No rollout\*\*: the shares are set in the rules/);
  assert.match(section(text, "Steps"), /It has not moved yet\./);
  assert.match(section(text, "Who did what"), /Nothing is in the audit trail\./);
  const cut = rolloutReport({
    route: "r",
    status: status(),
    entries: STORY,
    isCut: true,
    generatedAt: GENERATED_AT,
  });
  assert.match(cut, /Older entries are left out: the audit trail has them\.\n$/);
});

test("a pinned key is in the report as its fingerprint alone: it is passed on, and a key says who somebody is", () => {
  const pin = { ...auditEntry(1, { action: "pin", reason: "a bad tenant" }), evidence: null };
  const hashed = { ...pin, from: "key 2b3d4664c975a0d6: rules", to: "key 2b3d4664c975a0d6: old" };
  assert.match(report([hashed]), /\| pin \| key 2b3d4664c975a0d6: rules → old \| a bad tenant \|/);
  const plain = report([{ ...pin, from: "key alice@example.com: rules", to: "key alice@example.com: old" }]);
  assert.doesNotMatch(plain, /alice/);
  const brief = { ...hashed, to: "key 2b3d4664c975a0d6: new until 2026-05-01T10:00:00.000Z" };
  assert.match(report([brief]), /\| key 2b3d4664c975a0d6: rules → new until 2026-05-01 10:00:00 UTC \|/);
  const odd = { ...hashed, to: "key 2b3d4664c975a0d6: new until alice" };
  assert.match(report([odd]), /\| pin \| a key \|/);
  assert.match(plain, /\| pin \| a key \| a bad tenant \|/);
});

test("a rollout that the rules dropped has left its place, and its pause is over", () => {
  const places = { from: "step 1 (canary 1%, shadow 100%)", to: "serving (canary 0%, shadow 10%)" };
  const of = { action: "reload", by: "rules", reason: "the rules have dropped its rollout" } as const;
  const dropped = auditEntry(4, { ...of, ...places, at: at("10:25:00") });
  const again = auditEntry(5, { ...begun, id: 5, at: at("12:00:00") });
  const asked = readTrail([begun, first, paused, dropped, again]);
  assert.deepEqual(
    asked.moves.map(({ entry, spentMs }) => [entry.id, spentMs]),
    [
      [1, null],
      [2, 600_000],
      [4, 900_000],
      [5, null],
    ],
  );
  assert.deepEqual(
    asked.pauses.map(({ end }) => end?.id),
    [4],
  );
});

test("an edit of the rules that moves the rollout begins a place, and leaves a pause that lasts", () => {
  const lower = { from: "step 1 (canary 1%, shadow 100%)", to: "step 1 (canary 0.5%, shadow 100%)" };
  const moved = auditEntry(4, {
    ...paused,
    ...lower,
    id: 4,
    at: at("10:25:00"),
    by: "rules",
    reason: "gone",
  });
  const on = auditEntry(5, { ...resumed, from: lower.to, to: lower.to, id: 5, at: at("10:45:00") });
  const next = auditEntry(6, { at: at("11:10:00"), from: lower.to, to: "step 2 (canary 25%, shadow 100%)" });
  const asked = readTrail([begun, first, paused, moved, on, next]);
  const MINUTE = 60_000;
  assert.deepEqual(
    asked.moves.map(({ entry, spentMs, pausedMs }) => [entry.id, spentMs, pausedMs]),
    [
      [1, null, 0],
      [2, 10 * MINUTE, 0],
      [4, 15 * MINUTE, 10 * MINUTE],
      [6, 45 * MINUTE, 20 * MINUTE],
    ],
  );
  assert.deepEqual(
    asked.pauses.map(({ entry, end, durationMs }) => [entry.id, end?.id, durationMs]),
    [[3, 5, 30 * MINUTE]],
  );
  // What ran is stopped by the edit: it waits in the new place.
  const stopped = readTrail([begun, first, moved, on, next]);
  assert.deepEqual(
    stopped.moves.map(({ spentMs, pausedMs }) => [spentMs, pausedMs]),
    [
      [null, 0],
      [10 * MINUTE, 0],
      [15 * MINUTE, 0],
      [45 * MINUTE, 20 * MINUTE],
    ],
  );
  const text = report([begun, first, moved, on, next]);
  assert.match(
    section(text, "Pauses"),
    /\| step 1 \(canary 0\.5%, shadow 100%\) \| 20 min \| rules \| gone \|/,
  );
});

test("a rollback from before the route had a rollout is in the trail, not among the rollout's", () => {
  const early = auditEntry(0, { ...back, id: 0, at: at("09:00:00"), reason: "long ago", from: "serving" });
  const cleared = auditEntry(1, { ...reset, id: 1, at: at("09:30:00"), to: "serving" });
  const later = STORY.map((entry) => ({ ...entry, id: entry.id + 10 }));
  const text = report([early, cleared, ...later]);
  assert.doesNotMatch(section(text, "Rollbacks"), /long ago/);
  assert.match(section(text, "Rollbacks"), /7 of 61 answers/);
  assert.match(section(text, "Who did what"), /long ago/);
  assert.doesNotMatch(report([early, cleared, begun]), /## Rollbacks/);
  const without = report([early, cleared], { state: "serving", step: null, steps: null });
  assert.match(section(without, "Rollbacks"), /long ago/);
});

test("a time that cannot be read, or goes backwards, is no duration", () => {
  const trail = readTrail([begun, { ...first, at: "then" }, { ...jumped, at: at("09:00:00") }]);
  assert.deepEqual(
    trail.moves.map(({ spentMs }) => spentMs),
    [null, null, null],
  );
});

test("a time of the trail is read as everybody reads it", () => {
  fc.assert(
    fc.property(
      fc.date({
        min: new Date("1970-01-01T00:00:00.000Z"),
        max: new Date("2199-12-31T23:59:59.999Z"),
        noInvalidDate: true,
      }),
      (date) => assert.equal(instantMs(date.toISOString()), date.getTime()),
    ),
  );
  for (const text of ["", "2026-01-02", "2026-01-02T03:04:05+01:00", "x2026-01-02T03:04:05Z"]) {
    assert.equal(instantMs(text), null);
  }
  assert.equal(longDuration(3 * 86_400_000), "3 d");
  assert.equal(longDuration(90 * 60_000), "90 min");
});

/** What a reader of CommonMark leaves as text when the code spans are taken out. */
function outsideCode(text: string): string {
  return text.replace(/(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, "");
}

const MARKUP = /[`*_[\]<>#!~&@\\|{}$^]/;

/** Characters that mean something in Markdown, and texts made of them. */
const hostileText = fc.oneof(
  fc.string({
    unit: fc.constantFrom(..."`|\\*_[]()<>#!~&@:/.-+=1 a\n\t\u202e\u0000".split("")),
    maxLength: 40,
  }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "https://evil.example/x",
    "www.evil.example",
    ":tada:",
    "1. one",
    "- item",
    "a\n\n# heading",
    "![x](javascript:alert(1))",
    "<script>alert(1)</script>",
    "| --- |",
    "``` js",
    "\ud800",
  ),
);

test("no text from anywhere becomes markup, in a line or in a cell", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      for (const shown of [inlineText(text), cellText(text)]) {
        assert.doesNotMatch(outsideCode(shown), MARKUP);
        assert.doesNotMatch(outsideCode(shown), /:\/\/|www\./i);
        assert.doesNotMatch(shown, /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
        assert.ok(shown.isWellFormed());
        assert.doesNotMatch(shown, /^(?:[-+=] ?|\d+[.)])/);
      }
      // Every pipe of a cell is escaped, in whichever way backslashes in front of it are counted.
      assert.doesNotMatch(cellText(text), /(?<!\\)\||\\\\\|/);
    }),
    { numRuns: 2_000 },
  );
});

test("a report of nothing but hostile texts keeps its lines and its cells", () => {
  fc.assert(
    fc.property(hostileText, hostileText, (evil, other) => {
      const known = auditEntry(0).evidence;
      const entries = STORY.map((entry) => ({
        ...entry,
        reason: evil,
        from: other,
        to: evil,
        at: entry.at,
        evidence:
          known === null ? null : { ...known, summary: other, evidence: { [evil]: 1 }, rulesVersion: other },
      }));
      const gates = [{ name: evil, answer: "no" as const, why: other }];
      const text = rolloutReport({
        route: evil,
        status: status({ state: "paused", gates, waitingFor: other }),
        entries,
        generatedAt: GENERATED_AT,
      });
      const lines = text.split("\n");
      const headings = lines.filter((line) => line.startsWith("#")).map((line) => line.replace(/ .*/, ""));
      assert.equal(headings.filter((mark) => mark === "#").length, 1);
      assert.ok(headings.every((mark) => mark.length <= 3));
      const rows = lines.filter((line) => line.startsWith("| 2026-"));
      // 5 moves, 1 pause and 9 entries, however the texts try to end a row.
      assert.equal(rows.length, STORY.length + readTrail(entries).moves.length + 1);
      for (const row of rows) {
        assert.ok([6, 7, 8].includes(row.split(/(?<!\\)\|/).length - 1), row);
      }
    }),
    { numRuns: 300 },
  );
});
