import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { textWidth } from "../../src/cli/width.ts";
import { routeStatus, statusReport } from "../support/reports.ts";
import {
  ago,
  assertHarmless,
  cluster,
  type FakeAdmin,
  fakeAdmin,
  ok,
  problem,
  retro,
  run,
} from "./fixtures.ts";

const HOSTILE = "\u001b]0;owned\u0007\u009b2J\u202e\r\n漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字";
const CLUSTERS = [
  cluster({ relation: { name: "case", share: 0.98 } }),
  cluster({
    id: "ffffffffffff",
    place: "$.total",
    kind: "type",
    count: 37,
    overcount: 2,
    share: 0.0037,
    firstAt: ago(7_300),
    example: { old: "1", new: '"1"' },
    transient: { count: 5, medianMs: 250, maxMs: 2_100 },
  }),
  cluster({
    id: "bbbbbbbbbbbb",
    place: "$.nonce",
    count: 4_000,
    share: 0.4,
    noise: { rate: 0.401, triples: 1_200 },
    example: { old: '"x1"', new: '"x2"' },
  }),
];

let admin: FakeAdmin;
before(async () => {
  admin = await fakeAdmin(({ path }) => {
    if (path.startsWith("/api/v1/retro")) return ok(retro());
    if (path.startsWith("/api/v1/mismatches?")) return ok(path.includes("route=empty") ? [] : CLUSTERS);
    return problem(404, "no route is named so");
  });
});
after(() => admin.close());

/** The text of a run as a list of lines. */
const linesOf = (out: string) => stripVTControlCharacters(out).split("\n");

test("real places come first, noisy ones under a heading with how often old differs from itself", async () => {
  const { code, out } = await run(["mismatches", "profiles", "--admin", admin.url]);
  assert.equal(code, 0);
  assert.equal(
    out,
    `place        kind           pairs  since      id
$.user.name  value  1,234 (12.3%)  3 min ago  0a1b2c3d4e5f
    "Ada" → "ADA"
    case in 98% of them
$.total      type     ~37 (0.37%)  2 h ago    ffffffffffff
    1 → "1"
    5 equal when asked again (median 250 ms later, longest 2.1 s); counted at most 2 pairs too high

noise: old differs from itself here
place    kind        old ≠ old        pairs  since      id
$.nonce  value  40.1% of 1,200  4,000 (40%)  3 min ago  bbbbbbbbbbbb
    "x1" → "x2"
`,
  );
  assert.equal(admin.heard.at(-1)?.path, "/api/v1/mismatches?route=profiles&limit=50");
});

test("of a difference that was not seen for a minute it is said when it was", async () => {
  const quiet = await fakeAdmin(() => ok([cluster({ lastAt: ago(610) }), cluster({ lastAt: ago(50) })]));
  const { out } = await run(["mismatches", "profiles", "--admin", quiet.url]);
  assert.deepEqual(out.match(/last seen .*/g), ["last seen 10 min ago"]);
  await quiet.close();
});

test("clusters of several routes say whose they are; of one route, nothing repeats it", async () => {
  const two = await fakeAdmin(() => ok([cluster(), cluster({ route: "orders", id: "bbbbbbbbbbbb" })]));
  const { out } = await run(["mismatches", "--admin", two.url, "--limit", "2"]);
  assert.match(out, /^route {5}place/);
  assert.match(out, /^orders {4}\$\.user\.name/m);
  assert.match(out, /the first 2: --limit shows more/);
  assert.equal(two.heard.at(-1)?.path, "/api/v1/mismatches?limit=2");
  assert.match((await run(["mismatches", "--admin", admin.url])).out, /^place/);
  await two.close();
});

test("no line is wider than the terminal, whatever traffic holds, and the id stays readable", async () => {
  const wild = [
    cluster({
      route: `r${HOSTILE}`,
      place: `$['${HOSTILE}'].${"deep.".repeat(60)}end`,
      count: 123_456_789,
      relation: { name: HOSTILE, share: 1 },
      example: { old: HOSTILE.repeat(9), new: HOSTILE.repeat(9) },
    }),
    cluster({ id: "bbbbbbbbbbbb", noise: { rate: 0.5, triples: 1_000_000 } }),
  ];
  const hostile = await fakeAdmin(() => ok(wild));
  for (const columns of [40, 60, 80, 100, 140, 200]) {
    const { out } = await run(["mismatches", "--admin", hostile.url], {}, columns);
    const lines = linesOf(out).slice(0, -2);
    for (const line of lines.filter((text) => !text.startsWith("one pair in full"))) {
      assert.ok(textWidth(line) <= columns, `${columns}: ${textWidth(line)} ${line}`);
    }
    assert.ok(lines.some((line) => line.endsWith("0a1b2c3d4e5f")));
  }
  await hostile.close();
});

test("what could act on a terminal is spelled out, in text and in JSON", async () => {
  const hostile = await fakeAdmin(() => ok([cluster({ example: { old: HOSTILE, new: null } })]));
  const { out } = await run(["mismatches", "--admin", hostile.url]);
  assert.match(out, /\\x1b\]0;owned\\x07\\x9b2J\\u202e\\x0d\\x0a漢字.* → \(nothing\)/);
  assertHarmless(out);
  const json = await run(["mismatches", "--admin", hostile.url, "-o", "json"]);
  assertHarmless(json.out);
  assert.equal((JSON.parse(json.out) as { example: { old: string } }[])[0]?.example.old, HOSTILE);
  await hostile.close();
});

test("values that are not kept take no line", async () => {
  const off = await fakeAdmin(() => ok([cluster({ example: { old: null, new: null } })]));
  assert.equal((await run(["mismatches", "--admin", off.url])).out.split("\n").length, 3);
  await off.close();
});

test("an empty list says what it means", async () => {
  const none = { match: 0, mismatch: 0, noise: 0, transient: 0, uncompared: 0 };
  const sent = { sent: 0, shed: 0, too_large: 0, timeout: 0, failed: 0 };
  const cases: readonly (readonly [Parameters<typeof routeStatus>[1], RegExp])[] = [
    [
      { comparisons: none, shadow: 0 },
      /^no pairs compared yet of p: nothing is shadowed; write `shadow: 100%`/,
    ],
    [{ comparisons: none, shadows: sent }, /^no pairs compared yet of p: no shadow has been sent\n$/],
    [{ comparisons: none }, /^no pairs compared yet of p: shadows are sent, so either .*`compare: off`\n$/],
    [
      { comparisons: { ...none, uncompared: 6 } },
      /^none of 6 pairs of p could be compared \(4 too large, 2 decode failed\)\n$/,
    ],
    [
      { comparisons: { ...none, match: 1_200, noise: 3, transient: 1 } },
      /^compared 1,204 pairs of p: none differs; 3 only in noise; 1 were equal when asked again\n$/,
    ],
    [
      { comparisons: { ...none, match: 10, mismatch: 2, uncompared: 6 } },
      /^2 of 12 compared pairs of p differ, but no cluster of them is kept: ask again in a moment; 6 more could not/,
    ],
    [
      {
        comparisons: { ...none, match: 10, mismatch: 44 },
        comparisonsSince: { at: "2026-05-01T12:00:00.000Z", compared: 7, mismatches: 0 },
      },
      /^no difference of p since the rules of comparison changed \(2026-05-01 12:00:00 UTC, 7 pairs compared since\); before, 44 of 47 pairs differed\n$/,
    ],
    [
      {
        comparisons: { ...none, mismatch: 2 },
        comparisonsSince: { at: "2026-05-01T12:00:00.000Z", compared: 0, mismatches: 0 },
      },
      /UTC, no pair compared since\); before, 2 of 2 pairs differed\n$/,
    ],
    [
      {
        comparisons: { ...none, match: 10, mismatch: 2 },
        comparisonsSince: { at: "2026-05-01T12:00:00.000Z", compared: 5, mismatches: 1 },
      },
      /^2 of 12 compared pairs of p differ, but no cluster of them is kept: ask again in a moment\n$/,
    ],
  ];
  for (const [changes, words] of cases) {
    const quiet = await fakeAdmin(({ path }) =>
      ok(path.startsWith("/api/v1/mismatches") ? [] : routeStatus("p", changes)),
    );
    const { code, out } = await run(["mismatches", "p", "--admin", quiet.url]);
    assert.equal(code, 0);
    assert.match(out, words);
    await quiet.close();
  }
  const all = await fakeAdmin(({ path }) =>
    ok(path.startsWith("/api/v1/mismatches") ? [] : statusReport([])),
  );
  assert.equal(
    (await run(["mismatches", "--admin", all.url])).out,
    "no pairs compared yet: there are no routes\n",
  );
  assert.equal((await run(["mismatches", "--admin", all.url, "-o", "json"])).out, "[]\n");
  await all.close();
});

test("a route that the gateway does not know is exit 1 with its sentence", async () => {
  const { code, err } = await run(["mismatches", "empty", "--admin", admin.url]);
  assert.deepEqual([code, err], [1, "cutover: no route is named so\n"]);
});

test("--retro shows what the rules that act now make of the stored pairs", async () => {
  const { code, out } = await run(["mismatches", "profiles", "--retro", "--admin", admin.url]);
  assert.equal(code, 0);
  assert.equal(
    out,
    `45 stored pairs judged again by rules 0123456789ab:
  41 still differ
  3 do not any more
  1 cannot be told: stored cut, not as text, or could not be redacted

place        kind   before  after  id
$.user.name  value      40     37  0a1b2c3d4e5f
$.total      type        6      6  ffffffffffff
$.etag       value       2      0  aaaaaaaaaaaa
`,
  );
  assert.equal(admin.heard.at(-1)?.path, "/api/v1/retro?route=profiles");
  const json = await run(["mismatches", "--retro", "--admin", admin.url, "-o", "json"]);
  assert.deepEqual(JSON.parse(json.out), retro());
  assert.equal(admin.heard.at(-1)?.path, "/api/v1/retro");
  for (const columns of [40, 60, 80]) {
    const narrow = await run(["mismatches", "--retro", "--admin", admin.url], {}, columns);
    for (const line of linesOf(narrow.out).slice(5)) assert.ok(textWidth(line) <= columns, line);
  }
});

test("--retro without stored pairs says so", async () => {
  const none = retro({ samples: 0, stillMismatch: 0, nowMatch: 0, cannotTell: 0, clusters: [] });
  const empty = await fakeAdmin(() => ok(none));
  const { out } = await run(["mismatches", "--retro", "--admin", empty.url]);
  assert.match(out, /^no stored pairs to judge again: /);
  await empty.close();
});

test("an answer that is no list of clusters is not taken for a gateway's", async () => {
  const other = await fakeAdmin(() => ok([{ id: 1, differences: [] }]));
  for (const words of [["mismatches"], ["mismatches", "--retro"], ["mismatches", "--show", "1"]]) {
    assert.equal((await run([...words, "--admin", other.url])).code, 3);
  }
  await other.close();
});
