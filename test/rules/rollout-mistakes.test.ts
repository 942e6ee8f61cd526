import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { HEAD, loadText, mistakesIn, routeMistakes } from "./folder.ts";

type Context = Parameters<typeof routeMistakes>[0];

const rollout = (fields: string) => `rollout:\n${fields.replace(/^(?=.)/gm, "  ")}`;

async function oneMistake(t: Context, fields: string, expected: string | RegExp): Promise<void> {
  const mistakes = await routeMistakes(t, rollout(fields));
  assert.equal(mistakes.length, 1, `${fields}\n${mistakes.join("\n")}`);
  const [mistake = ""] = mistakes;
  if (typeof expected === "string") assert.equal(mistake, expected);
  else assert.match(mistake, expected);
}

const gate = (fields: string) => `steps: [{ canary: 5%, gate: g }]\ngates: { g: ${fields} }`;

test("shares that fall from a step to the next are placed, with both steps", async (t) => {
  const text = `${HEAD}routes:
  - name: r
    rollout:
      steps:
        - { canary: 5% }
        - { shadow: 10% }
        - { bake: 1m, canary: 1% }
`;
  assert.deepEqual(await mistakesIn(t, text), [
    "12:31  rollout.steps[2].canary is 1%: step 2 serves less than step 1 (5%), and shares only rise: write 5% or more",
  ]);
  const fallingShadow = await loadText(t, text.replace("canary: 1%", "canary: 5%, shadow: 0%"));
  assert.ok(fallingShadow.ok);
});

test("a rollout needs a step, and has at most a hundred", async (t) => {
  const steps = /^rollout of route r has no steps: write steps: \[\{ shadow: 100%/;
  await oneMistake(t, "start: running", steps);
  await oneMistake(t, "steps: []", /^rollout.steps is empty: write a list of steps, such as \[\{/);
  await oneMistake(t, "steps: 5%", /^rollout.steps is 5%: write a list of steps/);
  const many = `[${"{ canary: 5% }, ".repeat(101)}]`;
  await oneMistake(
    t,
    `steps: ${many}`,
    /^rollout.steps is a list: with 101 steps it is too long: .*at most 100/,
  );
});

test("a rollout that is no block is told both forms", async (t) => {
  const [mistake = "", ...others] = await routeMistakes(t, "rollout: paused");
  assert.match(
    mistake,
    /^rollout is paused: write off, or a block of fields such as \{ start: paused, steps:/,
  );
  assert.deepEqual(others, []);
});

test("a route without new cannot have a rollout", async (t) => {
  const bare = HEAD.replace(/defaults:.*\n/, "");
  assert.deepEqual(await routeMistakes(t, "old: legacy\nrollout: { steps: [{ canary: 5% }] }", bare), [
    "route r has rollout but no new: write new: and a backend's name",
  ]);
  const off = await loadText(t, `${bare}routes: [{ name: r, old: legacy, rollout: off }]\n`);
  assert.ok(off.ok);
});

test("a step that names no known gate is told the one that was meant", async (t) => {
  const text = `${HEAD}routes:
  - name: r
    rollout:
      steps: [{ canary: 5%, gate: [lag, backfil, lag] }]
      gates: { backfill: { file: a }, lag: { file: b } }
`;
  assert.deepEqual(await mistakesIn(t, text), [
    "9:41  rollout.steps[0].gate[1] is backfil: there is no such gate: did you mean backfill?",
    "9:50  rollout.steps[0].gate[2] is lag once more: keep the first",
  ]);
  await oneMistake(
    t,
    "steps: [{ gate: done }]",
    "rollout.steps[0].gate is done: there is no such gate: write it under gates: { done: { file: done } }",
  );
  await oneMistake(t, "steps: [{ gate: constructor }]\ngates: { a: { file: a } }", /there is no such gate/);
  await oneMistake(
    t,
    "steps: [{ gate: 5 }]",
    /^rollout.steps\[0\].gate is 5: write the name of a gate, or a list/,
  );
});

test("fields that a rollout does not have are told the ones that were meant", async (t) => {
  await oneMistake(
    t,
    "steps: [{ gates: a }]",
    /^rollout.steps\[0\].gates is not a field here: did you mean gate\?/,
  );
  await oneMistake(t, "steps: [{ backe: 5m }]", /^rollout.steps\[0\].backe .*did you mean bake\?/);
  await oneMistake(t, "stesp: [{ canary: 5% }]", /^rollout.stesp is not a field here: did you mean steps\?/);
  await oneMistake(
    t,
    "steps: [{ gate: a }]\ngate: { a: { file: a } }",
    /^rollout.gate is not a field here: did you mean gates\?/,
  );
  await oneMistake(t, gate("{ htpp: http://h, path: $.a, below: 5 }"), /gates.g.htpp .*did you mean http\?/);
  await oneMistake(
    t,
    gate("{ http: http://h, path: $.a, bellow: 5 }"),
    /gates.g.bellow .*did you mean below\?/,
  );
  await oneMistake(
    t,
    "start: runing\nsteps: [{ canary: 5% }]",
    /^rollout.start is runing: did you mean running\?/,
  );
});

test("fields of a rollout in the wrong place are told the right one", async (t) => {
  const steps = "[{ canary: 5% }]";
  const placed = async (text: string) =>
    (await mistakesIn(t, text)).map((each) => each.replace(/^\S+ {2}/, ""));
  const routes = "routes: [{ name: r }]\n";
  assert.deepEqual(await placed(`${HEAD}${routes}rollout: { steps: ${steps} }\ngates: {}\ncanary: 5%\n`), [
    "rollout is not a field here: it belongs under routes or defaults",
    "gates is not a field here: it belongs under rollout, of routes or defaults",
    "canary is not a field here: it belongs under routes or defaults",
  ]);
  assert.deepEqual(await placed(`${HEAD}routes: [{ name: r, gates: {}, steps: ${steps} }]\n`), [
    "gates is not a field here: it belongs under rollout",
    "steps is not a field here: it belongs under rollout",
  ]);
  await oneMistake(
    t,
    gate("{ file: a, absent: true }"),
    "rollout.gates.g.absent is not a field here: write present: false",
  );
});

test("the path of a gate names one value at most", async (t) => {
  for (const path of ["$..a", "$.*", "$.a[*]", "$.a[0,1]", "$.a[0:2]", "$.a[?@.b == 1].c"])
    await oneMistake(
      t,
      gate(`{ http: http://h, path: "${path}", below: 5 }`),
      `rollout.gates.g.path is ${path}: it may name several values, and one is needed: write names and indexes alone, such as $.checks[0].lagSeconds`,
    );
  for (const path of ["$", "$.a", "$.a[0].b", "$['a'][-1]"])
    assert.ok(
      (
        await loadText(
          t,
          `${HEAD}routes:\n  - name: r\n    ${rollout(gate(`{ http: http://h, path: "${path}", below: 5 }`)).replaceAll("\n", "\n    ")}\n`,
        )
      ).ok,
      path,
    );
});

test("values of steps teach their form", async (t) => {
  await oneMistake(t, "steps: [{ canary: 5 }]", "rollout.steps[0].canary is 5: write 5%");
  await oneMistake(t, "steps: [{ bake: 10 }]", /^rollout.steps\[0\].bake is 10: write 10s/);
  await oneMistake(t, "steps: [{ bake: 367d }]", /^rollout.steps\[0\].bake is 367d: it is at most 366d/);
  await oneMistake(t, "steps: [{ minSamples: 0 }]", /minSamples is 0: write a whole number from 1/);
  await oneMistake(t, 'steps: [{ approve: "true" }]', /approve is the text "true": take the quotes away/);
});

test("a gate asks one thing, and has what it needs for it", async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      "{}",
      /^rollout.gates.g has nothing to ask: write one of http, prometheus, file, window, preflight, such as/,
    ],
    ["{ every: 5s }", /^rollout.gates.g has nothing to ask/],
    ["{ file: a, preflight: true }", /^rollout.gates.g has file and preflight: keep one/],
    ["{ http: http://h, below: 5 }", /^rollout.gates.g has no path: write path: "\$\.lagSeconds"/],
    ["{ http: http://h, path: $.a }", /^rollout.gates.g has no test: write one of below, .*such as below: 5/],
    ["{ http: http://h, path: $.a, above: 1, below: 5 }", /^rollout.gates.g has below and above: keep one/],
    ["{ prometheus: http://h, below: 5 }", /^rollout.gates.g has no query: write query:/],
    [
      "{ prometheus: http://h, query: up, equals: up }",
      /equals is up, and a query gives a number: write a number/,
    ],
    ["{ file: a, path: $.a }", /^rollout.gates.g.path is for http, and this gate is file: take it out/],
    ["{ preflight: true, every: 5s }", /^rollout.gates.g.every is for http and prometheus and file/],
    [
      "{ file: a, timeout: 5s }",
      /^rollout.gates.g.timeout is for http and prometheus, and this gate is file/,
    ],
    ["{ preflight: false }", /^rollout.gates.g.preflight is false: write true, or take the gate out/],
    ["{ file: a, present: no }", /^rollout.gates.g.present is no: write true or false/],
    ['{ window: "Mon-Fri 9-16" }', /window is Mon-Fri 9-16: write days, hours and a zone, such as Mon-Fri/],
    ['{ window: "Mon-Fri 09:00-16:00 Berlin" }', /Berlin is no time zone: write an IANA name/],
    ["{ http: http://h, path: lag, below: 5 }", /path is lag: a JSONPath begins with \$: write \$\.lag/],
    ['{ http: http://h, path: $.a, below: "5" }', /below is the text "5": take the quotes away/],
    ["{ http: http://h, path: $.a, above: .nan }", /above is NaN: write a number/],
    ["{ http: http://h, path: $.a, equals: [1] }", /equals is a list: write a number, a text, true or false/],
    ["{ file: a, every: 100ms }", /every is 100ms: it must be at least 1s/],
    ["{ http: http://h, path: $.a, below: 5, timeout: 2m }", /timeout is 2m: it is at most 1m/],
    [
      "{ http: http://h, path: $.a, below: 5, timeout: 11s }",
      /timeout is 11s, and it is asked every 10s: write at most 10s/,
    ],
    ["{ http: http://h, path: $.a, below: 5, every: 1m, timeout: 61s }", /timeout is 61s: it is at most 1m/],
  ];
  for (const [fields, expected] of cases) await oneMistake(t, gate(fields), expected);
  await oneMistake(
    t,
    "steps: [{ canary: 5% }]\ngates: [a]",
    /^rollout.gates is a list: write a block of gates by name/,
  );
  await oneMistake(
    t,
    'steps: [{ canary: 5% }]\ngates: { "a b": { file: a } }',
    /gates.a b: a name has 1 to 64/,
  );
  const many = Array.from({ length: 51 }, (_, i) => `g${i}: { file: a }`).join(", ");
  await oneMistake(
    t,
    `steps: [{ canary: 5% }]\ngates: { ${many} }`,
    /with 51 gates it is too long: write at most 50/,
  );
});

test("a gate's URL is http or https, without user and password, and of a bounded length", async (t) => {
  const http = (url: string) => gate(`{ http: "${url}", path: $.a, below: 5 }`);
  const prometheus = (url: string) => gate(`{ prometheus: "${url}", query: up, below: 5 }`);
  const cases: readonly (readonly [string, RegExp])[] = [
    [http("ftp://h/lag"), /write a URL such as http:\/\/127/],
    [http("file:///etc/passwd"), /write a URL such as/],
    [http("lag.internal:7000/lag"), /write http:\/\/lag\.internal:7000\/lag or https:/],
    [http("http://me:secret@h/lag"), /holds no user or password: take them out, and let a proxy/],
    [http("http://h/a b"), /percent-encoded/],
    [http("http://h/ä"), /percent-encoded/],
    [http("http://h/a#b"), /after # is never sent/],
    [http("http://h:0/"), /a port other than 0/],
    [http("http://[h/"), /write a URL such as/],
    [http(`http://h/${"a".repeat(2048)}`), /a URL has at most 2048 characters/],
    [prometheus("http://h:9090/api/v1/query"), /write http:\/\/h:9090 alone: \/api\/v1\/query is added/],
    [prometheus("http://h/p/api/v1/"), /write http:\/\/h\/p alone/],
    [prometheus("http://h/?query=up"), /write the server's address alone: what is asked goes into query/],
    [gate(`{ prometheus: http://h, query: "${"a".repeat(2001)}", below: 5 }`), /a query has at most 2000/],
  ];
  for (const [fields, expected] of cases) await oneMistake(t, fields, expected);
});

test("a mistake in a rollout brings no second one that only follows from it", async (t) => {
  await oneMistake(t, gate("{ http: ftp://h, path: $.a, below: 5 }"), /^rollout.gates.g.http/);
  await oneMistake(t, gate("{ http: http://h, path: a, below: 5 }"), /^rollout.gates.g.path/);
  await oneMistake(t, gate("nope"), /^rollout.gates.g is nope: write a block of fields/);
  await oneMistake(t, gate("{ http: http://h, path: $.a, below: x }"), /^rollout.gates.g.below/);
  await oneMistake(t, gate('{ window: "never" }'), /^rollout.gates.g.window/);
  await oneMistake(t, "steps: [5%]", /^rollout.steps\[0\] is 5%: write a block of fields/);
  await oneMistake(
    t,
    "steps: [{ canary: 5% }, { canary: 500% }, { canary: 10% }]",
    /^rollout.steps\[1\].canary is 500%/,
  );
  await oneMistake(t, "steps: [{ canary: 5% }, 7, { canary: 6% }]", /^rollout.steps\[1\] is 7/);
});

test("steps are numbered as they were written, wrong ones too", async (t) => {
  const mistakes = await routeMistakes(t, rollout("steps: [7, { canary: 5% }, { canary: 1% }]"));
  assert.match(mistakes[1] ?? "", /^rollout.steps\[2\].canary is 1%: step 2 serves less than step 1 \(5%\)/);
});

test("a mistake in the defaults' rollout is placed there, once", async (t) => {
  const head = HEAD.replace(
    "new: modern }",
    "new: modern, rollout: { steps: [{ canary: 5%, gate: x }, { canary: 1% }], gates: { y: {} } } }",
  );
  const mistakes = await mistakesIn(t, `${head}routes: [{ name: a, match: { path: /a } }, { name: b }]\n`);
  assert.deepEqual(
    mistakes.map((mistake) => mistake.split(":").slice(0, 3).join(":")),
    [
      "5:78  defaults.rollout.steps[0].gate is x: there is no such gate",
      "5:93  defaults.rollout.steps[1].canary is 1%: step 1 serves less than step 0 (5%), and shares only rise",
      "5:112  defaults.rollout.gates.y has nothing to ask: write one of http, prometheus, file, window, preflight, such as { file",
    ].map((line) => line.split(":").slice(0, 3).join(":")),
  );
});

test("no rollout, however broken, makes the reading of rules throw, and what is accepted is whole", async (t) => {
  const names = [
    "http",
    "path",
    "prometheus",
    "query",
    "below",
    "equals",
    "file",
    "window",
    "every",
    "timeout",
  ];
  const value = fc.constantFrom<unknown>(
    ...["5%", "1m", "g", "constructor", "http://h", "$.a", "00:00-24:00", "", null, true, 5, -1],
    ...[["g"], [], {}, ["g", "h", 5]],
  );
  const block = (fields: readonly string[]) =>
    fc.dictionary(fc.constantFrom(...fields), value, { maxKeys: 4 });
  const step = fc.oneof(block(["canary", "shadow", "bake", "minSamples", "gate", "approve", "x"]), value);
  const gates = fc.dictionary(fc.constantFrom("g", "h", "toString", "a b"), fc.oneof(block(names), value));
  const rollout = fc.record(
    {
      start: fc.constantFrom("paused", "running", 5),
      steps: fc.oneof(fc.array(step, { maxLength: 4 }), value),
      gates: fc.oneof(gates, value),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(rollout, rollout, async (own, ofDefaults) => {
      const routes = stringify({ routes: [{ name: "r", rollout: own }, { name: "s" }] });
      const result = await loadText(
        t,
        `${HEAD.replace(/defaults.*\n/, "")}${stringify({ defaults: { old: "legacy", new: "modern", rollout: ofDefaults } })}${routes}`,
      );
      if (!result.ok) return;
      for (const { rollout: accepted } of result.ruleset.routes) {
        assert.ok(accepted !== null && accepted.steps.length > 0);
        for (const { gates } of accepted.steps)
          for (const name of gates) assert.ok(Object.hasOwn(accepted.gates, name), name);
      }
    }),
    { numRuns: 200 },
  );
});
