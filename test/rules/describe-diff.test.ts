import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { describeRuleset } from "../../src/rules/describe.ts";
import { diffRulesets } from "../../src/rules/diff.ts";
import { loadRules } from "../../src/rules/load.ts";
import { formatDuration, formatShare } from "../../src/rules/units.ts";
import { folderWith, HEAD, loadText, rulesOf, SECRET } from "./folder.ts";

const FULL = `${HEAD}unmatched: legacy
routes:
  - name: profiles
    match: [{ path: "/profiles/{id}", methods: [GET, POST], hosts: ["*.example.org"], headers: { x-app: web }, query: { v: "2" } }]
    key: [header:x-tenant-id, path:id, assign]
    split: { new: [acme], old: [whale], onRollback: stay }
    canary: { share: 5%, always: [{ header: x-canary }], never: [{ cookie: c, matches: "^x" }], methods: [GET] }
    shadow: { share: 50%, methods: [GET, POST], sideEffects: allowed, rate: 200/s, reverse: true }
    compare: { ignore: ["$.updatedAt"], body: json }
    fallback: { when: idempotent, after: 3s }
    guard: { latency: { ratio: 2 }, killSwitch: off }
    revision: 3
  - { name: static, match: { path: /static/** }, guard: off }
`;

test("the description of rules, read as rules, gives the same rules", async (t) => {
  const ruleset = await rulesOf(t, FULL);
  const again = await rulesOf(t, stringify(describeRuleset(ruleset)));
  assert.deepEqual({ ...again, version: "" }, { ...ruleset, version: "" });
  assert.deepEqual(diffRulesets(ruleset, again), []);
});

test("rules that are printed mean the same in another folder", async (t) => {
  const folder = await folderWith(t, {
    "a.yaml": `${HEAD}routes: [{ name: r, key: [ip], split: { newFile: lists/moved.txt } }]\n`,
    "lists/moved.txt": "acme\n",
  });
  const path = relative(process.cwd(), join(folder, "a.yaml"));
  const result = await loadRules([path], { env: {}, keyFileSecret: SECRET });
  assert.ok(result.ok);
  const again = await rulesOf(t, stringify(describeRuleset(result.ruleset)));
  assert.deepEqual({ ...again, version: "" }, { ...result.ruleset, version: "" });
});

test("dollars survive description and reading", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.stringMatching(/^[${}A:a-]{1,12}$/), async (key) => {
      const written = JSON.stringify(key.replaceAll("$", "$$$$"));
      const ruleset = await rulesOf(
        t,
        `${HEAD}routes: [{ name: r, key: [ip], split: { new: [${written}] } }]\n`,
      );
      assert.deepEqual(ruleset.routes[0]?.split?.new, [key]);
      const again = await rulesOf(t, stringify(describeRuleset(ruleset)));
      assert.deepEqual(again.routes, ruleset.routes);
    }),
    { numRuns: 30 },
  );
});

test("durations and shares of any size survive description and reading", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 24 * 86_400_000 }),
      fc.integer({ min: 1, max: 1_000_000 }),
      async (ms, ppm) => {
        const [timeout, share] = [formatDuration(ms), formatShare(ppm)];
        const text = `${HEAD}routes: [{ name: r, shadow: { share: ${share}, timeout: ${timeout} }, guard: { errors: { max: ${share} } } }]\n`;
        const ruleset = await rulesOf(t, text);
        const again = await rulesOf(t, stringify(describeRuleset(ruleset)));
        assert.deepEqual(again.routes, ruleset.routes);
      },
    ),
    { numRuns: 20 },
  );
});

test("people's units are used, and the description is JSON", async (t) => {
  const description = describeRuleset(await rulesOf(t, FULL));
  assert.deepEqual(JSON.parse(JSON.stringify(description)), description);
  const text = JSON.stringify(description);
  for (const part of ['"5%"', '"256KiB"', '"10s"', '"200/s"', '"1 per 90d"'])
    assert.ok(text.includes(part), part);
});

async function changes(
  t: Parameters<typeof rulesOf>[0],
  from: RegExp | string,
  to: string,
): Promise<string[]> {
  return diffRulesets(await rulesOf(t, FULL), await rulesOf(t, FULL.replace(from, to)));
}

test("a change is told in the words of the rules", async (t) => {
  assert.deepEqual(await changes(t, "share: 5%", "share: 10%"), ["profiles: canary 5% → 10%"]);
  assert.deepEqual(await changes(t, "share: 50%", "share: 100%"), ["profiles: shadow 50% → 100%"]);
  assert.deepEqual(await changes(t, "new: [acme]", "new: [acme, globex]"), ["profiles: split.new +globex"]);
  assert.deepEqual(await changes(t, ", guard: off", ", canary: 0%, guard: {}"), ["static: guard off → on"]);
  assert.deepEqual(await changes(t, "unmatched: legacy\n", ""), ["unmatched legacy → 404"]);
  assert.deepEqual(await changes(t, "127.0.0.1:9002", "127.0.0.1:9003"), [
    "backends.modern: urls +http://127.0.0.1:9003 −http://127.0.0.1:9002",
  ]);
  assert.deepEqual(await changes(t, "name: static", "name: files"), [
    "removed route static",
    "added route files",
  ]);
  assert.deepEqual(await changes(t, "version: 1\n", "version: 1\nlimits: { inFlight: 9 }\n"), [
    "limits: inFlight 4096 → 9",
  ]);
});

test("comments and other spellings are no change", async (t) => {
  assert.deepEqual(await changes(t, "share: 5%,", "share: 5.0%, # the same\n     "), []);
});

test("another order of routes is a change", async (t) => {
  const two = `${HEAD}routes:\n  - { name: a, match: { path: /a } }\n  - { name: b }\n`;
  const other = `${HEAD}routes:\n  - { name: b, match: { path: /b } }\n  - { name: a, match: { path: /a } }\n`;
  const lines = diffRulesets(await rulesOf(t, two), await rulesOf(t, other));
  assert.ok(lines.includes("routes are tried in another order: b, a"));
});

test("a key file is compared by its keys", async (t) => {
  const load = async (keys: string) => {
    const folder = await folderWith(t, {
      "a.yaml": `${HEAD}routes: [{ name: r, key: [ip], split: { newFile: k.txt } }]\n`,
      "k.txt": keys,
    });
    const result = await loadRules([join(folder, "a.yaml")], { env: {}, keyFileSecret: SECRET });
    assert.ok(result.ok);
    return result.ruleset;
  };
  const lines = async (before: string, after: string) =>
    diffRulesets(await load(before), await load(after)).filter((line) => !line.includes("/"));
  assert.deepEqual(await lines("a\nb\n", "a\nb\nc\n"), ["r: split.newFile 2 keys → 3 keys"]);
  assert.deepEqual(await lines("a\nb\n", "a\nc\n"), ["r: split.newFile has other keys, still 2"]);
  assert.deepEqual(await lines("a\nb\n", "b\n# c\na\n"), []);
});

test("private keys are never printed", async (t) => {
  const ruleset = await rulesOf(t, HEAD);
  const legacy = ruleset.backends.legacy;
  assert.ok(legacy);
  const withKey = (key: string) => ({
    ...ruleset,
    backends: { legacy: { ...legacy, tls: { ca: null, serverName: null, cert: "CERT", key } } },
  });
  assert.ok(!JSON.stringify(describeRuleset(withKey("SECRET-A"))).includes("SECRET"));
  assert.deepEqual(diffRulesets(withKey("SECRET-A"), withKey("SECRET-B")), [
    "backends.legacy: tls.key replaced",
  ]);
});

test("rules of 300 routes load in a moment", async (t) => {
  const routes = Array.from(
    { length: 300 },
    (_, i) => `  - { name: r${i}, match: { path: "/r${i}/{id}" }, canary: 5% }\n`,
  );
  const result = await loadText(t, `${HEAD}routes:\n${routes.join("")}`);
  assert.ok(result.ok);
  assert.equal(result.ruleset.routes.length, 300);
});
