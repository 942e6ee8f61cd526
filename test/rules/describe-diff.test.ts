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
  - name: staged
    match: { path: /staged }
    rollout:
      steps:
        - { shadow: 100%, bake: 10m }
        - { canary: 1%, bake: 10m, gate: lag }
        - { canary: 5%, approve: true }
        - { canary: 100%, bake: 24h }
      gates: { lag: { http: "http://h/lag", path: $.seconds, below: 5 }, hours: { window: "Mon-Fri 09:00-16:00" } }
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

test("a changed rollout is told step by step and gate by gate", async (t) => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ["1%, bake: 10m", "1%, bake: 30m", ["rollout step 1 (canary 1%): bake 10m → 30m"]],
    ["gate: lag }", "gate: [hours, lag] }", ["rollout step 1 (canary 1%): gate +hours"]],
    [
      "5%, approve: true",
      "10%, minSamples: 9",
      [
        "rollout step 2: canary 5% → 10%",
        "rollout step 2: minSamples 50 → 9",
        "rollout step 2: approve true → false",
      ],
    ],
    [
      "        - { canary: 5%, approve: true }\n",
      "",
      ["rollout step 2 removed: canary 5%, shadow 100%, bake 0s, minSamples 50, approve"],
    ],
    [
      "        - { canary: 100%",
      "        - { canary: 25%, gate: [lag, hours] }\n        - { canary: 100%",
      ["rollout step 3 added: canary 25%, shadow 100%, bake 0s, minSamples 50, gate lag and hours"],
    ],
    ["rollout:\n", "rollout:\n      start: running\n", ["rollout.start paused → running"]],
    [
      "below: 5 }",
      "atMost: 7 }",
      ["rollout.gates.lag.below 5 → (none)", "rollout.gates.lag.atMost (none) → 7"],
    ],
    [
      "lag: {",
      "new: { file: /f }, lag: {",
      ["rollout.gates.new (none) → { file: /f, present: true, every: 10s }"],
    ],
    [
      ', hours: { window: "Mon-Fri 09:00-16:00" }',
      "",
      ["rollout.gates.hours { window: Mon-Fri 09:00-16:00 } → (none)"],
    ],
  ];
  for (const [from, to, expected] of cases)
    assert.deepEqual(
      await changes(t, from, to),
      expected.map((line) => `staged: ${line}`),
      to,
    );
});

test("a rollout that came or went says what acts now", async (t) => {
  const added = await changes(
    t,
    ", guard: off }",
    ", rollout: { steps: [{ shadow: 5% }, { canary: 9% }] } }",
  );
  assert.deepEqual(added.slice(-1), [
    "static: rollout added: 2 steps, canary 0% to 9%, start paused; its shares act (canary 0%, shadow 0% → 5%)",
  ]);
  const removed = await changes(t, /rollout:\n(?: {6}.*\n)+/, "canary: 3%\n");
  assert.deepEqual(removed, ["staged: rollout removed: the route's own shares act (canary 3%, shadow 0%)"]);
});

test("a share that moves into the steps of a rollout is told by what acts, not by what the route says besides", async (t) => {
  const moved = async (from: string, to: string) => {
    const rules = (fields: string) => rulesOf(t, `${HEAD}routes: [{ name: orders, key: [ip], ${fields} }]\n`);
    return diffRulesets(await rules(from), await rules(to));
  };
  const STATIC = "canary: 2%, shadow: { share: 100%, methods: [GET] }";
  const PAUSED = "shadow: { methods: [GET] }, rollout: { steps: [{ shadow: 100% }, { canary: 5% }] }";
  assert.deepEqual(await moved(STATIC, PAUSED), [
    "orders: rollout added: 2 steps, canary 0% to 5%, start paused; its shares act (canary 2% → 0%, shadow 100%)",
  ]);
  const running = "rollout: { start: running, steps: [{ shadow: 50%, canary: 1% }, { canary: 5% }] }";
  assert.deepEqual(await moved(STATIC, `shadow: { methods: [GET] }, ${running}`), [
    "orders: rollout added: 2 steps, canary 1% to 5%, start running; its shares act (canary 2% → 1%, shadow 100% → 50%)",
  ]);
  assert.deepEqual(await moved(PAUSED, STATIC), [
    "orders: rollout removed: the route's own shares act (canary 2%, shadow 100%)",
  ]);
  const inherited = (share: string) =>
    `shadow: { share: ${share}, methods: [GET] }, rollout: { steps: [{ bake: 1m }, { canary: 5% }] }`;
  const lines = await moved(inherited("100%"), inherited("50%"));
  assert.ok(lines.length > 0 && lines.every((line) => line.startsWith("orders: rollout step ")), `${lines}`);
  assert.deepEqual(await moved(PAUSED, PAUSED.replace("[GET]", "[GET, HEAD]")), [
    "orders: shadow.methods +HEAD",
  ]);
});

test("a rollout that is written anew from end to end does not flood the log", async (t) => {
  const steps = (bake: string) =>
    Array.from({ length: 100 }, (_, i) => `{ canary: ${i}%, bake: ${bake} }`).join(", ");
  const rules = async (bake: string) =>
    await rulesOf(t, `${HEAD}routes: [{ name: r, rollout: { steps: [${steps(bake)}] } }]\n`);
  const lines = diffRulesets(await rules("1m"), await rules("2m"));
  assert.equal(lines.length, 21);
  assert.equal(lines.at(-1), "r: rollout steps: 80 more changes");
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
