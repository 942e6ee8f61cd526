import assert from "node:assert/strict";
import { test } from "node:test";
import { HEAD, loadText } from "./folder.ts";

type Context = Parameters<typeof loadText>[0];

async function warningsOf(t: Context, route: string, head = HEAD): Promise<string[]> {
  const fields = route.replace(/^(?=.)/gm, "    ");
  const result = await loadText(t, `${head}routes:\n  - name: r\n${fields}`);
  assert.ok(result.ok, result.ok ? "" : result.problems.map(({ text }) => text).join("\n"));
  return result.warnings.map((warning) => warning.replace(/^.*rules\.yaml:/, ""));
}

test("a rule that cannot do anything is a placed warning that says what to do", async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      "canary: 5%\nguard: { mismatches: { max: 1% } }",
      /^9:14 {2}route r: guard.mismatches .*no shadow: write shadow: 100%/,
    ],
    [
      "shadow: 5%\ncompare: off\nguard: { mismatches: { max: 1% } }",
      /^10:14 {2}route r: guard.mismatches .*take compare: off away/,
    ],
    [
      "canary: 100%\nshadow: 50%\nguard: { mismatches: { max: 1% } }",
      /^10:14 {2}route r: guard.mismatches .*at canary 100% there are none, .*write shadow: \{ share: 50%, reverse: true \}/,
    ],
    [
      "match: { path: /a, methods: [GET] }\ncanary: { share: 100%, methods: [GET] }\nshadow: 100%\nguard: { mismatches: { max: 1% } }",
      /^11:14 {2}route r: guard.mismatches .*write shadow: \{ share: 100%, reverse: true \}/,
    ],
    [
      "guard: { latency: { ratio: 2 } }",
      /^8:5 {2}route r: guard judges the answers of new, .*write canary, split, shadow or rollout/,
    ],
    [
      "match: { path: /a, methods: [GET] }\ncanary: { share: 5%, methods: [POST] }",
      /^9:26 {2}route r: canary.methods is POST and match.methods GET/,
    ],
    [
      "match: { path: /a, methods: [POST] }\nshadow: 5%",
      /^9:\d+ {2}route r: shadow.methods is GET, HEAD and match.methods POST, so nothing is shadowed/,
    ],
    [
      "canary: 5%\nfallback: { after: 40s }",
      /^9:17 {2}route r: fallback.after is 40s, but modern has timeouts.headers 30s/,
    ],
    [
      "canary: 5%\nguard: { errors: off, killSwitch: off }",
      /^9:5 {2}route r: every test of guard is off, .*guard: off/,
    ],
    [
      "canary: 5%\nguard: { errors: off, clientErrors: checked }",
      /^9:27 {2}route r: guard.clientErrors says which 4xx are judged, and guard.errors is off/,
    ],
    ["canary: 5%\ncompare: { body: json }", /^9:5 {2}route r: compare is about .*no shadow/],
    ["canary: 5%\ncompare: { noise: 2%, confirm: 1s }", /^9:5 {2}route r: compare is about .*no shadow/],
    [
      "shadow: { share: 5%, methods: [POST], sideEffects: allowed }\ncompare: { noise: 2% }",
      /^9:16 {2}route r: compare.noise asks again, .*GET, HEAD, OPTIONS, TRACE alone, and shadow.methods is POST: leave noise out/,
    ],
    [
      "shadow: { share: 5%, methods: [POST, PUT], sideEffects: allowed }\ncompare: { confirm: 2s }",
      /^9:16 {2}route r: compare.confirm asks again, .*shadow.methods is POST, PUT: leave confirm out/,
    ],
    [
      "shadow: 5%\nguard: { mismatches: { max: 1% } }\ncompare: { noise: off }",
      /^10:16 {2}route r: compare.noise is off, so noise cannot be told from mismatch.*write noise: 2%/,
    ],
    [
      "shadow: 5%\ncompare: { body: off, redact: [header:x, $.email] }",
      /^9:27 {2}route r: compare.redact names \$\.email, and compare.body is off, of which nothing is kept anyway: leave it out/,
    ],
    [
      "shadow: 5%\ncompare: { body: text, redact: [$.email] }",
      /^9:28 {2}route r: compare.redact names .* so nothing of the bodies is kept or shown at all: .*body: auto/,
    ],
    [
      "shadow: 5%\ncompare: { body: text, ignore: [$.a] }",
      /^9:28 {2}route r: compare.ignore names \$\.a, and compare.body is text, which knows no paths/,
    ],
    [
      "shadow: 5%\ncompare: { ignore: [$.a, $] }",
      /^9:16 {2}route r: compare.ignore names \$, the whole body, so that no two bodies differ: write narrower paths .*body: off .*compare: off$/,
    ],
    [
      "shadow: 5%\ncompare: { body: text, ignore: [$] }",
      /^9:28 {2}route r: compare.ignore names \$, and compare.body is text, which knows no paths/,
    ],
    [
      "shadow: 5%\ncompare: { body: bytes, rename: { $.a: $.b } }",
      /^9:29 {2}route r: compare.rename names \$\.a, and compare.body is bytes/,
    ],
  ];
  for (const [route, expected] of cases) {
    const warnings = await warningsOf(t, route);
    assert.equal(warnings.length, 1, `${route}\n${warnings.join("\n")}`);
    assert.match(warnings[0] ?? "", expected);
  }
});

test("a rollout that cannot do what it says is a placed warning too", async (t) => {
  const steps = "rollout: { steps: [{ shadow: 100% }, { canary: 5% }] }";
  const judged = "guard: { mismatches: { max: 1% } }";
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      `canary: 5%\n${steps}\n${judged}`,
      /^8:13 {2}route r: canary.share is 5%, and with a rollout its steps say the share/,
    ],
    [
      `shadow: { share: 5% }\n${steps}\n${judged}`,
      /^8:15 {2}route r: shadow.share is 5%, .*the first of them 100%/,
    ],
    [`guard: off\n${steps}`, /^8:5 {2}route r: guard is off, so no step is held up .*nothing is rolled back/],
    [
      "rollout: { steps: [{ canary: 5% }], gates: { done: { file: done } } }",
      /^8:50 {2}route r: no step names the gate done: write gate: done in a step, or take it out/,
    ],
    [
      "rollout:\n  steps:\n    - { bake: 1m }\n    - { canary: 5% }",
      /^10:11 {2}route r: step 0 of rollout sends nothing to new .* until a person promotes it: write shadow: 100%/,
    ],
    [
      `compare: off\n${steps}`,
      /^9:24 {2}route r: step 0 of rollout only shadows, and compare is off: .* take compare: off away/,
    ],
    [
      "rollout: { steps: [{ canary: 5% }] }\nguard: { mismatches: { max: 1% } }",
      /^9:14 {2}route r: guard.mismatches counts compared shadows, and there is no shadow/,
    ],
    ["rollout: { steps: [{ canary: 5% }] }\ncompare: { body: json }", /^9:5 {2}route r: compare is about/],
    [
      `match: { path: /a, methods: [POST] }\n${steps}`,
      /^9:5 {2}route r: shadow.methods is GET, HEAD and match.methods POST, so nothing is shadowed/,
    ],
  ];
  for (const [route, expected] of cases) {
    const warnings = await warningsOf(t, route);
    assert.equal(warnings.length, 1, `${route}\n${warnings.join("\n")}`);
    assert.match(warnings[0] ?? "", expected);
  }
});

test("a step that only shadows, without a judgement of what differs, is a warning, once", async (t) => {
  const expected =
    /^8:24 {2}route r: new serves nobody in step 0 and guard\.mismatches is not written: the differences found there are not judged; write guard: \{ mismatches: \{ max: 1% \} \}/;
  for (const route of [
    "rollout: { steps: [{ shadow: 100% }, { canary: 5% }] }",
    "rollout: { steps: [{ shadow: 1% }, { shadow: 100%, canary: 0% }, { canary: 5% }] }",
    "rollout: { steps: [{ shadow: 100% }] }\nguard: { errors: { max: 1% } }",
  ]) {
    const warnings = await warningsOf(t, route);
    assert.equal(warnings.length, 1, `${route}\n${warnings.join("\n")}`);
    assert.match(warnings[0] ?? "", expected);
  }
  const [later = ""] = await warningsOf(
    t,
    "shadow: 10%\nrollout:\n  steps:\n    - { shadow: 0% }\n    - { shadow: 10% }",
  ).then((warnings) => warnings.filter((warning) => warning.includes("not judged")));
  assert.match(later, /^12:11 {2}route r: new serves nobody in step 1 and/);
});

test("a rollout that does something brings no warning", async (t) => {
  const gates = "gates: { a: { file: a }, b: { preflight: true } }";
  for (const route of [
    "rollout: { steps: [{ shadow: 100% }, { canary: 5% }] }\nguard: { mismatches: { max: 1% } }",
    "rollout: { steps: [{ shadow: 100% }, { canary: 5% }] }\nguard: { mismatches: off }",
    "rollout: { steps: [{ shadow: 100%, canary: 1% }, { canary: 5% }] }",
    "key: [ip]\nsplit: { new: [a] }\nrollout: { steps: [{ shadow: 100% }, { canary: 5% }] }",
    `rollout: { steps: [{ canary: 5%, gate: a }, { canary: 50%, gate: [b] }], ${gates} }`,
    "shadow: 100%\nrollout: { steps: [{ bake: 1m }, { canary: 5% }] }\nguard: { mismatches: { max: 1% } }",
    "shadow: 100%\nrollout: { steps: [{ shadow: 100% }, { canary: 5%, shadow: 0% }] }\ncompare: { body: json }\nguard: { mismatches: {} }",
    "canary: { share: 0%, methods: [GET], always: [{ header: x }] }\nrollout: { steps: [{ bake: 1m }, { canary: 5% }] }",
    "key: [ip]\nsplit: { new: [a] }\nrollout: { steps: [{ bake: 1m }, { canary: 5% }] }",
    "compare: off\nrollout: { steps: [{ canary: 5% }, { canary: 100% }] }",
  ])
    assert.deepEqual(await warningsOf(t, route), [], route);
});

test("a gate of the defaults that some route names is no idle one", async (t) => {
  const gates = "rollout: { gates: { a: { file: a }, b: { file: b } } }";
  const result = await loadText(
    t,
    `${HEAD.replace("new: modern }", `new: modern, ${gates} }`)}routes:
  - { name: x, match: { path: /x }, rollout: { steps: [{ canary: 5%, gate: a }] } }
  - { name: y, rollout: { steps: [{ canary: 5% }] } }
`,
  );
  assert.ok(result.ok);
  assert.deepEqual(
    result.warnings.map((warning) => warning.replace(/^\S+ {2}/, "")),
    ["route x: no step names the gate b: write gate: b in a step, or take it out"],
  );
});

test("rules that do something bring no warning", async (t) => {
  for (const route of [
    "canary: 0%\nguard: { latency: { ratio: 2 } }",
    "shadow: 5%\nguard: { mismatches: { max: 1% }, latency: { ratio: 2 }, errors: off, killSwitch: off }",
    "match: [{ path: /a, methods: [GET] }, { path: /b }]\ncanary: { share: 5%, methods: [POST] }",
    "canary: 5%\nfallback: { after: 30s }",
    "canary: 5%\nguard: off\ncompare: off\nfallback: off",
    "shadow: { share: 5%, methods: [GET, POST], sideEffects: allowed }\ncompare: { noise: 2%, confirm: 1s }",
    "shadow: 5%\nguard: { mismatches: { max: 1% } }",
    "shadow: 5%\ncompare: { noise: off, confirm: off }",
    "shadow: 5%\ncompare: { body: off, redact: [header:x, query:t] }",
    "shadow: 5%\ncompare: { body: xml, ignore: [$.a], unordered: [$.a], tolerance: [{ path: $.a, absolute: 1 }] }",
  ])
    assert.deepEqual(await warningsOf(t, route), [], route);
});

test("what defaults say is warned of once, and only when it does nothing for any route", async (t) => {
  const head = HEAD.replace("new: modern }", "new: modern, guard: { mismatches: { max: 1% } } }");
  const idle = await loadText(
    t,
    `${head}routes:\n  - { name: a, match: { path: /a }, canary: 5% }\n  - { name: b, canary: 5% }\n`,
  );
  assert.ok(idle.ok);
  assert.equal(idle.warnings.length, 1);
  assert.match(idle.warnings[0] ?? "", /:5:\d+ {2}route a: guard.mismatches/);
  const used = await loadText(
    t,
    `${head}routes:\n  - { name: a, match: { path: /a }, canary: 5% }\n  - { name: b, shadow: 5% }\n`,
  );
  assert.ok(used.ok);
  assert.deepEqual(used.warnings, []);
});

test("a rollout that gives everything to new and compares nothing there says so once, of its first such step", async (t) => {
  const rollout = (steps: string, more = "shadow: { reverse: false }"): string =>
    `${more}\nguard: { mismatches: { max: 1% } }\nrollout:\n  steps:\n${steps.replace(/^(?=.)/gm, "    ")}`;
  const steps = "- { shadow: 100% }\n- { canary: 50% }\n- { canary: 100% }\n- { bake: 1h }\n";
  const [warning, ...others] = await warningsOf(t, rollout(steps));
  assert.deepEqual(others, []);
  assert.match(
    warning ?? "",
    /^14:\d+ {2}route r: step 2 of rollout gives everything to new .*write shadow: \{ reverse: true \}.*or shadow: 0%/,
  );
  for (const [well, more] of [
    [steps, "shadow: { reverse: true }"],
    [steps.replace("canary: 100%", "canary: 100%, shadow: 0%"), undefined],
    [steps.replace("canary: 100%", "canary: 99%"), undefined],
  ] as const)
    assert.deepEqual(await warningsOf(t, rollout(well, more)), [], well);
});

test("nothing is said of 100% where shadows are left on old, or mismatches are not guarded", async (t) => {
  for (const route of [
    "canary: { share: 100%, methods: [GET] }\nshadow: 100%\nguard: { mismatches: { max: 1% } }",
    "canary: 100%\nshadow: { share: 100%, reverse: true }\nguard: { mismatches: { max: 1% } }",
    "canary: 100%\nshadow: 100%",
    "canary: 99.9999%\nshadow: 100%\nguard: { mismatches: { max: 1% } }",
  ])
    assert.deepEqual(await warningsOf(t, route), [], route);
});
