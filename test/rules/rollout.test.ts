import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import type { Gate, Rollout } from "../../src/model/ruleset.ts";
import { describeRuleset } from "../../src/rules/describe.ts";
import { loadRules } from "../../src/rules/load.ts";
import { formatDuration, formatShare } from "../../src/rules/units.ts";
import { folderWith, HEAD, routeOf, rulesOf, SECRET } from "./folder.ts";

type Context = Parameters<typeof routeOf>[0];

async function rolloutOf(t: Context, rollout: string, others = "", head = HEAD): Promise<Rollout> {
  const { rollout: found } = await routeOf(t, `${others}rollout:\n${indent(rollout)}`, head);
  assert.ok(found);
  return found;
}

const indent = (text: string) => text.replace(/^(?=.)/gm, "  ");

async function gateOf(t: Context, gate: string): Promise<Gate | undefined> {
  const rollout = await rolloutOf(t, `steps: [{ canary: 5%, gate: g }]\ngates: { g: ${gate} }`);
  return rollout.gates.g;
}

const STEP = { canaryPpm: 0, shadowPpm: 0, bakeMs: 0, minSamples: 50, gates: [], approve: false };

test("a rollout waits for a person to begin it, unless the rules say running", async (t) => {
  assert.equal((await rolloutOf(t, "steps: [{ canary: 5% }]")).start, "paused");
  assert.equal((await rolloutOf(t, "start: running\nsteps: [{ canary: 5% }]")).start, "running");
});

test("a step keeps the shares that it does not name", async (t) => {
  const { steps } = await rolloutOf(
    t,
    `steps:
  - { shadow: 100%, bake: 10m }
  - { canary: 1%, minSamples: 500 }
  - { shadow: 10%, gate: [a, b], bake: 366d, approve: true }
  - { canary: 100%, gate: a }
gates: { a: { file: a }, b: { preflight: true } }`,
  );
  assert.deepEqual(steps, [
    { ...STEP, shadowPpm: 1_000_000, bakeMs: 600_000 },
    { ...STEP, shadowPpm: 1_000_000, canaryPpm: 10_000, minSamples: 500 },
    {
      ...STEP,
      shadowPpm: 100_000,
      canaryPpm: 10_000,
      bakeMs: 366 * 86_400_000,
      gates: ["a", "b"],
      approve: true,
    },
    { ...STEP, shadowPpm: 100_000, canaryPpm: 1_000_000, gates: ["a"] },
  ]);
});

test("the first step shadows what the route says, and serves nobody, unless it names a share", async (t) => {
  const steps = "steps: [{ bake: 1m }, { canary: 5% }]";
  assert.deepEqual((await rolloutOf(t, steps)).steps[0], { ...STEP, bakeMs: 60_000 });
  const shadowed = await rolloutOf(t, steps, "shadow: 50%\ncanary: 10%\n");
  assert.deepEqual(
    shadowed.steps.map(({ canaryPpm, shadowPpm }) => [canaryPpm, shadowPpm]),
    [
      [0, 500_000],
      [50_000, 500_000],
    ],
  );
});

test("a step needs as many answers as the guard says, unless it says so itself", async (t) => {
  const steps = "steps: [{ canary: 5% }, { canary: 6%, minSamples: 7 }]";
  const samples = async (others: string) =>
    (await rolloutOf(t, steps, others)).steps.map(({ minSamples }) => minSamples);
  assert.deepEqual(await samples(""), [50, 7]);
  assert.deepEqual(await samples("guard: { minSamples: 300 }\n"), [300, 7]);
  assert.deepEqual(await samples("guard: off\n"), [50, 7]);
});

test("a rollout alone brings guard and fallback with it", async (t) => {
  const route = await routeOf(t, "rollout: { steps: [{ canary: 5% }] }");
  assert.deepEqual(route.guard?.errors, { maxRate: 0.05, ratio: 2 });
  assert.deepEqual(route.fallback, { when: "safe", afterMs: 5000 });
  assert.equal(route.canary.sharePpm, 0);
  assert.equal((await routeOf(t, "rollout: { steps: [{ canary: 5% }] }\nguard: off")).guard, null);
});

test("gates of every kind come out whole", async (t) => {
  assert.deepEqual(await gateOf(t, '{ http: "http://h:1/lag?x=1", path: $.lagSeconds, below: 5 }'), {
    kind: "http",
    url: "http://h:1/lag?x=1",
    path: "$.lagSeconds",
    test: { by: "below", value: 5 },
    everyMs: 10_000,
    timeoutMs: 5000,
  });
  assert.deepEqual(
    await gateOf(t, "{ prometheus: https://p/prefix/, query: \"sum(up{a='b'})\", atLeast: 0.5, every: 2s }"),
    {
      kind: "prometheus",
      url: "https://p/prefix/",
      query: "sum(up{a='b'})",
      test: { by: "atLeast", value: 0.5 },
      everyMs: 2000,
      timeoutMs: 2000,
    },
  );
  assert.deepEqual(await gateOf(t, "{ preflight: true }"), { kind: "preflight" });
  assert.deepEqual(await gateOf(t, '{ window: "Mon-Fri 09:00-16:00 Europe/Berlin" }'), {
    kind: "window",
    window: {
      text: "Mon-Fri 09:00-16:00 Europe/Berlin",
      days: [1, 2, 3, 4, 5],
      fromMinute: 540,
      untilMinute: 960,
      zone: "Europe/Berlin",
    },
  });
  const equals = async (value: string) => {
    const gate = await gateOf(t, `{ http: http://h, path: $.a, equals: ${value} }`);
    return gate?.kind === "http" ? gate.test : undefined;
  };
  assert.deepEqual(await equals("ready"), { by: "equals", value: "ready" });
  assert.deepEqual(await equals('"5"'), { by: "equals", value: "5" });
  assert.deepEqual(await equals("0"), { by: "equals", value: 0 });
  assert.deepEqual(await equals("false"), { by: "equals", value: false });
});

test("a gate's file is looked for beside the rules that name it", async (t) => {
  const folder = await folderWith(t, {
    "a.yaml": `${HEAD.replace("new: modern }", "new: modern, rollout: { gates: { d: { file: done } } } }")}`,
    "sub/b.yaml":
      "version: 1\nroutes: [{ name: r, rollout: { steps: [{ canary: 5%, gate: [d, e, f] }], gates: { e: { file: ../e, present: false, every: 1m }, f: { file: /f } } } }]\n",
  });
  const result = await loadRules([folder, join(folder, "sub")], { env: {}, keyFileSecret: SECRET });
  assert.ok(result.ok, result.ok ? "" : result.problems.map(({ text }) => text).join("\n"));
  assert.deepEqual(result.ruleset.routes[0]?.rollout?.gates, {
    d: { kind: "file", path: join(folder, "done"), present: true, everyMs: 10_000 },
    e: { kind: "file", path: join(folder, "e"), present: false, everyMs: 60_000 },
    f: { kind: "file", path: "/f", present: true, everyMs: 10_000 },
  });
});

test("a rollout of the defaults is merged: steps as a whole, gates by name, and off is none", async (t) => {
  const head = HEAD.replace(
    "new: modern }",
    "new: modern, rollout: { start: running, steps: [{ canary: 5%, gate: a }], gates: { a: { file: /a } } } }",
  );
  const taken = await rolloutOf(t, "start: paused", "", head);
  assert.deepEqual([taken.start, taken.steps.length, Object.keys(taken.gates)], ["paused", 1, ["a"]]);
  const own = await rolloutOf(
    t,
    "steps: [{ canary: 1%, gate: [a, b] }, { canary: 2% }]\ngates: { a: { every: 1m }, b: { file: /b } }",
    "",
    head,
  );
  assert.deepEqual(
    [own.start, own.steps.map(({ canaryPpm }) => canaryPpm), own.gates.a],
    ["running", [10_000, 20_000], { kind: "file", path: "/a", present: true, everyMs: 60_000 }],
  );
  const off = await routeOf(t, "rollout: off", head);
  assert.equal(off.rollout, null);
  assert.equal(off.guard, null);
});

test("variables stand in gates and steps", async (t) => {
  const text = `${HEAD}routes:
  - name: r
    rollout:
      steps: [{ canary: "\${SHARE}", gate: g }]
      gates:
        g: { http: "http://\${HOST:-h}/", path: $.a, below: 12 }
        h:
          file: /f
          present: \${PRESENT}
`;
  const rules = await rulesOf(t, text, { SHARE: "7%", PRESENT: "false" });
  const rollout = rules.routes[0]?.rollout;
  assert.equal(rollout?.steps[0]?.canaryPpm, 70_000);
  const gate = rollout?.gates.g;
  assert.ok(gate?.kind === "http");
  assert.equal(gate.url, "http://h/");
  assert.deepEqual(rollout?.gates.h, { kind: "file", path: "/f", present: false, everyMs: 10_000 });
});

test("rollouts of any form survive description and reading", async (t) => {
  const step = fc.record(
    {
      shadow: fc.integer({ min: 0, max: 1_000_000 }).map(formatShare),
      bake: fc.integer({ min: 0, max: 366 * 86_400_000 }).map(formatDuration),
      minSamples: fc.integer({ min: 1, max: 10_000_000 }),
      gate: fc.constantFrom<string | string[]>("g0", ["g0", "g1"], []),
      approve: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  const test = fc.oneof(
    fc.record({ below: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
    fc.record({ equals: fc.oneof(fc.string({ maxLength: 20 }), fc.boolean(), fc.integer()) }),
  );
  const times = fc.record(
    { every: fc.integer({ min: 1000, max: 86_400_000 }).map(formatDuration), timeout: fc.constant("900ms") },
    { requiredKeys: [] },
  );
  const gate = fc.oneof(
    fc
      .tuple(test, times)
      .map(([test, times]) => ({ http: "http://h/?q=$1", path: "$.a", ...test, ...times })),
    fc
      .tuple(fc.string({ minLength: 1, maxLength: 40 }), times)
      .map(([query, times]) => ({ prometheus: "http://p", query, above: 1, ...times })),
    fc.record({ file: fc.constantFrom("/a b", "/a"), present: fc.boolean() }),
    fc.constantFrom({ window: " Sat,Sun 22:00-04:00 " }, { window: "00:00-24:00" }),
    fc.constant({ preflight: true }),
  );
  const shares = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(gate, gate),
      fc.constantFrom("paused", "running"),
      fc.array(step, { minLength: 6, maxLength: 6 }),
      shares,
      async ([g0, g1], start, parts, ppms) => {
        const rising = ppms.toSorted((a, b) => a - b);
        const steps = rising.map((ppm, index) => ({ ...parts[index], canary: formatShare(ppm) }));
        const rollout = { start, steps, gates: { g0, g1 } };
        // A dollar in front of a brace begins a variable, and two are one.
        const text = stringify({ routes: [{ name: "r", rollout }] }).replaceAll("$", "$$$$");
        const ruleset = await rulesOf(t, `${HEAD}${text}`);
        const again = await rulesOf(t, stringify(describeRuleset(ruleset)));
        assert.deepEqual(again.routes, ruleset.routes);
        assert.deepEqual(ruleset.routes[0]?.rollout?.steps.length, steps.length);
      },
    ),
    { numRuns: 60 },
  );
});
