import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { textWidth } from "../../src/cli/width.ts";
import type { AuditEntry } from "../../src/model/reports.ts";
import { assertHarmless, auditEntry, fakeAdmin, type Heard, ok, problem, type Ran, run } from "./fixtures.ts";

const HOSTILE = "\u001b]0;owned\u0007\u009b2J\u202e";
const TRAIL: readonly AuditEntry[] = [
  auditEntry(4, {
    action: "rollback",
    by: "guard",
    reason: "errors: 7 of 61 answers of new failed",
    from: "step 2 (canary 5%, shadow 100%)",
    to: "rolled-back",
    evidence: {
      summary: "errors: 7 of 61 answers of new failed",
      samples: { old: 1_150, new: 61 },
      errors: { old: 4, new: 7 },
      evidence: { errors: 1.03, latency: 0.4 },
      rulesVersion: "0123456789ab",
    },
  }),
  auditEntry(3),
  auditEntry(2, {
    action: "pause",
    by: "operator",
    reason: "the night",
    from: "step 1",
    to: "step 1",
    evidence: null,
  }),
  auditEntry(1, {
    route: null,
    action: "reload",
    by: "rules",
    reason: "",
    from: "aaaa",
    to: "bbbb",
    evidence: null,
  }),
];

interface Play {
  readonly entries?: readonly AuditEntry[];
  readonly report?: string;
  readonly columns?: number;
}

/** `cutover history …` against a gateway with this trail. */
async function history(
  words: readonly string[],
  play: Play = {},
): Promise<Ran & { heard: readonly Heard[] }> {
  const admin = await fakeAdmin(({ path }) => {
    if (path.startsWith("/api/v1/audit")) return ok(play.entries ?? TRAIL);
    if (path.endsWith("/report"))
      return {
        status: 200,
        body: play.report ?? "# Rollout of profiles\n\ntext\n",
        contentType: "text/markdown",
      };
    return problem(404, 'no route is named "nope"');
  });
  try {
    const ran = await run(["history", ...words, "--admin", admin.url], {}, play.columns ?? null);
    return { ...ran, heard: admin.heard };
  } finally {
    await admin.close();
  }
}

test("the trail says when, what, who, from where to where, why, and what was known", async () => {
  const { code, out, heard } = await history([]);
  assert.equal(code, 0);
  assert.equal(heard[0]?.path, "/api/v1/audit?limit=50");
  assert.equal(
    out,
    `when (UTC)           route     action    by
2026-01-02 03:04:05  profiles  rollback  guard
    step 2 (canary 5%, shadow 100%) → rolled-back
    errors: 7 of 61 answers of new failed
    errors 7/61 new vs 4/1,150 old; evidence errors 1.03, latency 0.40 of 1; rules 0123456789ab
2026-01-02 03:04:05  profiles  promote   rollout
    step 1 (canary 1%, shadow 100%) → step 2 (canary 5%, shadow 100%)
    baked 10 min, errors 0/812 new vs 13/81,234 old
    evidence errors 0.02 of 1; rules 0123456789ab
2026-01-02 03:04:05  profiles  pause     operator
    step 1
    the night
2026-01-02 03:04:05  (all)     reload    rules
    aaaa → bbbb
`,
  );
});

test("one route's trail asks for that route, and does not repeat its name", async () => {
  const { out, heard } = await history(["pro/files&x", "--limit", "4"]);
  assert.equal(heard[0]?.path, "/api/v1/audit?route=pro%2Ffiles%26x&limit=4");
  assert.match(out, /^when \(UTC\) +action +by\n/);
  assert.match(out, /\nthe newest 4: --limit shows more\n$/);
});

test("what was known is told as a sentence where the reason does not say it", async () => {
  const { out } = await history([], {
    entries: [auditEntry(1, { by: "operator", reason: "I know better" })],
  });
  assert.match(
    out,
    /\n {4}I know better\n {4}errors 0\/812 new vs 13\/81,234 old; evidence errors 0\.02 of 1; rules 0123456789ab\n/,
  );
});

test("no line is longer than the terminal is wide, and nothing is lost", async () => {
  for (const columns of [40, 60, 80, 132]) {
    const { out } = await history([], { columns });
    const lines = stripVTControlCharacters(out).split("\n");
    for (const line of lines) assert.ok(textWidth(line) <= Math.max(columns, 50), `${columns}: ${line}`);
    const words = lines.map((line) => line.trim()).join(" ");
    assert.match(words, /baked 10 min, errors 0\/812 new vs 13\/81,234 old/);
    assert.match(words, /latency 0\.40 of 1; rules 0123456789ab/);
  }
});

test("an empty trail is said, and an unknown route is exit 1", async () => {
  const { code, out } = await history([], { entries: [] });
  assert.equal(code, 0);
  assert.match(out, /^nothing is in the audit trail yet/);
  const unknown = await history(["nope"], { entries: [] });
  assert.deepEqual([unknown.code, unknown.err], [1, 'cutover: no route is named "nope"\n']);
});

test("-o json is the gateway's own answer", async () => {
  assert.deepEqual(JSON.parse((await history(["-o", "json"])).out), TRAIL);
  assert.deepEqual(JSON.parse((await history(["profiles", "--report", "-o", "json"])).out), {
    route: "profiles",
    report: "# Rollout of profiles\n\ntext\n",
  });
});

test("the report is printed as it is, free of what acts on a terminal", async () => {
  const { code, out, heard } = await history(["a/b", "--report"], { report: `# Rollout\n\n${HOSTILE}|\n` });
  assert.equal(code, 0);
  assert.equal(heard[0]?.path, "/api/v1/routes/a%2Fb/report");
  assert.match(out, /^# Rollout\n\n.*\|\n$/);
  assertHarmless(out);
  const other = await history(["a", "--report"], { report: "<html>" });
  assert.equal(other.code, 3);
});

test("nothing that was typed as a reason acts on the terminal", async () => {
  const evil = auditEntry(1, {
    at: HOSTILE,
    route: `${HOSTILE}${"x".repeat(200)}`,
    action: HOSTILE,
    reason: `${HOSTILE}\n2`,
    from: HOSTILE,
    to: null,
    evidence: {
      summary: HOSTILE,
      samples: { old: 0, new: 0 },
      errors: { old: 0, new: 0 },
      evidence: { [HOSTILE]: 1 },
      rulesVersion: HOSTILE,
    },
  });
  assertHarmless((await history([], { entries: [evil] })).out);
  assertHarmless((await history([], { entries: [evil], columns: 60 })).out, true);
});

test("something else that answers is not taken for a gateway", async () => {
  const shy = await fakeAdmin(() => ok([{ hello: "world" }]));
  assert.equal((await run(["history", "--admin", shy.url])).code, 3);
  await shy.close();
});
